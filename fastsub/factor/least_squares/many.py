"""Tall least squares for as many right-hand sides as columns: an explicit Q, one product with them.

    A = Q R          Cholesky QR: R from the Gram matrix, which proves the rank (normal.py)
    Q^H Q = S^H S    near I; what it lacks of I is the orthogonality that the first R has lost
    C = S^-H (Q^H B),    X = (S R)^-1 C

Q R is A up to a backward error of its rows, whatever the condition of R (Higham 2002, theorem 8.5),
and Q is well-conditioned, which is checked, so that normal equations do no harm to it: that is
CholeskyQR2 (Yamamoto et al. 2015, theorem 3.1), with S^-1 on the side of the smaller matrix. X is
the solution of A + E and B + F, columns of E and F small beside those of A and B, as by Householder
QR (Higham 2002, theorem 20.3): no refinement, which would read B twice more, is needed.

    ||b - A x||^2 = ||b||^2 - ||c||^2

has lost no more than a digit where it is a tenth of ||b||^2; where it is less b - A x is computed.

References
----------
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
    Electron. Trans. Numer. Anal. 44 (2015).
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002).
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from fastsub.factor import substitution
from fastsub.factor.arrays import Array
from fastsub.factor.gram import departure, gram_matrix
from fastsub.factor.least_squares.backward import estimates
from fastsub.factor.least_squares.normal import CholeskyFactor
from fastsub.factor.least_squares.refine import Answer
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms, product
from fastsub.factor.rank.decide import Cutoff, certify
from fastsub.kernels import blas, gram, normal

# ||Q^H Q - I||_F, up to which the condition of Q is below 1.3.
_NEAR = 0.25
# Part of ||b||^2 that what is left must be, to be had as a difference.
_PLAIN = 0.1


def solve_many(A: Array, B: Array, cutoff: Cutoff, *, honest: bool) -> Answer | None:
    """Return the least-squares solution of A X = B, or None: not proved.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        m > n, such as `normal.py_reads` says.
    B : ndarray, shape (m, k)
        Fortran-ordered, finite.
    cutoff : Cutoff
    honest : bool
        Whether the certificate shall have a backward error.
    """
    factor = CholeskyFactor(A, cutoff)
    if factor.decision is None:
        return None
    D = factor.scale
    Q = np.array(A if D is None else A * D.T, order="F")
    substitution.divide(Q, factor.R)
    S = gram_matrix(Q)
    if not departure(S) <= _NEAR or gram.py_cholesky(S) != 0:
        return None
    X, T = product(Q, B, adjoint=True), factor.R.copy(order="F")
    blas.py_trmm("L", "U", "N", "N", S, T)
    # A condition of 1.3: the inverse is as good as substitution, and a product.
    blas.py_trtri("U", "N", S)
    blas.py_trmm("L", "U", "C", "N", S, X)
    with np.errstate(over="ignore", under="ignore"):
        whole = column_norms(B) ** 2
        squares = whole - column_norms(X) ** 2
    substitution.solve(T, X)
    if D is not None:
        X *= D
    some = slice(None) if honest else np.flatnonzero(~(squares >= _PLAIN * whole))
    Y, Z = np.asfortranarray(B[:, some]), np.asfortranarray(X[:, some])
    R = empty(Y.shape, A.dtype)
    normal.py_residual(A, Y, Z, R)
    residuals = column_norms(R)
    squares[some] = residuals**2
    error = None
    if honest:
        gradient = product(A, R, adjoint=True) * (1.0 if D is None else D)
        plain = partial(factor.weigh, plain=True)
        errors = estimates(np.asfortranarray(gradient), residuals, column_norms(X), plain)
        error = float(errors.max(initial=0.0)) / math.sqrt(factor.squares.sum())
    method = "normal equations, explicit Q"
    return Answer(X, squares, certify(factor.decision, method, 0, error))
