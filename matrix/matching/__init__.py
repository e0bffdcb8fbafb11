"""Whether a forwarded text is the same claim as one already settled, and why."""
