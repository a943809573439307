"""What the public functions answer for `scipy.sparse` arrays and matrices.

Reached through `fastsub.functions.sources`; the names and arguments are those of the functions for
dense arrays.
"""

from fastsub.sparse.fundamental import fundamental_subspaces, solutions
from fastsub.sparse.identifiability import identifiability
from fastsub.sparse.least_squares import lstsq
from fastsub.sparse.rank import matrix_rank
from fastsub.sparse.subspaces import left_null_space, null_space, orth, row_space

__all__ = [
    "fundamental_subspaces",
    "identifiability",
    "left_null_space",
    "lstsq",
    "matrix_rank",
    "null_space",
    "orth",
    "row_space",
    "solutions",
]
