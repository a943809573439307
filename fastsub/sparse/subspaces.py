"""The four subspaces of a sparse matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastsub.factor.arrays import Array, check_tolerance
from fastsub.factor.sparse.arrays import as_dense, read_sparse
from fastsub.factor.sparse.bases import null_basis, particular_basis, row_basis
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.functions import subspaces as functions


def null_space(
    A: Any,
    rcond: float | None = None,
    *,
    rng: Any = None,
    full_output: bool = False,
    sparse: bool = False,
    engine: str | None = None,
) -> Any:
    """Return a basis of the null space; arguments as of `fastsub.null_space`.

    sparse: a `csc_array` Z, not orthonormal, with sigma_min(Z) >= 1.
    """
    if not (sparse or engine) and (dense := as_dense(A)) is not None:
        return functions.null_space(dense, rcond, rng=rng, full_output=full_output)
    F = SparseFactors(read_sparse(A), check_tolerance(rcond, "rcond"), engine=engine)
    N = particular_basis(F).tocsc().astype(F.input.dtype) if sparse else null_basis(F)
    return (N, F.certificate) if full_output else N


def row_space(
    A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False
) -> Any:
    """Return an orthonormal basis of the row space; arguments as of `fastsub.row_space`."""
    if (dense := as_dense(A)) is not None:
        return functions.row_space(dense, rcond, rng=rng, full_output=full_output)
    return _basis(A, rcond, full_output, row_basis)


def orth(A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False) -> Any:
    """Return an orthonormal basis of the column space; arguments as of `fastsub.orth`."""
    if (dense := as_dense(A)) is not None:
        return functions.orth(dense, rcond, rng=rng, full_output=full_output)
    return _basis(A, rcond, full_output, lambda F: row_basis(F.adjoint()))


def left_null_space(
    A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False
) -> Any:
    """Return an orthonormal basis of the left null space, as `fastsub.left_null_space`."""
    if (dense := as_dense(A)) is not None:
        return functions.left_null_space(dense, rcond, rng=rng, full_output=full_output)
    return _basis(A, rcond, full_output, lambda F: null_basis(F.adjoint()))


def _basis(
    A: Any, rcond: float | None, full_output: bool, make: Callable[[SparseFactors], Array]
) -> Any:
    F = SparseFactors(read_sparse(A), check_tolerance(rcond, "rcond"))
    basis = make(F)
    return (basis, F.certificate) if full_output else basis
