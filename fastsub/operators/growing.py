"""Householder QR of columns that come in blocks: Q is orthogonal to rounding whatever comes.

    (Y_1 Y_2 ...) = Q R

A block is multiplied by the reflectors before it; those that it makes act on the rows from its
first column on. Unlike Gram-Schmidt it loses nothing where a block depends on those before it, and
nothing must be orthogonalised twice (Higham 2002, theorem 19.4).
"""

from __future__ import annotations

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reflectors import Reflectors

_BLOCK = 32


class GrowingQR:
    """QR factorisation of the columns so far.

    Attributes
    ----------
    R : ndarray, shape (k, k)
        Upper triangular.
    k : int
        Columns so far, at most m.
    """

    def __init__(self, m: int, dtype: np.dtype[np.generic]) -> None:
        self.m, self.k = m, 0
        self.R: Array = np.zeros((0, 0), dtype, order="F")
        self._factors: list[tuple[int, Reflectors]] = []

    def append(self, Y: Array) -> None:
        """Add the columns of Y (m, b), which is destroyed; k + b <= m."""
        k, b = self.k, Y.shape[1]
        for start, factor in self._factors:
            factor.apply(Y[start:], adjoint=True)
        factor = Reflectors.of_qr(np.array(Y[k:], order="F"), _BLOCK)
        R = np.zeros((k + b, k + b), Y.dtype, order="F")
        R[:k, :k] = self.R
        R[:k, k:] = Y[:k]
        R[k:, k:] = np.triu(factor.V[:b])
        self.R, self.k = R, k + b
        self._factors.append((k, factor))

    def columns(self, count: int) -> Array:
        """Return the first columns of Q, shape (m, count)."""
        Q = zeros((self.m, count), self.R.dtype)
        np.fill_diagonal(Q, 1)
        for start, factor in reversed(self._factors):
            if start < count:
                factor.apply(Q[start:, start:])
        return Q
