"""A link as people paste it into a sentence."""

import re

URL = re.compile(r"https?://[^\s<>\"'，。；）)】]+")
