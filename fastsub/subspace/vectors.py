"""Vectors as users pass them, in the arithmetic of an orthonormal basis, and the way back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array, check_finite_magnitude, is_safe

# Times eps sqrt(n): how far from a subspace a vector of length 1 may be and count as in it.
_TOLERANCE = 100.0


def default_tol(dtype: np.dtype[Any], n: int) -> float:
    """Return the sine up to which a vector of that dtype counts as in a subspace of R^n."""
    return _TOLERANCE * float(np.finfo(dtype).eps) * math.sqrt(n)


def unsafe_exponents(X: Array) -> Array:
    """Return powers of two near the columns whose squares leave the range, 0 for the others."""
    parts = (X.real, X.imag) if X.dtype.kind == "c" else (X,)
    sizes = np.max([np.abs(part).max(axis=0, initial=0) for part in parts], axis=0)
    unsafe = [size > 0 and not is_safe(size, X.dtype) for size in sizes.tolist()]
    return np.asarray(np.where(unsafe, np.frexp(sizes)[1], 0))


def column_norms(X: Array) -> Array:
    """Return the norms of columns, in double, without overflow on the way."""
    exponents = unsafe_exponents(X)
    if exponents.any():
        X = X.copy()
        scale_columns(X, -exponents)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(np.linalg.norm(X, axis=0).astype(np.float64), exponents))


def scale_columns(X: Array, exponents: Array) -> None:
    """Multiply columns by powers of two, in place: exact, but for what leaves the range."""
    if exponents.any():
        with np.errstate(over="ignore", under="ignore"):
            for part in (X.real, X.imag) if X.dtype.kind == "c" else (X,):
                np.ldexp(part, exponents, out=part)


class Vectors:
    """Columns of x beside a basis: finite, each scaled where squares of its entries would be lost.

    A complex x beside a real basis is two real columns, so that the basis need not become complex.

    Parameters
    ----------
    x : array_like, shape (n,) or (n, k)
    n : int
    dtype : dtype
        That of the basis.
    name : str
        How errors call x.

    Attributes
    ----------
    columns : ndarray, shape (n, k) or (n, 2 k)
        Fortran-ordered, free to be overwritten.
    dtype : dtype
        Of `columns`: the basis must be cast to it.
    given : dtype
        Of x.
    alone : bool
        Whether x is a vector.
    """

    def __init__(self, x: Any, n: int, dtype: np.dtype[Any], name: str = "x") -> None:
        x = as_array(x, name)
        if x.ndim not in (1, 2) or x.shape[0] != n:
            raise ValueError(f"{name} must have shape ({n},) or ({n}, k), got {x.shape}")
        self.alone = x.ndim == 1
        self.given = x.dtype
        X = x[:, None] if self.alone else x
        dtype, self._out = np.dtype(dtype), np.result_type(x, dtype)
        self._split = self._out.kind == "c" != dtype.kind
        if self._split:
            X = np.hstack([X.real, X.imag])
        self.dtype = self._out.type(0).real.dtype if self._split else self._out
        check_finite_magnitude(X, name)
        self.columns = np.array(X, self.dtype, order="F")
        exponents = unsafe_exponents(self.columns)
        if self._split:
            # Both parts of a column in one scale.
            exponents = np.tile(exponents.reshape(2, -1).max(axis=0), 2)
        self._exponents = exponents
        scale_columns(self.columns, -self._exponents)

    def restore(self, Y: Array) -> Array:
        """Return columns that belong to those of x as x was given; Y is destroyed."""
        scale_columns(Y, self._exponents)
        if self._split:
            half = Y.shape[1] // 2
            Y = np.asfortranarray(Y[:, :half] + 1j * Y[:, half:], self._out)
        return Y[:, 0] if self.alone else Y

    def norms(self, Y: Array) -> Array:
        """Return the norms of such columns, one for each of x, in the scale of `columns`."""
        return self._joined(column_norms(Y))

    def lengths(self, norms: Array) -> Any:
        """Return norms in the scale of x: a float for a vector."""
        with np.errstate(over="ignore", under="ignore"):
            norms = np.ldexp(norms, self._exponents[: norms.size])
        return float(norms[0]) if self.alone else norms

    def where(self, mask: Array, Y: Array, Z: Array) -> Array:
        """Return the columns of Y where the mask, one entry for each of x, holds; else of Z."""
        return np.where(np.tile(mask, 2) if self._split else mask, Y, Z)

    def _joined(self, norms: Array) -> Array:
        return np.hypot(*norms.reshape(2, -1)) if self._split else norms
