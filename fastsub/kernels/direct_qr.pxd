"""QR with column pivoting of a small matrix in one compiled call."""
