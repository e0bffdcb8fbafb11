"""First publication, corrections, withdrawals."""
