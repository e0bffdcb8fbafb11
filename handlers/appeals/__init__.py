"""Appeals against published texts: made by whoever reports, answered by the desk."""
