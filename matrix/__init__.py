"""What is true: the trade (entities, tables of states, rules) and the mathematics of matching.

Pure values and functions. No clock, no randomness, no environment, no files, no sentences.
"""
