"""LU with partial pivoting of a square matrix, and a proof that it has full rank.

    P A = L U,    sigma_n(A) >= sigma_n(L) sigma_n(U) - mu

What is factored is A + E, |E| <= gamma_n |L| |U| (Higham 2002, theorem 9.3), its constant by the
square root law as in decide.py: mu = sqrt(n) u ||L||_F ||U||_F. For both triangles 1 / ||T^-1||_F
less a margin bounds sigma_n(T), as there. L is well-conditioned as a rule, so that little is lost
by taking the two apart; nothing relies on it.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 9.3 and 14.2.
Horn & Johnson, Topics in Matrix Analysis (1991), theorem 3.3.16: sigma_n of a product.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lapack

from fastsub.factor.arrays import Array, product, unscale, working_copy
from fastsub.factor.certificate import Certificate
from fastsub.factor.decide import Cutoff, Decision, Scale, certify, rounding_margin, tail_norms
from fastsub.factor.inverse import Inverse
from fastsub.kernels import blas

_GETRS = {c: getattr(lapack, f"{name}getrs") for c, name in zip("fdFD", "sdcz", strict=True)}
# Steps of the power method: the cutoff wants sigma_1 to a factor of two, the condition no better.
_STEPS = 10


class LU:
    """P A = L U of a matrix of full rank, proved; made by `prove`.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate
    """

    def __init__(self, factors: Array, pivots: Array, exponent: int, certificate: Certificate):
        self._factors, self._pivots, self._exponent = factors, pivots, exponent
        self.certificate = certificate
        self.shape: tuple[int, int] = (factors.shape[0], factors.shape[0])
        self.dtype = factors.dtype
        self.rank = factors.shape[0]

    @classmethod
    def prove(cls, A: Array, cutoff: Cutoff, *, check_finite: bool = True) -> LU | None:
        """Factor A (n, n), n > 0, and prove full rank, or return None; 4 n^3 / 3 flops."""
        n = A.shape[0]
        working = working_copy(A, "A", check_finite=check_finite)
        W, cutoff = working.W, cutoff.scaled(working.exponent)
        scale = Scale.of(W)
        if not 0 < scale.norm < math.inf:
            return None
        low = max(scale.sigma_1, _power(W))
        pivots = np.empty(n, np.intc)
        info = blas.py_getrf(W, pivots)
        tol_low, tol_high = cutoff.bracket(low, scale.norm)
        # sigma_min(U) <= min |u_ii|, and sigma_max(L) is below n.
        if info or float(np.abs(np.diagonal(W)).min()) * n <= tol_low:
            return None
        L = np.asfortranarray(np.tril(W, -1).T)
        np.fill_diagonal(L, 1)
        lower = _sigma_min(L) * _sigma_min(W)
        lower -= rounding_margin(_norm(L) * _norm(W), n, W.dtype)
        if not lower > tol_high:
            return None
        decision = Decision(n, tol_low, lower, 0.0, "bounds", 0.0)
        return cls(W, pivots, working.exponent, certify(decision, "lu", working.exponent))

    def solve(self, b: Array) -> Array:
        """Return A^-1 b, shape (n,) or (n, k); 2 n^2 flops a column."""
        return self._solve(b, 0)

    def solve_adjoint(self, b: Array) -> Array:
        """Return A^-H b, shape (n,) or (n, k)."""
        return self._solve(b, 2)

    def _solve(self, b: Array, trans: int) -> Array:
        B = np.array(b[:, None] if b.ndim == 1 else b, dtype=self.dtype, order="F")
        if B.size:
            getrs = _GETRS[self.dtype.char]
            B = getrs(self._factors, self._pivots - 1, B, trans=trans, overwrite_b=True)[0]
            unscale(B, -self._exponent)
        return B[:, 0] if b.ndim == 1 else B

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_n``, from below, within a small factor."""
        n = self.shape[0]
        x = np.ones((n, 1), self.dtype, order="F")
        L, U = np.tril(self._factors, -1), np.triu(self._factors)
        np.fill_diagonal(L, 1)
        getrs, pivots = _GETRS[self.dtype.char], self._pivots - 1
        largest = inverse = 0.0
        # P does not change singular values: those of L U are A's.
        for _ in range(_STEPS):
            y = product(L, product(U, x))
            largest = float(np.linalg.norm(y)) / float(np.linalg.norm(x))
            x = product(U, product(L, y / np.linalg.norm(y), adjoint=True), adjoint=True)
        x = np.ones((n, 1), self.dtype, order="F")
        for _ in range(_STEPS):
            x /= float(np.linalg.norm(x))
            x = getrs(self._factors, pivots, x)[0]
            inverse = float(np.linalg.norm(x))
            x = getrs(self._factors, pivots, x / inverse, trans=2)[0]
        return largest * inverse


def _power(A: Array) -> float:
    """Bound the largest singular value from below, by the power method on A^H A."""
    x = np.ones((A.shape[1], 1), A.dtype, order="F")
    x /= float(np.linalg.norm(x))
    size = 0.0
    for _ in range(_STEPS // 2):
        y = product(A, x)
        size = float(np.linalg.norm(y)) / float(np.linalg.norm(x))
        x = product(A, y, adjoint=True)
        length = float(np.linalg.norm(x))
        if not 0 < length < math.inf:
            break
        x /= length
    # The quotient itself is rounded.
    return size * (1 - 4 * math.sqrt(A.shape[1]) * float(np.finfo(A.dtype).eps))


def _sigma_min(T: Array) -> float:
    """Bound the least singular value of an upper triangle from below."""
    n = T.shape[0]
    with Inverse(T, n) as X:
        if not 0 < X.frobenius < math.inf:
            return 0.0
        lower = 1 / X.schatten()
    return max(0.0, lower - rounding_margin(_norm(T), n, T.dtype))


def _norm(T: Array) -> float:
    """Return the Frobenius norm of an upper triangle."""
    return float(tail_norms(T, T.shape[0], 0.0)[0])
