"""Who must answer, how grave it is, and by when."""
