"""Tables in files: CSV, XLSX and JSON lines, in and out."""
