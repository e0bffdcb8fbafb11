"""E-mail to media and leaders, out only."""
