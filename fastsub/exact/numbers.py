"""Reading a rational matrix: integers, fractions, decimal strings, floats, dense or sparse.

    A = diag(1/rows) Z diag(1/columns)        Z (m, n) integers, one of the two scalings trivial

Multiplying a row by its common denominator changes neither row space nor null space; multiplying a
column instead keeps the other columns small, which a network with one column of decimals needs.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_Scaled: TypeAlias = tuple[Array, list[int] | None, list[int] | None]

INT64 = 2**63 - 1
# Integers that a double holds one by one.
_WHOLE = 2.0**53


@dataclass(slots=True)
class Dense:
    """An (m, n) rational matrix by rows.

    Attributes
    ----------
    Z : ndarray, shape (m, n)
        int64, or Python integers where one does not fit.
    rows, columns : list of int, or None
        Common denominators, A = diag(1/rows) Z diag(1/columns); None: all of them are 1.
    """

    Z: Array
    rows: list[int] | None = None
    columns: list[int] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return self.Z.shape[0], self.Z.shape[1]

    @property
    def T(self) -> Dense:
        """The transpose."""
        return Dense(self.Z.T, self.columns, self.rows)

    def select(self, columns: list[int]) -> Array:
        """Return these columns of Z, (m, k)."""
        return self.Z[:, columns]


@dataclass(slots=True)
class Sparse:
    """The same for a matrix that is mostly zeros: entry (i[k], j[k]) is Z[k], none of them zero."""

    i: Array
    j: Array
    Z: Array
    shape: tuple[int, int]
    rows: list[int] | None = None
    columns: list[int] | None = None

    @property
    def T(self) -> Sparse:
        """The transpose."""
        m, n = self.shape
        return Sparse(self.j, self.i, self.Z, (n, m), self.columns, self.rows)

    def select(self, columns: list[int]) -> Array:
        """Return these columns of Z with their zeros, (m, k)."""
        place = np.full(self.shape[1], -1)
        place[columns] = np.arange(len(columns))
        found = place[self.j] >= 0
        Z = np.zeros((self.shape[0], len(columns)), self.Z.dtype)
        Z[self.i[found], place[self.j[found]]] = self.Z[found]
        return Z

    def dense(self) -> Dense:
        """The same matrix with its zeros."""
        Z = np.zeros(self.shape, self.Z.dtype)
        Z[self.i, self.j] = self.Z
        return Dense(Z, self.rows, self.columns)


def read(A: Any, name: str = "A", *, decimals: bool = False) -> Dense | Sparse:
    """Return a matrix as integers over denominators.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (m, n)
        Integers of any size, Fraction, Decimal, strings such as ``"0.1"`` or ``"1/3"``, floats.
    name : str
        How errors call it.
    decimals : bool
        Whether a float means the shortest decimal that prints it rather than its binary value.

    Raises
    ------
    TypeError
        For what is not a rational number.
    ValueError
        For NaN, infinity, strings that are no number, and what is not 2-d.
    """
    if hasattr(A, "tocoo"):
        return _read_sparse(A, name, decimals)
    array = as_numbers(A, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must be a matrix (2-d), got {array.ndim}-d of shape {array.shape}"
        )
    if array.dtype == np.int64:
        return Dense(array)
    numerators, denominators = _ratios(array, name, decimals)
    if denominators is None:
        return Dense(compact(numerators))
    i, j = np.ogrid[: array.shape[0], : array.shape[1]]
    return Dense(*_over_common(numerators, denominators, i, j))


def _read_sparse(A: Any, name: str, decimals: bool) -> Sparse:
    coordinates = A.tocoo(copy=True)
    if coordinates.ndim != 2:
        raise ValueError(f"{name} must be a matrix (2-d), got shape {coordinates.shape}")
    i, j = coordinates.row, coordinates.col
    numerators, denominators = _ratios(as_numbers(coordinates.data, name), name, decimals)
    scaled: _Scaled = compact(numerators), None, None
    if denominators is not None:
        scaled = _spliced(_over_common(numerators, denominators, i, j), A.shape)
    Z, rows, columns = scaled
    # Entries that stand twice are added here, where sums are exact.
    place, inverse = np.unique(i.astype(np.int64) * A.shape[1] + j, return_inverse=True)
    if len(place) < len(Z):
        total = np.zeros(len(place), dtype=object)
        np.add.at(total, inverse, Z.astype(object))
        Z, i, j = compact(total), *np.divmod(place, A.shape[1])
    kept = Z != 0
    return Sparse(i[kept], j[kept], Z[kept], (A.shape[0], A.shape[1]), rows, columns)


def as_numbers(A: Any, name: str) -> Array:
    """Return an ndarray of integers (int64 where it can), floats, or objects.

    Raises
    ------
    TypeError
        For complex numbers, masked entries, and arrays that are not in memory.
    """
    if type(A).__module__.partition(".")[0] == "dask":
        raise TypeError(f"{name} is a dask array; compute it first: {name}.compute()")
    if hasattr(A, "matvec"):
        raise TypeError(f"{name} is a {type(A).__name__}; exact arithmetic needs its entries")
    if isinstance(A, np.ma.MaskedArray) and np.ma.is_masked(A):
        raise TypeError(f"{name} has masked entries; fill or drop them first: {name}.filled(value)")
    try:
        # NumPy would turn a list of large integers, or of integers and floats, into floats.
        array = np.asarray(A) if hasattr(A, "__array__") else np.array(A, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from None
    kind = array.dtype.kind
    if kind in "bi" or (kind == "u" and array.dtype.itemsize < 8):
        return compact(array.astype(np.int64, copy=False))
    if kind in "UT":
        return array.astype(object)
    if kind == "O":
        if array.size and all(type(x) is int for x in array.flat):
            return compact(array)
        return array if array.size else array.astype(np.int64)
    if kind not in "uf":
        raise TypeError(f"{name} must hold rational numbers, got dtype {array.dtype}")
    return array.astype(object) if kind == "u" else array


def compact(integers: Array) -> Array:
    """Return integers as int64 where all of them fit, as Python integers otherwise."""
    try:
        fitting = integers.astype(np.int64, copy=False)
    except OverflowError:
        return integers
    # The one number whose negative does not fit.
    if fitting.size and fitting.min() == -INT64 - 1:
        return integers.astype(object)
    return fitting


def _ratios(array: Array, name: str, decimals: bool) -> tuple[Array, Array | None]:
    """Numerators and denominators, entry by entry; no denominators where all of them are 1."""
    if array.dtype == np.int64:
        return array, None
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name} must be finite, got {array[where]} at {where}")
        if (np.abs(array) < _WHOLE).all() and (np.rint(array) == array).all():
            return array.astype(np.int64), None
        # The same few decimals over and over, in data: each is converted once.
        values, inverse = np.unique(array, return_inverse=True)
        one = _decimal_ratio if decimals else _binary_ratio
        pairs = [one(x) for x in values]
    else:
        inverse = np.arange(array.size)
        pairs = [ratio(x, name, decimals) for x in array.flat]
    both = np.array(pairs, dtype=object).reshape(-1, 2)[inverse.reshape(-1)]
    numerators, denominators = both[:, 0].reshape(array.shape), both[:, 1].reshape(array.shape)
    return numerators, None if (denominators == 1).all() else denominators


def _binary_ratio(x: Any) -> tuple[int, int]:
    numerator, denominator = x.as_integer_ratio()
    return numerator, denominator


def _decimal_ratio(x: Any) -> tuple[int, int]:
    # str(numpy scalar) is the shortest decimal that rounds to it in its own precision.
    return Fraction(str(x)).as_integer_ratio()


def as_decimals(A: Any, name: str = "A") -> Array:
    """Return an array of Fractions: of floats, the decimals that they print as."""
    array = as_numbers(A.toarray() if hasattr(A, "toarray") else A, name)
    numerators, denominators = _ratios(array, name, True)
    if denominators is None:
        return numerators
    pairs = zip(numerators.flat, denominators.flat, strict=True)
    fractions = np.array([Fraction(int(x), int(y)) for x, y in pairs], dtype=object)
    return fractions.reshape(array.shape)


def ratio(x: Any, name: str, decimals: bool = False) -> tuple[int, int]:
    """Return numerator and denominator of anything that is a rational number."""
    if isinstance(x, numbers.Rational):
        return int(x.numerator), int(x.denominator)
    if isinstance(x, (float, np.floating)):
        if not math.isfinite(x):
            raise ValueError(f"{name} must be finite, got {x}")
        return _decimal_ratio(x) if decimals else _binary_ratio(x)
    if hasattr(x, "p") and hasattr(x, "q"):  # the rationals of SymPy and FLINT
        return int(x.p), int(x.q)
    if isinstance(x, (bool, np.bool_)) or hasattr(x, "__index__"):
        return int(x), 1
    if isinstance(x, str) or hasattr(x, "as_integer_ratio"):
        try:
            return Fraction(x).as_integer_ratio()
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise ValueError(f"{name} must hold rational numbers, got {x!r}: {error}") from None
    raise TypeError(
        f"{name} must hold rational numbers (int, Fraction, Decimal, decimal strings, floats), "
        f"got {type(x).__name__}"
    )


def _over_common(numerators: Array, denominators: Array, i: Array, j: Array) -> _Scaled:
    """Scale rows or columns, whichever leaves the smaller integers."""
    best: _Scaled | None = None
    for which, index in (("rows", i), ("columns", j)):
        index = np.broadcast_to(index, denominators.shape)
        common = [1] * (int(index.max()) + 1)
        for line, denominator in zip(index.flat, denominators.flat, strict=True):
            if common[line] % denominator:
                common[line] = math.lcm(common[line], denominator)
        scale = np.array(common, dtype=object)[index]
        Z = compact(numerators * (scale // denominators))
        found = (Z, common, None) if which == "rows" else (Z, None, common)
        if best is None or _bits(Z) < _bits(best[0]):
            best = found
    assert best is not None
    return best


def _bits(Z: Array) -> float:
    if Z.dtype == object:
        return float(sum(abs(z).bit_length() for z in Z.flat))
    return float(np.log2(np.abs(Z.astype(np.float64)) + 1).sum())


def _spliced(scaled: _Scaled, shape: tuple[int, ...]) -> _Scaled:
    """Give lines without an entry the denominator 1."""
    Z, rows, columns = scaled
    if rows is not None:
        rows = rows + [1] * (shape[0] - len(rows))
    if columns is not None:
        columns = columns + [1] * (shape[1] - len(columns))
    return Z, rows, columns
