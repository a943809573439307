"""Reading a rational matrix: integers, fractions, decimal strings, floats, dense or sparse.

    A = diag(1/rows) Z diag(1/columns)        Z (m, n) integers, one of the two scalings trivial

Multiplying a row by its common denominator changes neither row space nor null space; multiplying a
column instead keeps the other columns small, which a network with one column of decimals needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.entries import as_numbers, compact, ratios
from fastsub.factor.memory import check_memory

Array = NDArray[Any]
_Scaled: TypeAlias = tuple[Array, list[int] | None, list[int] | None]


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
        check_memory(self.shape, self.Z.dtype, "rank and the bases are computed without the zeros")
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
    numerators, denominators = ratios(array, name, decimals)
    if denominators is None:
        return Dense(compact(numerators))
    i, j = np.ogrid[: array.shape[0], : array.shape[1]]
    return Dense(*_over_common(numerators, denominators, i, j))


def _read_sparse(A: Any, name: str, decimals: bool) -> Sparse:
    coordinates = A.tocoo(copy=True)
    if coordinates.ndim != 2:
        raise ValueError(f"{name} must be a matrix (2-d), got shape {coordinates.shape}")
    i, j = coordinates.row, coordinates.col
    data = as_numbers(coordinates.data, name)
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        k = int(np.argmin(np.isfinite(data)))
        raise ValueError(f"{name} must be finite, got {data[k]} at {(int(i[k]), int(j[k]))}")
    numerators, denominators = ratios(data, name, decimals)
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
