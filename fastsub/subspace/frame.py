"""Two orthonormal bases that together fill a space, of which only the smaller is held.

The larger is made from the Householder reflectors of the smaller when it is asked for, so both
halves are orthogonal to one another to rounding, and equal frames give equal bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, check_memory, product, zeros
from fastsub.factor.choose import choose
from fastsub.factor.reflectors import Reflectors
from fastsub.subspace.vectors import Vectors

_ALTERNATIVE = (
    "but no basis is needed to project, to measure distances and angles or to test membership, "
    "and that of complement() is small"
)


class Frame:
    """An orthonormal basis with at most half as many columns as rows, and the rest of the space.

    Parameters
    ----------
    small : ndarray, shape (n, k), or callable that returns it
        Orthonormal columns, 2 k <= n; the array becomes read-only.
    n, k : int
    dtype : dtype
    """

    def __init__(self, small: Array | Callable[[], Array], n: int, k: int, dtype: Any) -> None:
        self.n, self.k, self.dtype = n, k, np.dtype(dtype)
        self._make = small

    @cached_property
    def small(self) -> Array:
        """The basis that is held, shape (n, k), Fortran-ordered."""
        basis = np.asfortranarray(self._make() if callable(self._make) else self._make)
        self._make = basis  # and what made it is free to go
        basis.flags.writeable = False
        return basis

    @cached_property
    def large(self) -> Array:
        """The basis of its complement, shape (n, n - k); it is kept."""
        basis = complement_of(self.small)
        basis.flags.writeable = False
        return basis

    def project(self, vectors: Vectors, complemented: bool) -> Array:
        """Project on the span of the small basis, or on its complement; the vectors are lost."""
        X = vectors.columns
        Q = self.small.astype(vectors.dtype, copy=False)
        P = product(Q, product(Q, X, adjoint=True))
        return np.subtract(X, P, out=X) if complemented else P

    def reject(self, vectors: Vectors, complemented: bool) -> Array:
        """Return columns as long as what that projection takes away; the vectors are lost."""
        if complemented:
            Q = self.small.astype(vectors.dtype, copy=False)
            return product(Q, vectors.columns, adjoint=True)
        return self.project(vectors, True)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.small, self.n, self.k, self.dtype

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._make, self.n, self.k, self.dtype = state


def complement_of(basis: Array) -> Array:
    """Return an orthonormal basis of the complement, shape (n, n - k), of an orthonormal (n, k).

    Raises
    ------
    MemoryError
        If it cannot fit.
    """
    n, k = basis.shape
    check_memory((n, n - k), basis.dtype, _ALTERNATIVE)
    if k == 0:
        whole = zeros((n, n), basis.dtype)
        np.fill_diagonal(whole, 1)
        return whole
    block = choose(n, k, basis.dtype, want="qr").block
    return Reflectors.of_qr(np.array(basis, order="F"), block).columns(k, n)
