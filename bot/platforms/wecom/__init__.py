"""企业微信: application messages and cards, and the 智能机器人 in groups, in and out together."""
