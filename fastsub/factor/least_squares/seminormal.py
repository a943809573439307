"""A tall matrix of full rank, factored once to be solved with often: refined normal equations.

    A^H A = R^H R           half the flops of QR (normal.py)
    A x = b                 refine.py: the accuracy of QR, column by column, or it says so
    A^H x = b               x = A (A^H A)^-1 b, refined: the solution of minimum norm

A is kept, where QR keeps its reflectors. A right-hand side whose answer is not proved to be as good
as that of QR makes a complete orthogonal decomposition, once.

References
----------
Bjorck, Stability analysis of the method of seminormal equations for linear least squares problems,
    Linear Algebra Appl. 88/89 (1987).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from fastsub.factor.arrays import Array, unscale, working_copy
from fastsub.factor.least_squares.normal import CholeskyFactor, least_norm, solve_gram
from fastsub.factor.least_squares.refine import refine
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, certify
from fastsub.factor.rank.inverse import sigma_1_lower
from fastsub.kernels import normal, triangular

# Steps of the power method where the condition is estimated.
_STEPS = 10


class Seminormal:
    """A and its Cholesky factor; made by `prove`.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate
    """

    def __init__(
        self, W: Array, factor: CholeskyFactor, exponent: int, cutoff: Cutoff, proof: Certificate
    ) -> None:
        self._W, self._factor, self._exponent, self._cutoff = W, factor, exponent, cutoff
        self.certificate = proof
        self.shape: tuple[int, int] = W.shape
        self.dtype, self.rank = W.dtype, W.shape[1]

    @classmethod
    def prove(cls, A: Array, cutoff: Cutoff, *, check_finite: bool = True) -> Seminormal | None:
        """Factor A (m, n), m >= n > 0, and prove full rank, or return None; m n^2 flops."""
        working = working_copy(A, "A", check_finite=check_finite)
        cutoff = cutoff.scaled(working.exponent)
        factor = CholeskyFactor(working.W, cutoff)
        if factor.decision is None:
            return None
        proof = certify(factor.decision, "normal equations", working.exponent)
        return cls(working.W, factor, working.exponent, cutoff, proof)

    @cached_property
    def _cod(self) -> COD:
        return COD(self._W, self._cutoff.relative, check_finite=False)

    def solve(self, b: Array) -> Array:
        """Return the least-squares solution of A x = b, shape (n,) or (n, k)."""
        B = self._columns(b)
        found = refine(self._W, B, self._factor, honest=False) if B.size else None
        return self._returned(self._cod.solve(B) if found is None else found.X, b)

    def solve_adjoint(self, b: Array) -> Array:
        """Return the solution of A^H x = b of least norm, shape (m,) or (m, k)."""
        B = self._columns(b)

        def residual(X: Array) -> Array:
            R = empty(B.shape, B.dtype)
            normal.py_adjoint(self._W, X, R)
            np.subtract(B, R, out=R)
            return R

        def lift(C: Array) -> Array:
            return product(self._W, solve_gram(self._factor, C))

        found = least_norm(B, self._factor, residual, lift) if B.size else None
        return self._returned(self._cod.solve_adjoint(B) if found is None else found[0], b)

    def _columns(self, b: Array) -> Array:
        return np.array(b[:, None] if b.ndim == 1 else b, dtype=self.dtype, order="F")

    def _returned(self, X: Array, b: Array) -> Array:
        # The factors are those of 2^exponent A.
        unscale(X, -self._exponent)
        return X[:, 0] if b.ndim == 1 else X

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_n``, from below, within a small factor."""
        n, R, D = self.rank, self._factor.R, self._factor.scale
        T = R if D is None else np.asfortranarray(R / D.T)
        X = np.empty((n, n), self.dtype, order="F")
        triangular.py_inverse(T, X)
        work = np.empty(2 * n, self.dtype)
        return sigma_1_lower(T, n) * float(triangular.py_sigma_max_lower(X, n, work, _STEPS))
