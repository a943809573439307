"""Least squares of a small matrix in one compiled call."""
