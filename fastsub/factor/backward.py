"""The backward error of a least-squares solution, by the estimate of Karlson and Walden.

    mu(x) = || (A^H A + theta^2 I)^-1/2 A^H r || / ||x||,   r = b - A x,  theta = ||r|| / ||x||

is within a factor between 1 and about 1.7 of the norm of the smallest E such that x solves the
problem of A + E exactly.

References
----------
Karlson & Walden, Estimation of optimal backward perturbation bounds for the linear least squares
    problem, BIT 37 (1997), equation (2.4).
Gratton, Jiranek & Titley-Peloquin, On the accuracy of the Karlson-Walden estimate of the backward
    error for linear least squares problems, SIAM J. Matrix Anal. Appl. 33 (2012), theorem 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastsub.factor.arrays import Array, product, unscale
from fastsub.factor.reflectors import Reflectors
from fastsub.kernels import blas

if TYPE_CHECKING:
    from fastsub.factor.cod import COD


def karlson_walden(F: COD, A: Array, B: Array, X: Array) -> float:
    """Return the largest estimate over the columns of X, relative to ``norm(A, "fro")``.

    Parameters
    ----------
    F : COD
        Of A.
    A : ndarray, shape (m, n)
    B : ndarray, shape (m, k)
    X : ndarray, shape (n, k)

    Notes
    -----
    Cost: 10 min(m, n)^3 / 3 flops a column, for the QR of (R; theta I).
    """
    if F.exponent:
        # The same problem in the scale in which squares of the entries of A are safe.
        A, X = A.copy(), X.copy()
        unscale(A, -F.exponent)
        unscale(X, F.exponent)
    norm = float(np.linalg.norm(A))
    if norm == 0 or X.size == 0:
        return 0.0
    R = B - product(A, X)
    G = F.small_adjoint(product(A, R, adjoint=True))
    M = F.small_factor()
    lengths, residuals = np.linalg.norm(X, axis=0), np.linalg.norm(R, axis=0)
    columns = zip(G.T, residuals.tolist(), lengths.tolist(), strict=True)
    return max(_one(M, g, residual, length) for g, residual, length in columns) / norm


def _one(M: Array, g: Array, residual: float, length: float) -> float:
    """Estimate for one column: M (k, k) is A in orthonormal coordinates, g = M^H r."""
    if residual == 0:
        return 0.0
    if length == 0:
        return float(np.linalg.norm(g)) / residual
    k = M.shape[1]
    K = np.asfortranarray(np.vstack([M, residual / length * np.eye(k, dtype=M.dtype)]))
    Reflectors.of_qr(K, 64)
    z = np.asfortranarray(g[:, None])
    blas.py_trsm("L", "U", "C", "N", np.asfortranarray(K[:k]), z)
    return float(np.linalg.norm(z)) / length
