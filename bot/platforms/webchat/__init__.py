"""A chat page in one browser, for development and demonstrations."""
