"""Tall matrices: a sketch proposes, one more pass over the matrix proves."""
