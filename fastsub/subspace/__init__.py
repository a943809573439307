"""Subspaces as objects, each held by the smaller of a basis and that of its complement."""
