"""The public functions for streams: one pass, then the triangle answers.

Documented where the functions of the same names are; what is said here is what is different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, check_tolerance
from fastsub.factor.echelon import Echelon
from fastsub.models.identifiability import Identifiability, judge
from fastsub.streams.range import orth
from fastsub.streams.stream import Stream, stream
from fastsub.streams.subspaces import StreamedSubspaces
from fastsub.subspace.vectors import column_norms, scale_columns

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


def _as_stream(A: Any) -> Stream:
    """Return a Stream of anything with `row_blocks`."""
    return A if isinstance(A, Stream) else stream(A.row_blocks)


def matrix_rank(A: Any, tol: Any = None, *, rtol: Any = None, full_output: bool = False) -> Any:
    if tol is not None and rtol is not None:
        raise ValueError("give tol or rtol, not both")
    result = _as_stream(A).reduce().result(rtol, tol=tol)
    return (result.rank, result.certificate) if full_output else result.rank


def null_space(
    A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False
) -> Any:
    result = _as_stream(A).reduce().result(check_tolerance(rcond, "rcond"))
    basis = result.null_space()
    return (basis, result.certificate) if full_output else basis


def row_space(
    A: Any, rcond: float | None = None, *, rng: Any = None, full_output: bool = False
) -> Any:
    result = _as_stream(A).reduce().result(check_tolerance(rcond, "rcond"))
    basis = result.row_space()
    return (basis, result.certificate) if full_output else basis


def lstsq(a: Any, b: Any, cond: float | None = None, *, full_output: bool = False) -> Any:
    """`b` may be a source too, or None where the blocks bring their own."""
    reducer = _as_stream(a).reduce(b)
    result = reducer.result(check_tolerance(cond, "cond"))
    answer = result.solve(), result.residues, result.rank, None
    return (answer, result.solution_certificate()) if full_output else answer


def rref(A: Any, *, rtol: float | None = None) -> Echelon:
    """The nonzero rows of A's form are those of its triangle's; R has min(m, n) rows."""
    result = _as_stream(A).reduce().result(rtol)
    if rtol is None:
        rtol = float(np.finfo(result.dtype).eps) * max(*result.shape, 1)
    found = Echelon(result.R, rtol)
    found.__dict__["certificate"] = result.certificate
    return found


def fundamental_subspaces(A: Any, rtol: float | None = None) -> StreamedSubspaces:
    """The column side is implicit: it is projected on by passes over the rows."""
    return StreamedSubspaces(_as_stream(A), check_tolerance(rtol, "rtol"))


def identifiability(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    keep: str = "leftmost",
) -> Identifiability:
    A = _as_stream(X)
    result = A.reduce(intercept=intercept).result()
    (R, scales), (m, n) = result.own, result.shape
    n -= intercept
    means = np.zeros(n, R.dtype)
    if intercept:
        # R of (1 X): its first row holds sqrt(m) times the means, the rest is R of X - 1 means.
        spread, scales = column_norms(R[:, 1:]), scales[1:]
        if m:
            means = (R[:1, 1:] / R[0, 0]).astype(R.dtype)
            scale_columns(means, -scales)
            means = means[0]
        R = np.asfortranarray(R[1:, 1:])
        noise = math.sqrt(max(m, 1)) * float(np.finfo(R.dtype).eps) * spread
        R[:, column_norms(R) <= noise] = 0
    names = A.names if names is None else list(names)
    names = [f"x{j}" for j in range(n)] if names is None else list(names)
    if len(names) != n:
        raise ValueError(f"names must have one entry for each of the {n} columns, got {len(names)}")
    if rtol is None:
        rtol = float(np.finfo(R.dtype).eps) * max(m, n, 1)
    return _judged(R, scales, means, names, rtol, keep, result.margin)


def _judged(
    R: Array,
    scales: Array,
    means: Array,
    names: list[str],
    rtol: float,
    keep: str,
    margin: float,
) -> Identifiability:
    """Judge the unit columns of R, which are those of the rows up to `margin` each."""
    W = R.copy(order="F")
    norms = column_norms(W)
    exponents = np.where(norms > 0, np.frexp(norms)[1], 0)
    scale_columns(W, -exponents)
    norms = np.where(norms > 0, np.ldexp(norms, -exponents), 1.0)
    W /= norms.astype(W.real.dtype)
    units = norms, exponents - scales
    found = judge(W, means, units, names, rtol, keep, None)
    proof, margin = found.certificate, margin * math.sqrt(W.shape[1])
    lower = max(0.0, proof.sigma_r_lower - margin)
    upper = proof.sigma_next_upper + margin if found.nullity else 0.0
    by = proof.decided_by if upper <= proof.tol < lower else "svd"
    proof = replace(
        proof,
        sigma_r_lower=lower,
        sigma_next_upper=upper,
        decided_by=by,
        method="tsqr+" + proof.method,
    )
    return replace(found, certificate=proof)
