"""Weibo by its only open call; without it an account is a manual one with a task card."""
