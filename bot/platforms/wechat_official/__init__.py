"""公众号 and 服务号: messages, replies and customer-service messages, articles, the menu."""
