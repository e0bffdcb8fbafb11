"""Three signatures."""
