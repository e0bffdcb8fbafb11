"""What the machine says of a lead: the bulletin that answers, the owner and grade it proposes."""
