"""The district's data: loading it, and bringing it in and out as tables."""
