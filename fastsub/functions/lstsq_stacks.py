"""Least squares of a stack ``(..., m, n)``: compiled where its matrices are small."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import SMALL_ENTRIES, is_small
from fastsub.factor.pieces import places
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.factor.stacked import backward_errors, solve_stack

# x, residues, rank and singular values.
Result = tuple[Any, Any, Any, Any]
# One problem, by the path of a single one.
One = Callable[[Array, Array], tuple[Result, Certificate]]

_WITH_SIGMA = ("gelsd", "gelss")


def lstsq_of_stack(
    A: Array,
    B: Array,
    rtol: float | None,
    one: One,
    *,
    check_finite: bool,
    lapack_driver: str | None,
    full_output: bool,
) -> tuple[Result, Certificate | None]:
    """Return what `lstsq` does, of every pair of matrices that A and B are broadcast to.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
    B : ndarray, shape (m,) or (..., m, k)
    rtol : float, optional
        Relative cutoff.
    one : callable
        Solves one problem.
    check_finite, lapack_driver, full_output
        As for `lstsq`.

    Raises
    ------
    ValueError
        If the stack is empty.
    """
    vector, (m, n) = B.ndim == 1, A.shape[-2:]
    B = B[:, None] if vector else B
    shape = A.shape[:-2]
    if shape != B.shape[:-2]:
        shape = np.broadcast_shapes(shape, B.shape[:-2])
    if math.prod(shape) == 0:
        raise ValueError(f"a and b broadcast to a stack of shape {shape}, which holds no matrix")
    certificate: Certificate | None
    if is_small(m, n) and max(m, n) * B.shape[-1] <= SMALL_ENTRIES:
        (x, residues, ranks, s), certificate = _compiled(
            A, B, shape, rtol, check_finite, lapack_driver, full_output
        )
    elif m * n == 0:
        (x, residues, ranks, s), certificate = _empty(A, B, shape, one)
    else:
        (x, residues, ranks, s), certificate = _one_at_a_time(A, B, shape, one)
    if vector:
        x, residues = x[..., 0], residues[..., 0] if residues.shape[-1] else residues
    return (x, residues, ranks, s), certificate


def _one_at_a_time(
    A: Array, B: Array, shape: tuple[int, ...], one: One
) -> tuple[Result, Certificate]:
    As, Bs = (np.broadcast_to(M, shape + M.shape[-2:]).reshape(-1, *M.shape[-2:]) for M in (A, B))
    answers = [one(matrix, rhs) for matrix, rhs in zip(As, Bs, strict=True)]
    xs, residues, ranks, ss = zip(*(answer for answer, _ in answers), strict=True)
    certificate = Certificate.stack([certificate for _, certificate in answers], shape)

    def gather(parts: Any) -> Array:
        return np.stack(parts).reshape(shape + parts[0].shape)

    # Matrices of deficient rank have none; a stack with one of them has none.
    same = len({np.shape(residue) for residue in residues}) == 1
    return (
        gather(xs),
        gather(residues) if same else np.empty((*shape, 0), xs[0].real.dtype),
        np.array(ranks).reshape(shape),
        None if ss[0] is None else gather(ss),
    ), certificate


def _empty(A: Array, B: Array, shape: tuple[int, ...], one: One) -> tuple[Result, Certificate]:
    """Matrices without entries are all alike: x is zero or has no entries, either."""
    index = (0,) * len(shape)
    Bs = np.broadcast_to(B, shape + B.shape[-2:])
    (x, residues, rank, s), certificate = one(
        np.broadcast_to(A, shape + A.shape[-2:])[index], Bs[index]
    )
    if A.shape[-1] == 0:
        with np.errstate(over="ignore", under="ignore"):
            all_residues = (np.linalg.norm(Bs, axis=-2) ** 2).astype(residues.dtype)
    else:
        all_residues = np.empty((*shape, 0), residues.dtype)
    return (
        np.zeros(shape + x.shape, x.dtype),
        all_residues,
        np.full(shape, rank),
        None if s is None else np.empty(shape + s.shape, s.dtype),
    ), Certificate.stack([certificate] * math.prod(shape), shape)


def _compiled(
    A: Array,
    B: Array,
    shape: tuple[int, ...],
    rtol: float | None,
    check_finite: bool,
    lapack_driver: str | None,
    full_output: bool,
) -> tuple[Result, Certificate | None]:
    (m, n), k, dtype = A.shape[-2:], B.shape[-1], np.result_type(A, B)
    if k == 0:  # a rank is wanted all the same
        B = np.zeros((*B.shape[:-1], 1), B.dtype)
    # A complex b beside a real matrix is two real right-hand sides.
    split = A.dtype.kind != "c" and dtype.kind == "c"
    if split:
        B = np.concatenate([B.real, B.imag], axis=-1)
    working = np.empty(0, dtype).real.dtype if split else dtype
    A = whole_strides(A.astype(working, copy=False))
    B = whole_strides(B.astype(working, copy=False))
    cutoff = Cutoff.of(A[(0,) * (A.ndim - 2)], rtol)
    where = (A, places(A, shape), B, places(B, shape))
    x, squares, s, decisions = solve_stack(
        *where, cutoff, tight=full_output, sigma=lapack_driver in _WITH_SIGMA
    )
    decisions.check(A, "a", finite=check_finite)
    errors = backward_errors(*where, x) if full_output else None
    residues = np.empty((len(x), 0), x.real.dtype)
    if m > n and lapack_driver != "gelsy" and (decisions.ranks == n).all():
        residues = squares.astype(x.real.dtype)
    if split:
        half = x.shape[-1] // 2
        x, parts = np.empty((*x.shape[:-1], half), dtype), x
        x.real, x.imag = parts[..., :half], parts[..., half:]
        residues = residues[:, :half] + residues[:, half:]
    if k == 0:
        x, residues = x[..., :0], residues[:, :0]
    if s is not None:
        s = s.astype(x.real.dtype).reshape(*shape, s.shape[1])
    certificate = decisions.certificate(shape, errors) if full_output else None
    ranks = decisions.ranks.astype(int).reshape(shape)
    residues = residues.reshape(*shape, residues.shape[1])
    return (x.reshape(*shape, *x.shape[1:]), residues, ranks, s), certificate
