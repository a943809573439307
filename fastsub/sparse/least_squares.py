"""Least squares with a sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    as_array,
    check_finite_magnitude,
    check_tolerance,
    unscale,
    working_copy,
)
from fastsub.factor.sparse.arrays import as_dense, read_sparse
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.factor.sparse.solve import solve_sparse
from fastsub.functions import least_squares as functions


def lstsq(a: Any, b: Any, cond: float | None = None, *, full_output: bool = False) -> Any:
    """Return ``(x, residues, rank, None)`` for a sparse `a`; arguments as of `fastsub.lstsq`."""
    B, (m, n) = as_array(b, "b"), a.shape
    if B.ndim not in (1, 2) or B.shape[0] != m:
        raise ValueError(f"b must have shape ({m},) or ({m}, k) beside a sparse a, got {B.shape}")
    if B.size:
        check_finite_magnitude(np.atleast_2d(B), "b")
    if (dense := as_dense(a, "a")) is not None:
        return functions.lstsq(dense, B, cond, full_output=full_output)
    A = read_sparse(a, "a")
    F = SparseFactors(A, check_tolerance(cond, "cond"))
    dtype = np.result_type(A.dtype, B)
    columns = B[:, None] if B.ndim == 1 else B
    split = A.dtype.kind != "c" and dtype.kind == "c"
    if split:
        columns = np.hstack([columns.real, columns.imag])
    scaled = working_copy(columns.astype(A.matrix.dtype), "b", check_finite=False)
    answer = solve_sparse(F, scaled.W)
    X, squares = np.asfortranarray(answer.X), answer.squares
    # The factors are those of 2^exponent a.
    unscale(X, scaled.exponent - A.exponent)
    k = columns.shape[1] // (2 if split else 1)
    if split:
        X, squares = X[:, :k] + 1j * X[:, k:], squares[:k] + squares[k:]
    with np.errstate(over="ignore", under="ignore"):
        x = (X[:, 0] if B.ndim == 1 else X).astype(dtype)
        residues: Any = np.empty(0, x.real.dtype)
        if n == 0 or m > n == F.rank:
            residues = np.ldexp(squares, -2 * scaled.exponent).astype(x.real.dtype)
            residues = residues[0] if B.ndim == 1 else residues
    result = (x, residues, F.rank, None)
    return (result, answer.certificate) if full_output else result
