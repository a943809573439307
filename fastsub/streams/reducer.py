"""Rows in, triangle out: the part of a stream that any engine can drive."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    as_matrix,
    check_tolerance,
    check_weights,
    whole_strides,
)
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.rows.block_gram import Coordinates
from fastsub.factor.rows.tsqr import NotFiniteError, Triangle
from fastsub.html import card
from fastsub.streams.reduced import Reduced

_FIELDS = ("R", "exponents", "waiting", "gram")
# Of the root of a weight, in single precision: beyond, products with rows are lost.
_LEAST = 1e-30
_NUMBERS = ("rows", "units", "patience", "height", "loss")


# A Gram matrix, and the coordinates of its columns.
Gram = tuple[Array, Coordinates | None]


class Reducer:
    """Reduce blocks of rows to a triangle, which merges with those of other blocks.

    Attributes
    ----------
    rows : int
        Rows so far.
    columns : int or None
        Columns of X; None before the first block.

    Notes
    -----
    Cost: m n^2 to 2 m n^2 flops, n counting right-hand sides, and about 10 n^2 numbers of memory.
    `merge` is associative up to rounding, the same calls in the same order give the same bits. It
    pickles; `to_arrays` and `from_arrays` do without pickle.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and
       LU factorizations, SIAM J. Sci. Comput. 34 (2012).

    Examples
    --------
    >>> import fastsub
    >>> left = fastsub.Reducer().partial_fit([[2.0], [3.0]], [1.0, 2.0])
    >>> right = fastsub.Reducer().partial_fit([[4.0]], [2.0])
    >>> result = left.merge(right).result()
    >>> result.rank, result.solve() * 29
    (1, array([16.]))
    """

    def __init__(self) -> None:
        self._state: tuple[Triangle, int, int | None] | None = None

    @property
    def rows(self) -> int:
        return 0 if self._state is None else self._state[0].rows

    @property
    def columns(self) -> int | None:
        return None if self._state is None else self._state[1]

    def partial_fit(
        self, X: Any, y: Any = None, weights: Any = None, *, _gram: Gram | None = None
    ) -> Reducer:
        """Add rows.

        Parameters
        ----------
        X : array_like, shape (p, n)
        y : array_like, shape (p,) or (p, k), optional
            Right-hand sides: in every block, or in none.
        weights : array_like, shape (p,), optional
            Each row counts as often as its weight says: it and its y are multiplied by the root.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Another number of columns than before, NaN or infinity (the message names the row).
            Nothing has changed then.
        TypeError
            Strings, masked entries, sparse or dask arrays.
        """
        X = as_matrix(X, "X")
        p, n = X.shape
        Y, k = X[:, :0], None
        if y is not None:
            Y = as_array(y, "y")
            if Y.ndim not in (1, 2) or Y.shape[0] != p:
                raise ValueError(
                    f"y must have a row for each of the {p} rows of X, got shape {Y.shape}"
                )
            k = None if Y.ndim == 1 else Y.shape[1]
            k = -1 if Y.ndim == 1 else k
            Y = Y[:, None] if Y.ndim == 1 else Y
        dtype = np.result_type(X, Y)
        if weights is not None:
            root = _roots(weights, p, dtype)
            with np.errstate(over="ignore", invalid="ignore"):  # shows as not finite
                X, Y = X * root.astype(X.real.dtype), Y * root.astype(Y.real.dtype)
        state = self._state
        if state is None:
            state = (Triangle.of(n + Y.shape[1], dtype), n, k)
        elif (n, k) != state[1:]:
            raise ValueError(
                f"a block has {n} columns and {_sides(k)}, those before it had {state[1]} and "
                f"{_sides(state[2])}"
            )
        triangle = state[0]
        dtype = np.result_type(dtype, triangle.R)
        X, Y = (whole_strides(Z.astype(dtype, copy=False)) for Z in (X, Y))
        if p:
            try:
                triangle = triangle.astype(dtype)
                if _gram is not None and _gram[1] is not triangle.coordinates:
                    _gram = None
                triangle = triangle.add(X, Y, None if _gram is None else _gram[0])
            except NotFiniteError as error:
                what = "X" if error.column < n else "y"
                what += "" if weights is None else " times the root of its weight"
                raise ValueError(
                    f"{what} must be finite, got {error.value} in row {self.rows + error.row}; "
                    "drop or impute such rows (rows count from 0)"
                ) from None
        # One assignment: whatever interrupts, the state is that of whole blocks.
        self._state = (triangle, *state[1:])
        return self

    @property
    def coordinates(self) -> Coordinates | None:
        """Those of Gram matrices to come."""
        return None if self._state is None else self._state[0].coordinates

    def gram_of(self, X: Array, y: Array | None, p: int) -> Gram | None:
        """Return what `take` and `partial_fit` take for `_gram`, made by this thread alone.

        The Gram matrix of X and y, p rows or some of them, in coordinates of the state; None if
        none is asked for.
        """
        Y = _columns(X, y)
        if X.dtype.char not in EPS or not X.dtype.isnative or Y.dtype != X.dtype:
            return None
        n = X.shape[1] + Y.shape[1]
        triangle = Triangle.of(n, X.dtype) if self._state is None else self._state[0]
        G = triangle.gram_of(X, Y, p)
        return None if G is None else (G, triangle.coordinates)

    def take(self, gram: Gram, X: Array, y: Array | None, p: int) -> bool:
        """Add p rows by their Gram matrix alone; False, and nothing is changed, if it will not do.

        X and y are like those rows, but may be fewer.
        """
        Y = _columns(X, y)
        shape = X.shape[1], None if y is None else -1 if y.ndim == 1 else y.shape[1]
        state = self._state or (Triangle.of(X.shape[1] + Y.shape[1], X.dtype), *shape)
        G, coordinates = gram
        if state[1:] != shape or state[0].coordinates is not coordinates:
            return False
        triangle = state[0].take(G, p, X.shape[1]) if state[0].R.dtype == X.dtype else None
        if triangle is not None:
            self._state = (triangle, *shape)
        return triangle is not None

    def merge(self, other: Reducer) -> Reducer:
        """Add all rows of another reducer, which is left as it is; return self."""
        if not isinstance(other, Reducer):
            raise TypeError(f"a Reducer merges with another one, got a {type(other).__name__}")
        if other._state is None:
            return self
        if self._state is None:
            self._state = other._state
            return self
        if self._state[1:] != other._state[1:]:
            raise ValueError(
                f"reducers of {self._state[1]} columns and {_sides(self._state[2])}, and of "
                f"{other._state[1]} and {_sides(other._state[2])}, do not merge"
            )
        dtype = np.result_type(self._state[0].R, other._state[0].R)
        mine, its = (each._state[0].astype(dtype) for each in (self, other))  # type: ignore[index]
        self._state = (mine.merge(its), *self._state[1:])
        return self

    def result(self, rtol: float | None = None, *, tol: float | None = None) -> Reduced:
        """Return what the rows so far say; more may be added later.

        Parameters
        ----------
        rtol : float, optional
            Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.
        tol : float, optional
            Absolute cutoff; goes before `rtol`.
        """
        rtol, tol = check_tolerance(rtol, "rtol"), check_tolerance(tol, "tol")
        if self._state is None:
            raise ValueError("there was no block of rows: not even the number of columns is known")
        triangle, n, k = self._state
        return Reduced(triangle, n, k, rtol, tol)

    def to_arrays(self) -> dict[str, Array]:
        """Return the state as plain arrays, to be stored anywhere without pickle."""
        if self._state is None:
            return {}
        triangle, n, k = self._state
        arrays: dict[str, Array] = {name: getattr(triangle, name) for name in _FIELDS}
        if triangle.coordinates is not None:
            there = triangle.coordinates
            arrays |= {"order": there.p, "inverse": there.X, "weak": there.weak}
        numbers = [float(getattr(triangle, name)) for name in _NUMBERS]
        arrays["numbers"] = np.array(numbers)
        arrays["columns"] = np.array([n, -2 if k is None else k], np.int64)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Any) -> Reducer:
        """Return the reducer whose `to_arrays` these are.

        Raises
        ------
        ValueError
            If one of the arrays is missing.
        """
        self = cls()
        missing = {*_FIELDS, "numbers", "columns"} - set(arrays)
        if missing and set(arrays):
            raise ValueError(f"these are not all arrays of a Reducer: {sorted(missing)} missing")
        if set(arrays):
            fields: dict[str, Any] = {name: np.array(arrays[name]) for name in _FIELDS}
            fields |= {name: np.asfortranarray(fields[name]) for name in ("R", "gram")}
            numbers = dict(zip(_NUMBERS, np.array(arrays["numbers"]).tolist(), strict=True))
            fields |= {name: int(numbers.pop(name)) for name in ("rows", "units", "patience")}
            n, k = np.array(arrays["columns"]).tolist()
            if "order" in arrays:
                there = (np.array(arrays[name], order="F") for name in ("order", "inverse", "weak"))
                fields["coordinates"] = Coordinates(*there)
            triangle = Triangle(**fields, **numbers)
            self._state = (triangle, n, None if k == -2 else k)
        return self

    def _repr_html_(self) -> str:
        return card(repr(self), {"rows": self.rows, "columns": self.columns})

    def __repr__(self) -> str:
        if self._state is None:
            return "<Reducer of no rows>"
        triangle, n, k = self._state
        return f"<Reducer of {triangle.rows} x {n} {triangle.R.dtype}, {_sides(k)}>"


def _columns(X: Array, y: Array | None) -> Array:
    """Return right-hand sides as columns, none where there is none."""
    return X[:, :0] if y is None else y[:, None] if y.ndim == 1 else y


def _roots(weights: Any, p: int, dtype: np.dtype[Any]) -> Array:
    """Return the roots of the weights of p rows, shape (p, 1), where `dtype` can hold them."""
    root = np.sqrt(check_weights(weights, p))[:, None]
    if dtype.char in "fF":
        away = (root != 0) & ((root < _LEAST) | (root > 1 / _LEAST))
        if away.any():
            raise ValueError(
                f"weights of rows in single precision must lie between {_LEAST**2:.0e} and "
                f"{_LEAST**-2:.0e}, or be 0; got {root[away][0] ** 2:.1e}: divide them by their "
                "largest, or pass X in double precision"
            )
    return root


def _sides(k: int | None) -> str:
    if k is None:
        return "no right-hand side"
    return "a right-hand side (p,)" if k == -1 else f"right-hand sides (p, {k})"
