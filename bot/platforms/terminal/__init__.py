"""Chatting in a terminal, with numbered replies."""
