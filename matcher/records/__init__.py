"""What a bulletin holds, and what its numbers mean.

Pure: nothing here reads a clock, a file or a database. What is odd in a number is said and never
refused: people without papers, or with wrong ones, look for a doctor too.
"""
