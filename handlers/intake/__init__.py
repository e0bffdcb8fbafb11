"""Reports in: receiving, answering, what reporters may do."""
