"""Rows that come block by block: the triangle of those seen so far."""
