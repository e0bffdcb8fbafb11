"""What people may look up."""
