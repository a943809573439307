"""Answers for maps that are known only by their products with vectors."""

from fastsub.operators.approximate import interpolative, low_rank
from fastsub.operators.identifiability import identifiability
from fastsub.operators.subspaces import fundamental_subspaces, matrix_rank

__all__ = [
    "fundamental_subspaces",
    "identifiability",
    "interpolative",
    "low_rank",
    "matrix_rank",
]
