"""Rows, and the only place with SQL of the domain.

Every function takes the session first and the territory second: nothing crosses from one territory
to another (P10). Nothing here begins or commits: the use case does.
"""
