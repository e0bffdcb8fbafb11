"""One folder per platform, in and out together; independent of each other."""
