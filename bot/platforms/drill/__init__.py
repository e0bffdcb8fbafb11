"""Where a drill's direct posts end: nowhere."""
