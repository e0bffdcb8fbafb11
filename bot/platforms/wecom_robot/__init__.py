"""消息推送 (formerly 群机器人): texts into one WeCom group each, out only."""
