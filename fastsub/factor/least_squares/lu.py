"""LU with partial pivoting of a square matrix, and a proof that it has full rank.

    P W = L U,    W = A, or A^T where A is C-ordered
    sigma_n(A) >= sigma_n(L) sigma_n(U) - mu

What is factored is A + E, |E| <= gamma_n |L| |U| (Higham 2002, theorem 9.3), its constant by the
square root law as in rank/decide.py: mu = sqrt(n) u ||L||_F ||U||_F. For both triangles
1 / ||T^-1||_F less a margin bounds sigma_n(T), as there. L is well-conditioned as a rule, so that
little is lost by taking the two apart; nothing relies on it.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 9.3 and 14.2.
Horn & Johnson, Topics in Matrix Analysis (1991), theorem 3.3.16: sigma_n of a product.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastsub.factor.arrays import Array, is_safe, unscale, working_copy
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms, product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.kernels import lu, normal

# Of the power method: the cutoff wants sigma_1 to a factor of two, the condition no better.
_SEED, _STEPS = 20260412, 6


class LU:
    """P W = L U of W = A, or of A^T where A is C-ordered; A is only read.

    Parameters
    ----------
    A : ndarray, shape (n, n)
        Such as `normal.py_reads` says.
    order : ndarray of intp, shape (n,), optional
        Columns of W in this order.

    Attributes
    ----------
    W : ndarray, shape (n, n)
        L below the diagonal, U above; nothing if A is not `safe`.
    p : ndarray of intc, shape (n,)
    transposed : bool
    squares : ndarray, shape (n,)
        Squared norms of the columns of A.
    norm : float
        ``||A||_F``.
    safe : bool
        Whether A is finite, not zero, and of a scale whose squares are not lost.
    singular : bool
        Whether nothing can be solved: not safe, or a pivot of zero.
    """

    def __init__(self, A: Array, order: Array | None = None) -> None:
        n = A.shape[0]
        self.transposed = not A.flags.f_contiguous
        self.squares = _squares(A)
        self.norm = math.sqrt(float(self.squares.sum())) if np.isfinite(self.squares).all() else 0.0
        self.safe, self.singular = is_safe(self.norm, A.dtype), True
        if self.safe:
            source = A.T if self.transposed else A
            self.W = np.array(source if order is None else source[:, order], order="F")
            p = np.empty(2 * n, np.intc)
            self.singular = lu.py_factor(self.W, p) != 0
            self.p = p[:n]
        self._inverted = False

    def release(self) -> None:
        """Let the factors go."""
        self.W = np.empty((0, 0), self.W.dtype, order="F")

    def solve(self, B: Array) -> Array:
        """Return A^-1 B; B (n, k)."""
        return self._apply(B, self.transposed)

    def solve_adjoint(self, B: Array) -> Array:
        """Return A^-H B; B (n, k)."""
        return self._apply(B.conj(), not self.transposed).conj()

    def _apply(self, B: Array, transposed: bool) -> Array:
        """Return W^-1 B, or W^-T B."""
        X = np.array(B if transposed else B[self.p], order="F")
        lu.py_apply(self.W, X, transposed, self._inverted)
        if transposed:
            Y, X = X, np.empty_like(X)
            X[self.p] = Y
        return X

    def bracket(self, cutoff: Cutoff) -> tuple[float, float]:
        """Return the cutoff at the least and at the most, by the norms of columns."""
        n = len(self.squares)
        low = math.sqrt(max(float(self.squares.max()), self.norm**2 / n))
        return cutoff.bracket(low * (1 - n * float(np.finfo(self.W.dtype).eps)), self.norm)

    def is_deficient(self, cutoff: Cutoff) -> bool:
        """Whether a pivot is so small that `prove` cannot but fail: a look before n^3 / 3 flops.

        ||U^-1||_F >= 1 / min |u_ii|, and ||L^-1||_F >= sqrt(n).
        """
        limit = math.sqrt(len(self.p)) * self.bracket(cutoff)[1]
        return not float(np.abs(np.diagonal(self.W)).min()) > limit

    def prove(self, cutoff: Cutoff, *, keep: bool = False) -> Decision | None:
        """Prove full rank by inverting the triangles, in their place unless they are kept; or None.

        2 n^3 / 3 flops.
        """
        W, (n, _), dtype = self.W, self.W.shape, self.W.dtype
        if self.is_deficient(cutoff):
            return None
        tol_low, tol_high = self.bracket(cutoff)
        lower, upper = lu.py_norms(W)
        if keep:
            W = W.copy(order="F")
        self._inverted = not keep
        smallest_u = sigma_min(W, upper, lower=False)
        if not smallest_u > math.sqrt(n) * tol_high:
            return None
        smallest_l = sigma_min(W, lower, lower=True)
        if not smallest_l > 0:
            return None
        bound = smallest_l * smallest_u - rounding_margin(lower * upper, n, dtype)
        return Decision(n, tol_low, bound, 0.0, "bounds", 0.0) if bound > tol_high else None


def sigma_min(W: Array, norm: float, *, lower: bool) -> float:
    """Bound that of a triangle in W, whose Frobenius norm is given, from below; W gets its inverse.

    The margin is for the rounding of the inverse (Higham 2002, section 14.2).
    """
    if lu.py_invert(W, lower) != 0:
        return 0.0
    return 1 / lu.py_norms(W)[0 if lower else 1] - rounding_margin(norm, len(W), W.dtype)


def _squares(A: Array) -> Array:
    """Return the squared norms of the columns of A, (n, n) with contiguous rows or columns."""
    parts = (A.real, A.imag) if A.dtype.kind == "c" else (A,)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if A.flags.f_contiguous:
            return np.asarray(column_norms(A) ** 2)
        return np.asarray(sum(np.einsum("ij,ij->j", part, part, dtype=float) for part in parts))


def sigma_1_lower(A: Array, norm: float) -> float:
    """Bound the largest singular value from below by the power method, products with A alone.

    Parameters
    ----------
    A : ndarray, shape (n, n)
        Such as `normal.py_reads` says.
    norm : float
        ``||A||_F``.
    """
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


class Nonsingular:
    """A square matrix, factored once to be solved with often; made by `prove`.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate
    """

    def __init__(self, factor: LU, exponent: int, certificate: Certificate) -> None:
        self._lu, self._exponent, self.certificate = factor, exponent, certificate
        self.shape: tuple[int, int] = (len(factor.p), len(factor.p))
        self.dtype = factor.W.dtype
        self.rank = len(factor.p)

    @classmethod
    def prove(cls, A: Array, cutoff: Cutoff, *, check_finite: bool = True) -> Nonsingular | None:
        """Factor A (n, n), n > 0, and prove full rank, or return None; 4 n^3 / 3 flops."""
        working = working_copy(A, "A", check_finite=check_finite)
        factor = LU(working.W)
        if factor.singular:
            return None
        cutoff = cutoff.scaled(working.exponent)
        decision = factor.prove(cutoff, keep=True)
        if decision is None:
            return None
        largest = sigma_1_lower(working.W, factor.norm)
        decision.tol = max(decision.tol, cutoff.bracket(largest, factor.norm)[0])
        return cls(factor, working.exponent, certify(decision, "lu", working.exponent))

    def solve(self, b: Array) -> Array:
        """Return A^-1 b, shape (n,) or (n, k); 2 n^2 flops a column."""
        return self._solve(b, self._lu.solve)

    def solve_adjoint(self, b: Array) -> Array:
        """Return A^-H b, shape (n,) or (n, k)."""
        return self._solve(b, self._lu.solve_adjoint)

    def _solve(self, b: Array, solve: Callable[[Array], Array]) -> Array:
        B = np.array(b[:, None] if b.ndim == 1 else b, dtype=self.dtype, order="F")
        if B.size:
            B = solve(B)
            unscale(B, -self._exponent)
        return B[:, 0] if b.ndim == 1 else B

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_n``, from below, within a small factor."""
        W, n = self._lu.W, self.rank
        x = np.ones((n, 1), self.dtype, order="F")
        L, U = np.tril(W, -1), np.triu(W)
        np.fill_diagonal(L, 1)
        largest = inverse = 0.0
        # P does not change singular values, nor does a transpose: those of L U are A's.
        for _ in range(2 * _STEPS):
            y = product(L, product(U, x))
            largest = float(np.linalg.norm(y)) / float(np.linalg.norm(x))
            x = product(U, product(L, y / np.linalg.norm(y), adjoint=True), adjoint=True)
        x = np.ones((n, 1), self.dtype, order="F")
        for _ in range(2 * _STEPS):
            x /= float(np.linalg.norm(x))
            x = self._lu.solve(x)
            inverse = float(np.linalg.norm(x))
            x = self._lu.solve_adjoint(x / inverse)
        return largest * inverse
