"""Least squares: the fastest path whose answer is proved, down to one that proves every answer.

    normal.py           normal equations, refined: columns, or rows, that are independent by far
    COD                 any rank, minimum norm

A path returns None where the rank that it needs, or the accuracy that it reached, is not proved.
"""

from __future__ import annotations

from dataclasses import replace

from fastsub.factor.arrays import Array, product
from fastsub.factor.backward import column_norms, karlson_walden
from fastsub.factor.choose import choose_solver
from fastsub.factor.cod import COD
from fastsub.factor.decide import Cutoff
from fastsub.factor.normal import solve_tall, solve_wide
from fastsub.factor.refine import Answer
from fastsub.kernels import normal


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
    if B.shape[1] and normal.py_reads(A):
        cutoff, solver = Cutoff.of(A, rtol), choose_solver(*A.shape)
        if solver == "normal":
            answer = solve_tall(A, B, cutoff, honest=honest)
        elif solver == "adjoint":
            answer = solve_wide(A, B, cutoff)
    if answer is not None:
        return answer
    keep = A.copy() if overwrite_a and (A.shape[0] > A.shape[1] or honest) else A
    F = COD(A, rtol, overwrite_a=overwrite_a, check_finite=check_finite, name="a")
    return solve_by(F, keep, B, honest=honest)


def solve_by(F: COD, A: Array, B: Array, *, honest: bool = True) -> Answer:
    """Return the solution by a decomposition of A."""
    X, certificate = F.solve(B), F.certificate
    R = B - product(A, X)
    if honest:
        certificate = replace(certificate, backward_error=karlson_walden(F, A, R, X))
    return Answer(X, column_norms(R), certificate)
