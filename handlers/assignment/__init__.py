"""Units acknowledge, return, hand over."""
