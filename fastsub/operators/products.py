"""The products with a map and with its adjoint: counted, checked, and in a safe scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from fastsub.factor.arrays import Array, as_array, is_safe, magnitude, unscale


class Count(NamedTuple):
    """Vectors that were multiplied by A, and by its adjoint."""

    forward: int
    adjoint: int

    def __str__(self) -> str:
        return f"{self.forward} + {self.adjoint} products"


class Products:
    """A map with at most as many rows as columns: that of a user, or its adjoint.

    Parameters
    ----------
    A : LinearOperator, or an object with its attributes
    name : str
        How errors call it.

    Attributes
    ----------
    shape : tuple of int
        Of A itself.
    m, n : int
        Of this map, m <= n.
    adjoint : bool
        Whether this map is A^H.
    dtype : dtype
        One of the four.
    exponent : int
        This map is ``2**exponent`` times that of the user, where its squares would be lost.
    """

    def __init__(self, A: Any, name: str = "A") -> None:
        operator = A if isinstance(A, LinearOperator) else aslinearoperator(A)
        rows, columns = operator.shape
        self.shape = int(rows), int(columns)
        if operator.dtype is None:
            raise TypeError(f"{name} has no dtype; give it one, as in LinearOperator(dtype=...)")
        self.dtype = as_array(np.empty(0, operator.dtype), name).dtype
        self.adjoint = self.shape[0] > self.shape[1]
        self.m, self.n = min(self.shape), max(self.shape)
        self.exponent: int | None = None
        self.name, self._counts = name, [0, 0]
        self._products: tuple[Callable[[Array], Any], ...] = operator.matmat, operator.rmatmat
        self._operator = operator

    @property
    def count(self) -> Count:
        """How many vectors were multiplied so far, as the user counts."""
        return Count(*self._counts)

    def forward(self, X: Array) -> Array:
        """Return this map times X (n, k), shape (m, k), Fortran-ordered and our own."""
        return self.multiply(int(self.adjoint), X)

    def backward(self, Y: Array) -> Array:
        """Return the adjoint of this map times Y (m, k), shape (n, k)."""
        return self.multiply(int(not self.adjoint), Y)

    def multiply(self, which: int, X: Array) -> Array:
        """Return A X (`which` is 0) or A^H X (1), Fortran-ordered and our own, scaled."""
        name = (self.name, f"the adjoint of {self.name}")[which]
        wanted = (self.shape[which], X.shape[1])
        self._counts[which] += X.shape[1]
        if not X.size:
            return np.zeros(wanted, self.dtype, order="F")
        try:
            given = np.asarray(self._products[which](X))
        except (NotImplementedError, TypeError):
            if not self._lacks(which, X[:, 0]):
                raise
            raise TypeError(
                f"products with {name} are needed, and it has none: pass matvec and rmatvec to "
                "LinearOperator, or use fastsub.jacobian(jvp, vjp, shape)"
            ) from None
        if given.shape != wanted:
            raise ValueError(f"a product with {name} must have shape {wanted}, got {given.shape}")
        if given.dtype.kind == "c" and self.dtype.kind != "c":
            raise TypeError(f"a product with {name} is complex, but its dtype is {self.dtype}")
        Y = np.array(given, self.dtype, order="F")
        largest = magnitude(Y)
        if not math.isfinite(largest):
            raise ValueError(
                f"a product with {name} must be finite, got NaN or infinity for a finite vector"
            )
        if self.exponent is None and largest > 0:
            self.exponent = 0 if is_safe(largest, self.dtype) else -math.frexp(largest)[1]
        unscale(Y, -(self.exponent or 0))
        return Y

    def _lacks(self, which: int, x: Array) -> bool:
        """Whether a product was never defined; SciPy says so of vectors, not always of matrices."""
        try:
            (self._operator.matvec, self._operator.rmatvec)[which](x)
        except NotImplementedError:
            return True
        except TypeError:
            pass
        return False
