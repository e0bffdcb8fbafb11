"""Feishu's custom bots: signed texts into one group each, out only."""
