"""Least squares with singular values, as gelsd returns them, in less time than gelsd takes.

The bidiagonal form costs most of gelsd, and no other way leads to singular values of full absolute
accuracy; what can be saved is the rest. x comes from `fastsub.lstsq`. A tall [A B] is reduced by
QR first,

    Q^H [A B] = [R C; 0 D],   A X = B  ->  R X = C,   ||b_j - A x_j|| = ||d_j||,

and R has the singular values of A (Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections
5.3.3 and 5.5.6).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack, svdvals

from fastsub.factor.arrays import Array, check_finite_magnitude, is_safe, unscale, working_copy
from fastsub.factor.choose import SMALL_ENTRIES
from fastsub.factor.least_squares.solve import solve as direct_solve
from fastsub.functions.qr import qr
from fastsub.kernels.direct_lstsq import py_lstsq
from fastsub.patch.arguments import believe, separate
from fastsub.patch.tally import PassOn

_GESDD = {char: getattr(lapack, f"{name}gesdd") for char, name in zip("fdFD", "sdcz", strict=True)}

# Rows beside a column from which the QR of the kernels is the faster half of the work.
_TALL = 4
# Entries up to which copying, and calling, costs more than is won.
_FEW = 2048
# Entries up to which LAPACK's least workspace is enough.
_SMALL = 32 * 32


class Solution(NamedTuple):
    """x, squared norms of residuals (k,) if m > n and the rank is n, the rank."""

    x: Array
    squares: Array | None
    rank: int


def cutoff_of(driver: str, rcond: float, dtype: Any) -> float:
    """Return the relative cutoff that LAPACK's driver makes of rcond.

    gelsd takes what is not inside (0, 1) for the unit roundoff (dlalsd), gelss what is negative;
    to gelsy nothing is too small then, which is left to itself.
    """
    if math.isnan(rcond) or (rcond < 0 and driver == "gelsy"):
        raise PassOn("a negative or NaN tolerance")
    if rcond < 0 or (driver == "gelsd" and not 0 < rcond < 1):
        return float(np.finfo(dtype).eps) / 2
    return rcond


def solve(a: Array, b: Array, rtol: float, factor: float = 1.0) -> Solution:
    """Return the solution of least norm; a (m, n), b (m,) or (m, k), of one precision.

    The rank is proved, `factor` times the cutoff from below.
    """
    compiled = py_lstsq(a, b, rtol, SMALL_ENTRIES, certify=True)
    if compiled is not None:
        x, squares, rank, tol, lower, upper, _ = compiled
        separate(tol, lower, upper, factor)
        return Solution(x, squares, rank)
    magnitude = check_finite_magnitude(a, "a")
    if not is_safe(magnitude, a.dtype):
        raise PassOn("magnitudes out of the ordinary")
    B = working_copy(b.reshape(len(b), -1), "b")
    answer = direct_solve(a, B.W, rtol)
    believe(answer.certificate, factor)
    unscale(answer.X, B.exponent)
    (m, n), rank = a.shape, answer.certificate.rank
    squares = None
    if m > n == rank:
        squares = np.ldexp(answer.squares, -2 * B.exponent)
    return Solution(answer.X.reshape(n, *b.shape[1:]), squares, rank)


def solve_with_singular_values(a: Array, b: Array, rtol: float) -> tuple[Solution, Array]:
    """Return the solution of least norm and the singular values of a, descending."""
    m, n = a.shape
    k = 1 if b.ndim == 1 else b.shape[1]
    if m < _TALL * n or a.size <= _FEW or k > n:
        solution = solve(a, b, rtol)
        return solution, singular_values(a)
    both = np.empty((m, n + k), a.dtype, order="F")
    both[:, :n], both[:, n:] = a, b.reshape(m, k)
    (R,) = qr(both, overwrite_a=True, mode="r")
    reduced = np.asfortranarray(R[:n, :n])
    x, _, rank = solve(reduced, R[:n, n:].reshape(n, *b.shape[1:]), rtol)
    squares = np.square(np.abs(R[n : n + k, n:])).sum(axis=0) if rank == n else None
    return Solution(x, squares, rank), singular_values(reduced)


def singular_values(a: Array) -> Array:
    """Return the singular values of a finite matrix, descending."""
    if a.flags.c_contiguous:  # those of the transpose, and LAPACK need not copy it apart
        a = a.T
    if a.size > _SMALL:
        return np.asarray(svdvals(a, check_finite=False))
    _, sigma, _, info = _GESDD[a.dtype.char](a, compute_uv=0, full_matrices=0)
    if info:
        raise PassOn("an SVD that did not converge")
    return np.asarray(sigma)
