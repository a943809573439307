"""The triangle of a least-squares problem, with rows added and taken away: O(k n^2) for k of them.

    (R g) = Q^H (A b),    rss = what of b is left;    Q is never kept

* Rows are added by the QR factorisation of the triangle on top of them: backward stable.
* A row z is taken away by plane rotations (kernels/downdate.pyx). That is backward stable in
  (A, b), but what remains is known to about eps / alpha^2 only, alpha^2 = 1 - ||R^-H z^H||^2, that
  is one minus its leverage: `loss` grows by that factor, and likewise where the row explains nearly
  all of the residual. Nothing is changed if it would exceed `limit`.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 6.5.
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): QR of a triangle on top of a block.
Stewart, The effects of rounding error on an algorithm for downdating a Cholesky factorization,
    J. Inst. Maths Applics 23 (1979).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lapack

from fastsub.factor.arrays import Array, upper
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.kernels import blas, downdate

_TPQRT, _TPMQRT = (
    {char: getattr(lapack, f"{name}{call}") for char, name in zip("fdFD", "sdcz", strict=True)}
    for call in ("tpqrt", "tpmqrt")
)
_BLOCK = 32


class UpdatableTriangle:
    """(R g) and the residual sums of squares of a least-squares problem.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        Fortran-ordered; overwritten.
    B : ndarray, shape (m, k)
        Fortran-ordered; overwritten.

    Attributes
    ----------
    rss : ndarray, shape (k,)
        In double.
    loss : float
        The digits of the factor that are lost: relative errors are about `loss` times eps.
    limit : float
        The most that `remove` may lose, ``eps**-0.25``.
    """

    def __init__(self, A: Array, B: Array) -> None:
        (m, n), k = A.shape, B.shape[1]
        height = min(m, n)
        # Column i is row i of (R g): what rotations touch lies side by side.
        self._M = np.zeros((n + k, n), A.dtype, order="F")
        Q = Reflectors.of_qr(A, choose(m, n, A.dtype, want="qr").block)
        if B.size and A.size:
            Q.apply(B, adjoint=True)
        if A.size:
            self._M[:n, :height] = upper(A, height).T
        self._M[n:, :height] = B[:height].T
        self.rss = _sumsq(B[height:])
        self.loss = 1.0
        self.limit = float(np.finfo(A.dtype).eps) ** -0.25

    @property
    def R(self) -> Array:
        """Upper triangular, shape (n, n), a copy."""
        n = self._M.shape[1]
        return np.asfortranarray(self._M[:n].T)

    @property
    def g(self) -> Array:
        """Q^H b, shape (n, k), a copy."""
        return np.asfortranarray(self._M[self._M.shape[1] :].T)

    def add(self, A: Array, B: Array) -> None:
        """Add rows A (p, n) and B (p, k)."""
        n = self._M.shape[1]
        if not A.size:
            self.rss += _sumsq(B)
            return
        char = A.dtype.char
        R, g = self.R, self.g
        R, V, T, info = _TPQRT[char](0, min(_BLOCK, n), R, np.asfortranarray(A), overwrite_a=True)
        if B.shape[1]:
            trans = "T" if char in "fd" else "C"
            g, B, info = _TPMQRT[char](
                0, V, T, g, np.asfortranarray(B), trans=trans, overwrite_a=True
            )
        assert info == 0
        self._M[:n], self._M[n:] = R.T, g.T
        self.rss += _sumsq(B)
        # Errors of independent steps add up like lengths at right angles (Higham & Mary 2019).
        self.loss = math.hypot(self.loss, 1.0)

    def remove(self, z: Array, b: Array) -> bool:
        """Take one row, z (n,) and b (k,), away; return False, and do nothing, if that is unsafe.

        3 n^2 / 2 multiplications.
        """
        width, n = self._M.shape
        if n == 0:
            return False
        L = np.asfortranarray(self._M[:n])
        diagonal = np.abs(np.diagonal(L))
        if not diagonal.all():
            return False
        # R^H q = z^H, and M holds R^T.
        q = z.copy()
        blas.py_trsv("L", "N", "N", L, q)
        np.conj(q, out=q)
        length = float(np.linalg.norm(q.astype(np.promote_types(q.dtype, float))))
        square = 1 - length * length
        if not square > 0:
            return False
        alpha = math.sqrt(square)
        zeta = (b - self._M[n:] @ q.conj()) / alpha
        rss = self.rss - np.abs(zeta.astype(np.promote_types(zeta.dtype, float))) ** 2
        # A residual at rounding level has no digits to lose.
        floor = (10 * float(np.finfo(z.dtype).eps)) ** 2 * (self.rss + _sumsq(self._M[n:].T))
        before, after = np.maximum(self.rss, floor), np.maximum(rss, floor)
        kept = after[before > 0] / before[before > 0]
        least = min(square, float(kept.min(initial=1.0)))
        loss = math.hypot(self.loss, 1.0) / least if least > 0 else math.inf
        if not loss <= self.limit:
            return False
        x = np.zeros(width, z.dtype)
        x[n:] = zeta
        downdate.py_downdate(self._M, q, alpha, x)
        self.rss, self.loss = np.maximum(rss, 0.0), loss
        return True


def _sumsq(B: Array) -> Array:
    """Return the squared length of every column, in double."""
    return np.asarray(np.sum(np.abs(B.astype(np.promote_types(B.dtype, float))) ** 2, axis=0))
