"""What is set: settings, district data, clocks, texts."""
