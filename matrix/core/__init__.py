"""Entities, their lifecycle tables, events and errors."""
