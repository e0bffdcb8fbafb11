"""客户群群发: the lawful way into WeChat groups; nothing goes out until the owner confirms."""
