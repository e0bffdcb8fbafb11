"""Telegram: the Bot API through python-telegram-bot, by long polling or by webhook."""
