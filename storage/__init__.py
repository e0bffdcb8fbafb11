"""What is kept: tables, mapping, transactions, the durable queue, the candidate index."""
