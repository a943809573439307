"""Matrices over GF(2) as words of 64 columns, the arrays of `kernels/gf2`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.kernels import gf2

Array = NDArray[Any]
Index = NDArray[np.intp]
Words = NDArray[np.uint64]

# Words of a cache line and of the widest vectors. Rows of half a line or more are padded to whole
# ones, which the loops over them never leave; shorter ones would take too much memory so.
_LINE = 8


def empty_rows(m: int, n: int) -> Words:
    """Return uninitialised words for m rows of n bits."""
    words = -(-n // 64)
    if words < _LINE // 2:
        return np.empty((m, words), np.uint64)
    words = -(-words // _LINE) * _LINE
    return _aligned(m * words).reshape(m, words)


def _aligned(size: int) -> Words:
    """Return uninitialised words, the first at the start of a cache line."""
    flat = np.empty(size + _LINE, np.uint64)
    first = -flat.__array_interface__["data"][0] // 8 % _LINE
    return flat[first : first + size]


def pack(A: Array, out: Words | None = None) -> Words:
    """Return the lowest bits of integers of one or eight bytes."""
    kind: Any = np.uint8 if A.dtype.itemsize == 1 else np.int64
    if out is None:
        out = empty_rows(*A.shape)
    gf2.py_pack(np.ascontiguousarray(A).view(kind), out)
    return out


def reduce(A: Array) -> tuple[Words, Index, Index]:
    """Return the reduced echelon form of A, the pivots and the rows they were found in."""
    W = pack(A)
    m, words = W.shape
    rows, cols = np.arange(m), np.empty(min(m, 64 * words), np.intp)
    rank = gf2.py_reduce(W, rows, cols, np.empty(m, np.uint64), _tables(words))
    return W, cols[:rank], rows[:rank]


def unpack(W: Words, rank: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the first rows of W, and zeros below them."""
    A = np.empty(shape, np.uint8)
    gf2.py_unpack(W, A[:rank])
    A[rank:] = 0
    return A


def vanishes(A: Array, R: Array, pivots: Index, scratch: Words) -> bool:
    """Whether every row of A is the sum of those rows of R whose pivots it has.

    `scratch` is overwritten by A.
    """
    W, tables = pack(A, scratch), _tables(scratch.shape[1])
    return bool(gf2.py_vanishes(W, pack(R), pivots, np.empty(len(W), np.uint64), tables))


def _tables(words: int) -> Words:
    size = gf2.py_table_size(words)
    return _aligned(size) if words >= _LINE else np.empty(size, np.uint64)
