"""The rules of a search, as PROTOCOL.md states them.

Pure: state, event and time go in; state and effects come out. Nothing here reads a clock,
a file, a socket or a database, and nothing here imports from the rest of the project.
"""
