"""A pair of callables as a linear operator: the Jacobian of a model by forward and reverse mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from fastsub.factor.arrays import Array
from fastsub.operators.products import Count


class Jacobian(LinearOperator):  # type: ignore[misc]  # SciPy is untyped
    """See `fastsub.jacobian`, which makes one.

    Attributes
    ----------
    products : Count
        Vectors that were multiplied so far by J, and by its adjoint.
    """

    def __init__(
        self,
        jvp: Callable[[Any], Any],
        vjp: Callable[[Any], Any],
        shape: tuple[int, int],
        dtype: Any,
        like: Any,
        blocks: bool,
    ) -> None:
        if dtype is None:
            dtype = np.float64 if like is None else _as_array(like).dtype
        super().__init__(np.dtype(dtype), shape)
        self._callables, self._like, self._blocks = (jvp, vjp), like, blocks
        self._counts = [0, 0]

    @property
    def products(self) -> Count:
        """How many vectors were multiplied so far by J, and by its adjoint."""
        return Count(*self._counts)

    def _multiply(self, which: int, X: Array) -> Array:
        self._counts[which] += X.shape[1] if X.ndim == 2 else 1
        if self._like is not None:
            X = self._like.new_tensor(X)
        return _as_array(self._callables[which](X))

    def _multiply_all(self, which: int, X: Array) -> Array:
        if self._blocks:
            return self._multiply(which, X)
        Y = np.empty((self.shape[which], X.shape[1]), self.dtype, order="F")
        for j, x in enumerate(np.ascontiguousarray(X.T)):
            Y[:, j] = self._multiply(which, x).reshape(-1)
        return Y

    def _matvec(self, x: Array) -> Array:
        x = x.reshape(-1)
        if self._blocks:
            return self._multiply(0, x[:, None]).reshape(-1)
        return self._multiply(0, x).reshape(-1)

    def _rmatvec(self, y: Array) -> Array:
        y = y.reshape(-1)
        if self._blocks:
            return self._multiply(1, y[:, None]).reshape(-1)
        return self._multiply(1, y).reshape(-1)

    def _matmat(self, X: Array) -> Array:
        return self._multiply_all(0, X)

    def _rmatmat(self, Y: Array) -> Array:
        return self._multiply_all(1, Y)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<Jacobian of {m} x {n} {self.dtype}: {self.products}>"


def _as_array(value: Any) -> Array:
    """Return what a callable returned as an array: a tensor, or a tuple of one as vjp has it."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    for method in ("detach", "cpu"):
        value = getattr(value, method, lambda value=value: value)()
    return np.asarray(value)
