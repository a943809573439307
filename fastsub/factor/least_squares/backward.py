"""The backward error of a least-squares solution, by the estimate of Karlson and Walden.

    mu(x) = || (A^H A + theta^2 I)^-1/2 A^H r || / ||x||,   r = b - A x,  theta = ||r|| / ||x||

is within a factor between 1 and about 1.7 of the norm of the smallest E such that x solves the
problem of A + E exactly. It falls as theta grows: columns whose theta lies within one octave share
the triangular factor of that matrix for the smallest of them, which overestimates by 2 at the most.

References
----------
Karlson & Walden, Estimation of optimal backward perturbation bounds for the linear least squares
    problem, BIT 37 (1997), equation (2.4).
Gratton, Jiranek & Titley-Peloquin, On the accuracy of the Karlson-Walden estimate of the backward
    error for linear least squares problems, SIAM J. Matrix Anal. Appl. 33 (2012), theorem 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastsub.factor.arrays import Array, unscale
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import column_norms, product
from fastsub.kernels import normal

if TYPE_CHECKING:
    from fastsub.factor.orthogonal.cod import COD


def karlson_walden(F: COD, A: Array, R: Array, X: Array) -> float:
    """Return the largest estimate over the columns of X, relative to ``norm(A, "fro")``.

    Parameters
    ----------
    F : COD
        Of A.
    A : ndarray, shape (m, n)
    R : ndarray, shape (m, k)
        The residual B - A X.
    X : ndarray, shape (n, k)

    Notes
    -----
    Cost: 10 min(m, n)^3 / 3 flops an octave of theta, for the QR of (M; theta I).
    """
    if F.exponent:
        # The same problem in the scale in which squares of the entries of A are safe.
        A, X = A.copy(), X.copy(order="F")
        unscale(A, -F.exponent)
        unscale(X, F.exponent)
    norm = float(np.linalg.norm(A))
    if norm == 0 or X.size == 0:
        return 0.0
    G = F.small_adjoint(product(A, R, adjoint=True))
    M = F.small_factor()
    errors = estimates(G, column_norms(R), column_norms(X), partial(weigh, M))
    return float(errors.max(initial=0.0)) / norm


def weigh(M: Array, theta: float, G: Array) -> Array:
    """Return K^-H G, K^H K = M^H M + theta^2 I, by the QR of (M; theta I)."""
    k = M.shape[1]
    K = np.asfortranarray(np.vstack([M, theta * np.eye(k, dtype=M.dtype)]))
    Reflectors.of_qr(K, 64)
    normal.py_half(np.asfortranarray(K[:k]), G)
    return G


def estimates(
    G: Array,
    residuals: Array,
    lengths: Array,
    weigh: Callable[[float, Array], Array | None],
) -> Array:
    """Return the estimate for every column, shape (k,), at most twice too large.

    Parameters
    ----------
    G : ndarray, shape (n, k)
        A^H r.
    residuals, lengths : ndarray, shape (k,)
        ||r|| and ||x||.
    weigh : callable
        From theta > 0 and a copy of columns of G to Z with the norms of (A^H A + theta^2 I)^-1/2 G;
        None if it fails.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        theta = residuals / lengths
    errors = np.where(np.isfinite(residuals) & np.isfinite(lengths), 0.0, np.inf)
    # theta is infinite where x is zero: mu = ||A^H r|| / ||r|| in the limit.
    plain = (residuals > 0) & np.isinf(theta)
    errors[plain] = np.maximum(errors[plain], column_norms(G)[plain] / residuals[plain])
    usual = (residuals > 0) & (theta > 0) & np.isfinite(theta)
    octaves = np.frexp(np.where(usual, theta, 1.0))[1]
    for octave in np.unique(octaves[usual]):
        some = np.flatnonzero(usual & (octaves == octave))
        Z = weigh(float(theta[some].min()), np.asfortranarray(G[:, some]))
        sizes = np.inf if Z is None else column_norms(Z) / lengths[some]
        errors[some] = np.maximum(errors[some], sizes)
    return errors
