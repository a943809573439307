"""Tall least squares where the normal equations lose too much: first A1 := A R^-1, R from a sketch.

    S A P = Q R              tall/proposal.py: A1 = A P R^-1 is well-conditioned, whatever A is
    A1^H A1 = R1^H R1        its Gram matrix, panel by panel: A1 is never kept
    A^H A = P (R1 R)^H (R1 R) P^H

R1 R is the R of CholeskyQR2, as good as that of Householder up to a condition of about 1/u, and
refine.py goes on with it as with that of a Gram matrix of A: sketch to precondition, then correct,
with a residual against A itself each time, which is what makes it backward stable.

References
----------
Rokhlin & Tygert, A fast randomized algorithm for overdetermined linear least-squares regression,
    PNAS 105 (2008).
Fukaya, Kannan, Nakatsukasa, Yamamoto & Yanagisawa, Shifted Cholesky QR for computing the QR
    factorization of ill-conditioned matrices, SIAM J. Sci. Comput. 42 (2020).
Epperly, Meier & Nakatsukasa, Fast randomized least-squares solvers can be just as accurate and
    stable as classical direct solvers, Comm. Pure Appl. Math. 79 (2026).
"""

from __future__ import annotations

import math

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.backward import weigh
from fastsub.factor.least_squares.refine import Answer, describe, equilibrate, refine
from fastsub.factor.memory import empty, zeros
from fastsub.factor.products import column_norms, product
from fastsub.factor.rank.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.factor.tall.orthonormal import Whitened
from fastsub.factor.tall.passes import precondition
from fastsub.factor.tall.proposal import Revealed, Sketch, lower_by_sketch, reveal
from fastsub.kernels import blas, normal


class PreconditionedFactor:
    """R1 R of the module's docstring, as refine.py wants it; the rank is proved."""

    def __init__(self, sketched: Sketch, revealed: Revealed, R1: Array, squares: Array) -> None:
        self._p, self._X, self._R1, self._R = revealed.p, revealed.X, R1, revealed.R
        self.squares = squares
        self.scale, self.norm = equilibrate(squares, R1.real.dtype)

    def half(self, G: Array) -> Array:
        """Return R1^-H X^H P^H D^-1 G."""
        Z = np.asfortranarray((G if self.scale is None else G / self.scale)[self._p])
        blas.py_trmm("L", "U", "C", "N", self._X, Z)
        normal.py_half(self._R1, Z)
        return Z

    def rest(self, Z: Array) -> Array:
        """Return D^-1 P X R1^-1 Z."""
        normal.py_half(self._R1, Z, adjoint=False)
        blas.py_trmm("L", "U", "N", "N", self._X, Z)
        X = np.empty_like(Z)
        X[self._p] = Z
        return X if self.scale is None else np.asfortranarray(X / self.scale)

    def weigh(self, theta: float, G: Array, *, plain: bool = False) -> Array | None:
        """Return K^-H G by the QR of (R1 R P^H D; theta I), or in plain coordinates without D."""
        M = product(self._R1, np.triu(self._R))
        if self.scale is None:
            G = G[self._p]
        elif plain:
            G = (G / self.scale)[self._p]
        else:
            G, M = G[self._p], M * self.scale[self._p].T
        return weigh(M, theta, np.asfortranarray(G))


def solve_preconditioned(A: Array, B: Array, cutoff: Cutoff, *, honest: bool) -> Answer | None:
    """Return the least-squares solution of A X = B, A tall, or None: not proved, or not full rank.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        Such as `normal.py_reads` says.
    B : ndarray, shape (m, k)
        Fortran-ordered, finite.
    cutoff : Cutoff
    honest : bool
        Whether the backward error itself is wanted, not a bound that suffices.
    """
    n = A.shape[1]
    sketched = Sketch.of(A, None)
    if sketched is None or sketched.norm == 0:
        return None
    assert sketched.Y is not None
    # A sketch keeps the norms of columns to a factor that does not matter here.
    squares = column_norms(sketched.Y) ** 2
    squares *= sketched.norm**2 / squares.sum()
    revealed = reveal(sketched, cutoff, pivot=False)
    if revealed is None or revealed.rank < n:
        return None
    _, R1 = precondition(A, revealed.p, revealed.X, keep=False)
    whitened = Whitened.of(R1, A, sketched.norm, revealed)  # R1 is its Cholesky factor now
    if whitened is None:
        return None
    lower = max(lower_by_sketch(sketched, revealed), whitened.lower)
    tol_low, tol_high = cutoff.bracket(_sigma_1_lower(A, sketched, revealed), sketched.norm)
    if not lower > tol_high:
        return None
    factor = PreconditionedFactor(sketched, revealed, R1, squares)
    solution = refine(A, B, factor, honest=honest)
    if solution is None:
        return None
    decision = Decision(n, tol_low, lower, 0.0, "bounds", 0.0)
    method = f"preconditioned, {describe(solution.steps)}"
    return Answer(
        solution.X, solution.residuals**2, certify(decision, method, 0, solution.backward_error)
    )


def _sigma_1_lower(A: Array, sketched: Sketch, revealed: Revealed) -> float:
    """Bound sigma_1(A) from below by ||A x|| / ||x||, x that of its sketch."""
    m, n = A.shape
    x, image = revealed.top_right(), empty((m, 1), A.dtype)
    normal.py_residual(A, zeros((m, 1), A.dtype), x, image)
    reached = float(column_norms(image)[0]) - rounding_margin(sketched.norm, m, A.dtype)
    return max(sketched.norm / math.sqrt(n), reached / float(np.linalg.norm(x)))
