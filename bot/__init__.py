"""Runs, talks, renders, wires."""
