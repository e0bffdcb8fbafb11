"""Texts in four parts."""
