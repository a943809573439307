"""Two orthonormal bases that together fill a space, of which only the smaller is held.

The larger is made from the Householder reflectors of the smaller when it is asked for, so both
halves are orthogonal to one another to rounding, and equal frames give equal bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.choose import choose
from fastsub.factor.least_squares.implicit import ImplicitRange
from fastsub.factor.memory import check_memory, zeros
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
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
    implicit : ImplicitRange, optional
        The span of the small basis, which need not be made then to project fewer vectors than k.
    """

    def __init__(
        self,
        small: Array | Callable[[], Array],
        n: int,
        k: int,
        dtype: Any,
        implicit: ImplicitRange | None = None,
    ) -> None:
        self.n, self.k, self.dtype = n, k, np.dtype(dtype)
        self._make, self._implicit = small, implicit

    @cached_property
    def small(self) -> Array:
        """The basis that is held, shape (n, k), contiguous in either order."""
        basis = self._make() if callable(self._make) else self._make
        if not (basis.flags.c_contiguous or basis.flags.f_contiguous):
            basis = np.asfortranarray(basis)
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
        if self._is_implicit(vectors):
            assert self._implicit is not None
            R = self._implicit.reject(X if complemented else X.copy(order="F"))
            return R if complemented else np.subtract(X, R, out=X)
        Q = self.small.astype(vectors.dtype, copy=False)
        P = product(Q, product(Q, X, adjoint=True))
        return np.subtract(X, P, out=X) if complemented else P

    def reject(self, vectors: Vectors, complemented: bool) -> Array:
        """Return columns as long as what that projection takes away; the vectors are lost."""
        if complemented and not self._is_implicit(vectors):
            Q = self.small.astype(vectors.dtype, copy=False)
            return product(Q, vectors.columns, adjoint=True)
        return self.project(vectors, not complemented)

    def _is_implicit(self, vectors: Vectors) -> bool:
        """Whether fewer passes answer without a basis: the same whether there is one or not."""
        few = vectors.columns.shape[1] < self.k and vectors.dtype == self.dtype
        return few and self._implicit is not None

    def __getstate__(self) -> tuple[Any, ...]:
        return self.small, self.n, self.k, self.dtype

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._make, self.n, self.k, self.dtype = state
        self._implicit = None


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
