"""The broadcast: campaigns, tasks, receipts."""
