"""Ranks and bases of a stack of small matrices."""
