"""The rank of a sparse matrix."""

from __future__ import annotations

from typing import Any

from fastsub.factor.arrays import check_tolerance
from fastsub.factor.sparse.arrays import as_dense, read_sparse
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.functions import rank as functions


def matrix_rank(
    A: Any,
    tol: Any = None,
    *,
    rtol: Any = None,
    full_output: bool = False,
    engine: str | None = None,
) -> Any:
    """Return the rank of a sparse matrix; arguments as of `fastsub.matrix_rank`."""
    if not engine and (dense := as_dense(A)) is not None:
        return functions.matrix_rank(dense, tol, rtol=rtol, full_output=full_output)
    if tol is not None and rtol is not None:
        raise ValueError("give tol or rtol, not both")
    tol, rtol = check_tolerance(tol, "tol"), check_tolerance(rtol, "rtol")
    F = SparseFactors(read_sparse(A), rtol, tol=tol, engine=engine)
    return (F.rank, F.certificate) if full_output else F.rank
