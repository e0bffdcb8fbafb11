"""Questions to units, evidence, verdicts."""
