"""The four subspaces of a sparse matrix."""

from __future__ import annotations

from typing import Any

from fastsub.factor.arrays import check_tolerance
from fastsub.factor.sparse import SparseFactors
from fastsub.factor.sparse_arrays import read_sparse
from fastsub.factor.sparse_null import null_basis


def null_space(
    A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False
) -> Any:
    """Return a basis of the null space of a sparse matrix; arguments as of `fastsub.null_space`."""
    F = SparseFactors(read_sparse(A), check_tolerance(rcond, "rcond"))
    N = null_basis(F)
    return (N, F.certificate) if full_output else N
