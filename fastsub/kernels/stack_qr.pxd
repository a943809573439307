"""QR of a stack of small matrices."""
