"""Sparse matrices: elimination down to a dense core, the rank proved; bases and least squares."""
