"""Square systems by LU with partial pivoting, the rank proved by the inverses of its triangles.

    P (A + E) = L U,    ||E||_2 <= sqrt(n) u ||L||_F ||U||_F        (square root law, decide.py)
    sigma_min(A) >= 1 / (||L^-1||_F ||U^-1||_F) - ||E||

A C-ordered A is factored as the column-major A^T that it is. The inverses take the place of the
triangles, 2 n^3 / 3 flops on top of as many; refinement by r = b - A x makes up for what the growth
of pivots may have lost: an x of backward error ||r|| / ||x||, which no QR has smaller (Skeel 1980).
Where they do not prove the rank, the answer is None and A was only read.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), theorem 9.3 and chapter 12.
Rigal & Gaches, On the compatibility of a given solution with the data of a linear system, J. ACM
    14 (1967): the backward error.
Skeel, Iterative refinement implies numerical stability for Gaussian elimination, Math. Comp. 35
    (1980).
"""

from __future__ import annotations

import math

import numpy as np

from fastsub.factor.arrays import Array, empty, is_safe
from fastsub.factor.backward import column_norms
from fastsub.factor.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.factor.refine import ENOUGH, GAIN, STEPS, Answer, describe, equilibrate, ratios
from fastsub.kernels import lu, normal

# Of the power method.
_SEED, _STEPS = 20260412, 6


class LU:
    """P W = L U of W = A, or of A^T where A is C-ordered.

    Attributes
    ----------
    squares : ndarray, shape (n,)
        Squared norms of the columns of A; not finite, or all zero, if nothing else was done.
    norm : float
        ``||A||_F``.
    singular : bool
        Whether nothing can be solved: scale, or a pivot of zero.
    """

    def __init__(self, A: Array) -> None:
        n = A.shape[0]
        self._transposed = not A.flags.f_contiguous
        self.squares = _squares(A)
        self.norm = math.sqrt(float(self.squares.sum())) if np.isfinite(self.squares).all() else 0.0
        self.singular = True
        if is_safe(self.norm, A.dtype):
            self._W = np.array(A.T if self._transposed else A, order="F")
            p = np.empty(2 * n, np.intc)
            self.singular = lu.py_factor(self._W, p) != 0
            self._p = p[:n]
        self._inverted = False

    def solve(self, B: Array) -> Array:
        """Return A^-1 B; B (n, k)."""
        X = B.copy(order="F") if self._transposed else np.asfortranarray(B[self._p])
        lu.py_apply(self._W, X, self._transposed, self._inverted)
        if self._transposed:
            Y, X = X, np.empty_like(X)
            X[self._p] = Y
        return X

    def prove(self, cutoff: Cutoff) -> Decision | None:
        """Prove full rank by inverting the triangles, or return None."""
        W, (n, _), dtype = self._W, self._W.shape, self._W.dtype
        low = math.sqrt(max(float(self.squares.max()), self.norm**2 / n))
        tol_low, tol_high = cutoff.bracket(low * (1 - n * float(np.finfo(dtype).eps)), self.norm)
        # ||U^-1||_F >= 1 / min |u_ii|, and ||L^-1||_F >= sqrt(n): a look before n^3 / 3 flops.
        if not float(np.abs(np.diagonal(W)).min()) > math.sqrt(n) * tol_high:
            return None
        lower, upper = lu.py_norms(W)
        margins = [rounding_margin(norm, n, dtype) for norm in (lower, upper)]
        self._inverted = True
        if lu.py_invert(W, False) != 0:
            return None
        smallest_u = 1 / lu.py_norms(W)[1] - margins[1]
        if not smallest_u > math.sqrt(n) * tol_high:
            return None
        lu.py_invert(W, True)
        smallest_l = 1 / lu.py_norms(W)[0] - margins[0]
        if not smallest_l > 0:
            return None
        bound = smallest_l * smallest_u - rounding_margin(lower * upper, n, dtype)
        return Decision(n, tol_low, bound, 0.0, "bounds", 0.0) if bound > tol_high else None


def _squares(A: Array) -> Array:
    """Return the squared norms of the columns of A, (n, n) with contiguous rows or columns."""
    parts = (A.real, A.imag) if A.dtype.kind == "c" else (A,)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if A.flags.f_contiguous:
            return np.asarray(column_norms(A) ** 2)
        return np.asarray(sum(np.einsum("ij,ij->j", part, part, dtype=float) for part in parts))


def solve_square(A: Array, B: Array, cutoff: Cutoff, *, honest: bool) -> Answer | None:
    """Return the solution of A X = B, or None: not proved.

    Parameters
    ----------
    A : ndarray, shape (n, n)
        Such as `normal.py_reads` says.
    B : ndarray, shape (n, k)
        Fortran-ordered, finite.
    cutoff : Cutoff
    honest : bool
        Whether the certificate shall show the cutoff closely.
    """
    factor = LU(A)
    if factor.singular:
        return None
    X = factor.solve(B)
    decision = factor.prove(cutoff)
    if decision is None:
        return None
    D, norm = equilibrate(factor.squares, A.real.dtype)
    enough = ENOUGH * float(np.finfo(A.dtype).eps) * norm
    R = empty(B.shape, A.dtype)
    before = np.inf
    for steps in range(STEPS + 1):
        normal.py_residual(A, B, X, R)
        residuals = column_norms(R)
        widths = column_norms(X if D is None else np.asfortranarray(X / D))
        error = ratios(residuals, widths)
        if error <= enough:
            if honest:
                decision.tol = cutoff.bracket(_sigma_1_lower(A, factor.norm), factor.norm)[0]
            error = ratios(residuals, column_norms(X)) / factor.norm
            certificate = certify(decision, f"lu, {describe(steps)}", 0, error)
            return Answer(X, residuals**2, certificate)
        if not error <= GAIN * before:
            return None
        before = error
        X += factor.solve(R)
    return None


def _sigma_1_lower(A: Array, norm: float) -> float:
    """Bound the largest singular value from below by the power method, products with A alone."""
    n = A.shape[0]
    x, y, none = (empty((n, 1), A.dtype) for _ in range(3))
    x[:, 0], none[:] = np.random.default_rng(_SEED).standard_normal(n), 0
    best = norm / math.sqrt(n)
    for _ in range(_STEPS):
        x /= np.linalg.norm(x)
        normal.py_residual(A, none, x, y)
        best = max(best, float(np.linalg.norm(y)) - rounding_margin(norm, n, A.dtype))
        normal.py_adjoint(A, y, x)
    return best
