"""演练: the whole loop, marked as a drill and unable to reach any public channel.

A drill's lead, case and bulletins carry ``drill`` and a number of a series of their own. Matching,
statistics of spread and exports do not see them; what would be posted goes to ``PLATFORM``.
"""

MARK = "【演练】"
"""Stands at the beginning of every text that a drill would publish."""

NUMBERS = "演练-"
"""Beginning of every number in a drill."""

PLATFORM = "drill"
"""The channel that keeps what it is given: direct posts of a drill end there."""
