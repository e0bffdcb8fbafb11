"""Sending to many: retry and pacing as pure functions."""
