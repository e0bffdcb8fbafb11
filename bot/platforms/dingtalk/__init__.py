"""DingTalk's custom robots: signed texts into one group each, out only."""
