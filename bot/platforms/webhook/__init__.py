"""Signed POSTs to an account's own endpoint, with an idempotency key."""
