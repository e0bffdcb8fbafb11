"""What people are shown of a thing, with its buttons; and who is asked with it."""
