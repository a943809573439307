"""Least squares by the normal equations: half the flops of QR, and all of its accuracy if refined.

    G = A^H A = R^H R          Gram matrix and Cholesky
    R^H R x = A^H b            refine.py turns it into a solution as good as that of QR

R proves the rank (rank/fullrank.py), which must be that of the columns, and refine.py the accuracy.
Where either is not proved, the answer is None and A was only read.

For a wide A the same of its conjugate transpose: x = A^H y with (A A^H) y = b is the solution of
minimum norm. x is refined by r = b - A x, x += A^H dy. Let x = A^H y + e as computed, y the sum of
all: x is the solution of minimum norm of A + E exactly, with ||E||^2 <= (||r|| / ||x||)^2 +
(||e|| / ||y||)^2 (Kielbasinski & Schwetlick; Higham 2002, lemma 21.2), and e, the rounding of the
products and sums, is at most about sqrt(m) u ||A||_F ||y|| by the square root law.

References
----------
Bjorck, Numerical Methods for Least Squares Problems (1996), sections 2.2 and 2.9.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 20.4 and 21.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe
from fastsub.factor.gram import gram_matrix
from fastsub.factor.least_squares.refine import (
    ENOUGH,
    GAIN,
    STEPS,
    Answer,
    describe,
    equilibrate,
    ratios,
    refine,
)
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms
from fastsub.factor.rank.decide import Cutoff, Decision, certify
from fastsub.factor.rank.fullrank import prove_by_cholesky, quality
from fastsub.kernels import gram, normal

# Right-hand sides that go with the Gram matrix; more are a product of their own.
_FEW = 4


class CholeskyFactor:
    """R with R^H R = (A D)^H A D from the Gram matrix of A; the rank is proved.

    D has powers of two for a diagonal, which bring the columns to one length where they differ: not
    that it would change a bit of R, but errors are then judged column by column, as Householder QR
    makes them.

    Attributes
    ----------
    norm : float
        ``||A D||_F``.
    squares : ndarray, shape (n,)
        Squared norms of the columns of A.
    scale : ndarray, shape (n, 1), or None
        The diagonal of D, if it is not the identity.
    R : ndarray, shape (n, n)
        Upper triangular.
    gradient : ndarray, shape (n, k), or None
        A^H B, if B came along: a few columns, in the same pass over A.
    decision : Decision or None
        None if the columns are not proved to be independent.
    """

    def __init__(self, A: Array, cutoff: Cutoff, B: Array | None = None) -> None:
        m, n = A.shape
        self.decision: Decision | None = None
        self._rows = m
        self.scale: Array | None = None
        both = gram_matrix(A, B if B is not None and B.shape[1] <= _FEW else None)
        self._G = np.asfortranarray(both[:n, :n])
        self.gradient = np.asfortranarray(both[:n, n:]) if both.shape[1] > n else None
        self.squares = squares = np.diagonal(self._G).real.astype(np.float64)
        total = float(squares.sum())
        self.norm = math.sqrt(total) if total >= 0 else math.nan
        # NaN and infinity show in the diagonal; so does a column whose squares are lost.
        if not is_safe(self.norm, A.dtype) or not squares.min() > _least(A.dtype):
            return
        self.scale, self.norm = equilibrate(squares, self._G.real.dtype)
        if self.scale is not None:
            self._G *= self.scale
            self._G *= self.scale.T
        self.R = self._G.copy(order="F")
        if gram.py_cholesky(self.R) == 0:
            self.decision = prove_by_cholesky(self.triangle, squares, m, cutoff)

    @property
    def triangle(self) -> Array:
        """R D^-1, the Cholesky factor of A^H A."""
        return self.R if self.scale is None else np.asfortranarray(self.R / self.scale.T)

    @cached_property
    def quality(self) -> tuple[float, float]:
        """Bounds of ``||R^-H E R^-1||``, E the rounding of R^H R, and ``||diag(c) R^-1||_F``."""
        squares = np.diagonal(self._G).real.astype(np.float64)
        return quality(self.R, squares, self._rows)

    def half(self, G: Array) -> Array:
        """Return R^-H G, in its place."""
        normal.py_half(self.R, G)
        return G

    def rest(self, Z: Array) -> Array:
        """Return R^-1 Z, in its place."""
        normal.py_half(self.R, Z, adjoint=False)
        return Z

    def weigh(self, theta: float, G: Array, *, plain: bool = False) -> Array | None:
        """Return K^-H G, K the Cholesky factor of D A^H A D + theta^2 I; plain: + theta^2 D^2."""
        K = self._G.copy(order="F")
        weights = self.scale[:, 0] if plain and self.scale is not None else 1.0
        np.fill_diagonal(K, np.diagonal(K) + (theta * weights) ** 2)
        if gram.py_cholesky(K) != 0:
            return None
        normal.py_half(K, G)
        return G


def _least(dtype: np.dtype[Any]) -> float:
    """Return the least square whose rounding is still relative."""
    info = np.finfo(dtype)
    return float(info.tiny) / float(info.eps) ** 2


def solve_tall(A: Array, B: Array, cutoff: Cutoff, *, honest: bool) -> Answer | None:
    """Return the least-squares solution of A X = B, or None: not proved.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        m >= n, such as `normal.py_reads` says.
    B : ndarray, shape (m, k)
        Fortran-ordered, finite.
    cutoff : Cutoff
    honest : bool
        Whether the backward error itself is wanted, not a bound that suffices.
    """
    factor = CholeskyFactor(A, cutoff, B)
    if factor.decision is None:
        return None
    solution = refine(A, B, factor, honest=honest, gradient=factor.gradient)
    if solution is None:
        return None
    return Answer(
        solution.X,
        solution.residuals**2,
        certify(
            factor.decision,
            f"normal equations, {describe(solution.steps)}",
            0,
            solution.backward_error,
        ),
    )


def solve_wide(A: Array, B: Array, cutoff: Cutoff) -> Answer | None:
    """Return the solution of A X = B of minimum norm, A (m, n) with m <= n, or None: not proved."""
    # A^T and its Gram matrix are the conjugates of A^H and its own.
    factor = CholeskyFactor(A.T, cutoff)
    if factor.decision is None:
        return None
    R = empty(B.shape, A.dtype)

    def residual(X: Array) -> Array:
        normal.py_residual(A, B, X, R)
        return R

    def lift(C: Array) -> Array:
        X = empty((A.shape[1], C.shape[1]), A.dtype)
        normal.py_adjoint(A, np.conj(solve_gram(factor, C.conj()), order="F"), X)
        return X

    found = least_norm(B, factor, residual, lift)
    if found is None:
        return None
    X, steps = found
    residuals = column_norms(R)
    error = ratios(residuals, column_norms(X)) / math.sqrt(factor.squares.sum())
    method = f"normal equations, {describe(steps)}"
    return Answer(X, residuals**2, certify(factor.decision, method, 0, error))


def least_norm(
    B: Array,
    factor: CholeskyFactor,
    residual: Callable[[Array], Array],
    lift: Callable[[Array], Array],
) -> tuple[Array, int] | None:
    """Return the solution of A X = B of least norm and the steps it took, or None: no gain.

    Parameters
    ----------
    B : ndarray, shape (m, k)
    factor : CholeskyFactor
        Of A^H, or of its conjugate.
    residual, lift : callable
        X to B - A X; C to A^H (A A^H)^-1 C.
    """
    D = 1.0 if factor.scale is None else factor.scale
    enough = ENOUGH * float(np.finfo(B.dtype).eps) * factor.norm
    X, before = lift(B), math.inf
    for steps in range(STEPS + 1):
        R = residual(X)
        # By rows, as LQ would make it.
        error = ratios(column_norms(np.asfortranarray(D * R)), column_norms(X))
        if error <= enough:
            return X, steps
        if not error <= GAIN * before:
            return None
        before = error
        # Not a new A^H y, whose rounding A would amplify as much as that of the first.
        X += lift(R)
    return None


def solve_gram(factor: CholeskyFactor, B: Array) -> Array:
    """Return (A^H A)^-1 B from the factor of A."""
    D = 1.0 if factor.scale is None else factor.scale
    return np.asfortranarray(D * factor.rest(factor.half(np.array(D * B, order="F"))))
