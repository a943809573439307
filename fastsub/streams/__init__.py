"""Matrices larger than memory: read once, in blocks of rows, reduced to a triangle."""

from fastsub.streams.functions import (
    fundamental_subspaces,
    identifiability,
    lstsq,
    matrix_rank,
    null_space,
    orth,
    row_space,
    rref,
)

__all__ = [
    "fundamental_subspaces",
    "identifiability",
    "lstsq",
    "matrix_rank",
    "null_space",
    "orth",
    "row_space",
    "rref",
]
