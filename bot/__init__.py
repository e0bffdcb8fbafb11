"""Runs, talks, renders, wires."""

import os

# Single characters are all that is looked up: without its phrases pypinyin takes a third of a
# second and 58 MB less. It asks only once, when it is imported.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "yes")
