"""Least squares of a stack of small matrices."""
