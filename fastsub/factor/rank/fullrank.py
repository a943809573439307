"""Proof of full rank from the Gram matrix."""

from __future__ import annotations

import math

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.gram import gram_matrix
from fastsub.factor.rank.decide import Cutoff, Decision, rounding_margin, sigma_1_lower
from fastsub.kernels import gram, triangular


def prove_by_gram(W: Array, cutoff: Cutoff) -> Decision | None:
    """Prove full rank of W (m, n) from its Gram matrix G, or return None; m n^2 flops.

    It proves nothing for a condition number above about u^-1/2.
    """
    G = gram_matrix(W)
    squares = np.diagonal(G).real.astype(np.float64)
    if gram.py_cholesky(G) != 0:
        return None
    return prove_by_cholesky(G, squares, W.shape[0], cutoff)


def prove_by_cholesky(R: Array, squares: Array, rows: int, cutoff: Cutoff) -> Decision | None:
    """Prove full rank of W from a Cholesky factor of its Gram matrix, R^H R = G + D, or None.

    Parameters
    ----------
    R : ndarray, shape (n, n)
        Upper triangular, Fortran-ordered.
    squares : ndarray, shape (n,)
        The diagonal of G: squared norms c_j^2 of the columns of W.
    rows : int
        m: the rows of W.
    cutoff : Cutoff

    Notes
    -----
    With X = R^-1 and d = 2 sqrt(m) u, which bounds the rounding of G and of its Cholesky factor,
    |D_ij| <= d c_i c_j (Higham 2002, sections 3.5 and 10.1; square root law as in decide.py):

    * sigma_min(W)^2 >= 1 / ||X||_F^2 - d ||W||_F^2;
    * sigma_min(W)^2 >= (1 - e) / ||X||_F^2 with e := d n ||diag(c) X||_F^2 >= ||R^-H D R^-1||_2,
      because G = R^H (I - R^-H D R^-1) R: a bound that scaled columns leave as it is, as they do
      Cholesky (van der Sluis 1969).
    """
    n = R.shape[1]
    norm_sq = float(squares.sum())
    X, lengths = np.empty((n, n), R.dtype, order="F"), np.empty(n)
    frobenius = triangular.py_inverse(R, X)
    if not 0 < frobenius < math.inf:
        return None
    triangular.py_row_sumsq(X, n, lengths)
    relative = 2 * rounding_margin(1.0, rows, R.dtype)
    d = relative * norm_sq
    squared = frobenius**-2
    lower = math.sqrt(
        max(0.0, squared - d, squared * (1 - relative * n * float(squares @ lengths)))
    )
    low = max(sigma_1_lower(R, n) - math.sqrt(d), math.sqrt(max(0.0, norm_sq - d) / n))
    tol_low, tol_high = cutoff.bracket(low, math.sqrt(norm_sq + d))
    if lower > tol_high:
        return Decision(n, tol_low, lower, 0.0, "bounds", 0.0)
    return None


def quality(R: Array, squares: Array, rows: int) -> tuple[float, float]:
    """Return e, as `prove_by_cholesky` has it, and ``||diag(c) R^-1||_F``; inf if R is singular.

    Parameters
    ----------
    R, squares, rows
        As for `prove_by_cholesky`.
    """
    n = R.shape[1]
    X, lengths = np.empty((n, n), R.dtype, order="F"), np.empty(n)
    if not 0 < triangular.py_inverse(R, X) < math.inf:
        return math.inf, math.inf
    triangular.py_row_sumsq(X, n, lengths)
    amplified = float(squares @ lengths)
    return 2 * rounding_margin(1.0, rows, R.dtype) * n * amplified, math.sqrt(amplified)
