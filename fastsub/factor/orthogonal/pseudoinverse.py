"""The pseudoinverse of a tall matrix in the memory of its result: (A^+)^H, from A P = Q (R1; 0).

    full rank       (A^+)^H = Q R^-H P^H
    below           (A^+)^H = Q J U^-1 (I 0) Z^H diag(J, I) P^H
                    R1 = J (U^H 0) Z^H diag(J, I) as in rz.py

Columns of Q stand where the result shall be; all that follows are products from the right, in
place. Q and R come from Householder reflectors (urv.py) or, with gemm alone, from here:

    R11^H R11 = A1^H A1,  Q := A1 R11^-1        A1: independent columns, found by Cholesky
    R2^H R2 = Q^H Q,  Q := Q R2^-1              twice is enough where ||Q^H Q - I|| was small
    R1 := (R2 R11, Q^H A2)                      A2: the other columns

This is CholeskyQR2: Q is orthonormal and Q R1 is A P, but for a few units of rounding as from
Householder reflectors (Yamamoto et al. 2015, theorems 3.1 and 3.2), so that the bounds of
rank/decide.py hold with the margins of two factorisations. What columns beyond the rank add, E = A2
- Q Q^H A2, is computed, not believed to vanish: a bad choice of A1 amplifies the rounding of A.
Where A^H A is too ill-conditioned for that, or nothing is proved, the answer is None.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.5.2.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 10.3: Cholesky
    factorisation of a semidefinite matrix.
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
    Electron. Trans. Numer. Anal. 44 (2015).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import lapack

from fastsub.factor import substitution
from fastsub.factor.arrays import Array, is_safe
from fastsub.factor.gram import departure, gram_matrix
from fastsub.factor.memory import empty, zeros
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.products import column_norms, herk, product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Doubt, certify, prove, rounding_margin, sigma_1_lower
from fastsub.factor.rank.inverse import frobenius
from fastsub.kernels import blas, gram, layout

_PSTRF = {"d": lapack.dpstrf, "D": lapack.zpstrf}

# ||Q^H Q - I||_F after the first step, up to which the second is safe.
_NEAR = 0.25
# ||E||_F in units of eps ||A||_2: below, it changes nothing.
_CLEAN = 16.0
# Rows per column from which sums of pieces of a Gram matrix take little beside A.
_LONG = 8
# Columns of E at a time.
_PANEL = 128


def invert_by_cholesky(A: Array, cutoff: Cutoff) -> tuple[Array, Certificate] | None:
    """Return (A^+)^H and its certificate, or None: not proved, too ill-conditioned, not finite.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        m >= n > 0, in double precision, any strides of whole elements.
    cutoff : Cutoff

    Returns
    -------
    X : ndarray, shape (m, n)
        Fortran-ordered.
    certificate : Certificate
    """
    (m, n), dtype = A.shape, A.dtype
    G = gram_matrix(A)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = math.sqrt(max(0.0, float(np.diagonal(G).real.sum())))
    if not is_safe(norm, dtype):
        return None
    R, r, p = _independent(G, math.sqrt(rounding_margin(norm * norm, m, dtype)))
    del G
    if r == 0:
        return None
    X = empty((m, n), dtype)
    layout.py_copy(A, X)
    move_columns(X, np.argsort(p))
    Q = X[:, :r]
    if not _orthonormalize(Q, R[:r, :r]):
        return None
    sizes: dict[str, Any] = {"size": m, "full": n, "cutoff": cutoff}
    if r == n:
        decision = prove(R, n, 0.0, **sizes, factors=2, in_place=True)
        if isinstance(decision, Doubt) or decision.rank < n:
            return None
        substitution.divide(X, R, adjoint=True)
        move_columns(X, p)
        return X, certify(decision, "cholesky qr", 0)
    E, S = X[:, r:], R[:r, r:]
    blas.py_gemm("C", "N", Q, E, S)
    blas.py_gemm("N", "N", Q, S, E, alpha=-1, beta=1)
    rz, left, sigma_1 = RZ(R, r, below=True), frobenius(E), sigma_1_lower(R, r)
    eps = float(np.finfo(dtype).eps)
    is_clean, residual = left <= _CLEAN * eps * sigma_1, left
    if not is_clean:
        residual = _times_null_space(E, rz) + (n - r) ** 1.5 * eps * left
    decision = prove(R, r, residual, **sizes, sigma_1=sigma_1, factors=3, inverse=rz.inverse(R))
    if isinstance(decision, Doubt) or not 2 * (left / decision.sigma_r_lower) ** 2 <= eps:
        return None
    divide_by_trapezoid(X, rz, R, p, is_clean=is_clean)
    return X, certify(decision, "cholesky qr", 0)


def _times_null_space(E: Array, rz: RZ) -> float:
    """Return ``||E N2||_F``, N2 the last rows of the null space."""
    total = 0.0
    for N2 in rz.bottom_rows(rz.rank, rz.rank + E.shape[1]):
        total = math.hypot(total, frobenius(product(E, N2)))
    return total


def _independent(G: Array, limit: float) -> tuple[Array, int, Array]:
    """Find columns whose distance from those before them exceeds `limit`, by Cholesky of G.

    Returns
    -------
    R : ndarray, shape (n, n)
        Their triangle in its leading block; the rest means nothing.
    r : int
    p : ndarray of intp, shape (n,)
        They come first in ``A[:, p]``; as they were, where they do already.
    """
    n, R = len(G), G.copy(order="F")
    info = gram.py_cholesky(R)
    far = np.diagonal(R).real > limit
    r = n if far.all() else int(np.argmin(far))
    r, order = min(r, info - 1) if info > 0 else r, np.arange(n)
    if r < n:
        # What Cholesky did before it failed is good, or Q will not be orthonormal.
        beside = G[:r, r:].copy(order="F")
        substitution.solve(R[:r, :r], beside, adjoint=True)
        if not ((np.diagonal(G).real[r:] - column_norms(beside) ** 2) > limit**2).any():
            return R, r, order
        pstrf = _PSTRF[G.dtype.char]
        R, pivots, r, _ = pstrf(G, tol=limit**2, lower=0, overwrite_a=True)
        order = pivots.astype(np.intp) - 1
    return R, int(r), order


def _orthonormalize(Q: Array, R: Array) -> bool:
    """A1 = Q R for the A1 in the place of Q, by Cholesky twice; False: R is not good enough.

    R comes as the Cholesky factor of A1^H A1.
    """
    substitution.divide(Q, R)
    m, r = Q.shape
    # Sums of pieces take memory, where the result is there already.
    R2 = gram_matrix(Q) if m >= _LONG * r else herk(Q)
    if not departure(R2) <= _NEAR or gram.py_cholesky(R2) != 0:
        return False
    blas.py_trmm("L", "U", "N", "N", R2, R)
    # A condition of 1.3: its inverse is as good as substitution.
    blas.py_trtri("U", "N", R2)
    blas.py_trmm("R", "U", "N", "N", R2, Q)
    return True


def divide_by_trapezoid(X: Array, rz: RZ, R: Array, p: Array, *, is_clean: bool) -> None:
    """X := (A^+)^H for A P = Q R1 + (0 E) with ``X = (Q E)``, Q^H E = 0 and E next to nothing.

    With T = R1 V1 and F = E V1^H_2 T^-1, (T; E)^+ is T^-1 (I F^H) up to ||F||^2 (row_space.py):
    (Q + F) takes the place of Q.

    Parameters
    ----------
    X : ndarray, shape (m, n)
        Fortran-ordered.
    rz : RZ
        Of R1, the first r rows of R, made `below`.
    R : ndarray, shape (>= r, n)
        Lost.
    p : ndarray, shape (n,)
        ``(A P)[:, j] = A[:, p[j]]``.
    is_clean : bool
        Whether E is at rounding level, and not read.
    """
    r, n = rz.rank, len(p)
    Q, E, M = X[:, :r], X[:, r:], rz.flipped_inverse(R)
    for start in range(0, 0 if is_clean else n - r, _PANEL):
        part = E[:, start : start + _PANEL]
        # (V1_2 T^-1)^H = J U^-1 Z_2^H, from Z^H (0; I)
        C = zeros((n, part.shape[1]), X.dtype)
        C[r + start : r + start + part.shape[1]] = np.eye(part.shape[1])
        rz.apply(C, adjoint=True)
        C = np.asfortranarray(C[:r][::-1])
        blas.py_trmm("L", "U", "T", "N", M, C)
        blas.py_gemm("N", "C", part, C, Q, beta=1)
    E[...] = 0
    # J U^-1 J from the right; what comes is then in the order of the pivots, without the J.
    blas.py_trmm("R", "U", "T", "N", M, Q)
    rz.apply_right(X)
    move_columns(X, p)


def move_columns(X: Array, p: Array) -> None:
    """X[:, p] := X, in place, one column aside."""
    done = p == np.arange(len(p))
    for start in np.flatnonzero(~done):
        if done[start]:
            continue
        column, j = X[:, start].copy(), int(start)
        while not done[j]:
            done[j] = True
            j = int(p[j])
            column, X[:, j] = X[:, j].copy(), column
