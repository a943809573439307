"""Least squares: the fastest path whose answer is proved, down to one that proves every answer.

    direct_lstsq.pyx       small: one compiled call
    normal.py              normal equations: columns, or rows, that are independent by far
    many.py                the same with an explicit Q: more right-hand sides than columns
    preconditioned.py      tall: the same of A R^-1, R from a sketch: columns that are independent
    square.py              square: LU, nonsingular by far
    deficient.py           square: the same LU where its last pivots vanish, minimum norm
    ../orthogonal/cod.py   any rank, minimum norm

A path returns None where the rank that it needs, or the accuracy that it reached, is not proved.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from fastsub.factor.arrays import Array, unscale, whole_strides, working_copy
from fastsub.factor.choose import SMALL_ENTRIES, choose_solver, is_many, is_tall
from fastsub.factor.least_squares.backward import estimates, karlson_walden, weigh
from fastsub.factor.least_squares.many import solve_many
from fastsub.factor.least_squares.normal import solve_tall, solve_wide
from fastsub.factor.least_squares.preconditioned import solve_preconditioned
from fastsub.factor.least_squares.refine import Answer
from fastsub.factor.least_squares.square import solve_square
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.products import column_norms, product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, certify
from fastsub.kernels import normal
from fastsub.kernels.direct_lstsq import py_lstsq

# A dimension that is surely a LAPACK integer.
_LARGEST = 1 << 30


def solve(
    A: Array,
    B: Array,
    rtol: float | None = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    honest: bool = False,
) -> Answer:
    """Return the least-squares solution of A X = B of minimum norm.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides.
    B : ndarray, shape (m, k)
        Of the same dtype, Fortran-ordered; finite, and of a magnitude that can be squared.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.
    overwrite_a, check_finite : bool
        As for `COD`.
    honest : bool
        Whether the certificate shall have a backward error.
    """
    answer = None
    A = whole_strides(A)
    m, n = A.shape
    if B.shape[1] and A.size and max(m, n) < _LARGEST:
        if not normal.py_reads(A):
            A = np.asfortranarray(A)
        cutoff, solver = Cutoff.of(A, rtol), choose_solver(m, n, A.dtype)
        if solver == "direct":
            answer = _solve_direct(A, B, rtol, honest=honest)
        elif not A[0].any() and not A.any():
            answer = _solve_zero(A, B)
        elif solver == "normal":
            solve_first = solve_many if is_many(n, B.shape[1]) else solve_tall
            answer = solve_first(A, B, cutoff, honest=honest)
            if answer is None and is_tall(m, n):
                answer = solve_preconditioned(A, B, cutoff, honest=honest)
        elif solver == "square":
            answer = solve_square(A, B, cutoff, honest=honest)
        elif solver == "adjoint":
            answer = solve_wide(A, B, cutoff)
    if answer is not None:
        return answer
    keep = A.copy() if overwrite_a and (m > n or honest) else A
    F = COD(A, rtol, overwrite_a=overwrite_a, check_finite=check_finite, name="a")
    return solve_by(F, keep, B, honest=honest)


def _solve_zero(A: Array, B: Array) -> Answer:
    """Return the answer for a matrix of zeros: nothing is as short as x = 0, and no x is better."""
    certificate = Certificate(0, 0.0, math.inf, 0.0, "bounds", "zero", 0.0)
    return Answer(zeros((A.shape[1], B.shape[1]), A.dtype), column_norms(B) ** 2, certificate)


def _solve_direct(A: Array, B: Array, rtol: float | None, *, honest: bool) -> Answer | None:
    """Return the answer of one compiled call, or None: not proved, or not finite."""
    working = working_copy(A, "a", check_finite=False)
    A = working.W
    # However many right-hand sides: all that follows is slower.
    entries = max(SMALL_ENTRIES, max(A.shape) * B.shape[1])
    answer = py_lstsq(A, B, rtol, entries, certify=True)
    if answer is None:
        return None
    X, squares, rank, tol, lower, upper, method = answer
    error = None
    if squares is None or honest:
        R = B - product(A, X)
        residuals = column_norms(R)
        squares = residuals**2 if squares is None else squares
    if honest:
        G = product(A, R, adjoint=True)
        norm = float(np.linalg.norm(A))
        errors = estimates(G, residuals, column_norms(X), partial(weigh, A))
        error = float(errors.max(initial=0.0)) / norm if norm else 0.0
    unscale(X, -working.exponent)
    decision = Decision(rank, tol, lower, upper, "bounds", 0.0)
    return Answer(X, squares, certify(decision, method, working.exponent, error))


def solve_by(F: COD, A: Array, B: Array, *, honest: bool = True) -> Answer:
    """Return the solution by a decomposition of A."""
    X, certificate = F.solve(B), F.certificate
    R = B - product(A, X)
    if honest:
        certificate = replace(certificate, backward_error=karlson_walden(F, A, R, X))
    return Answer(X, column_norms(R) ** 2, certificate)
