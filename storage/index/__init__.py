"""Implementations of the candidate index."""
