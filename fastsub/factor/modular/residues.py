"""Integer matrices as residues modulo an odd prime, the arrays of `kernels/modular`.

Which representation, which panels, and the memory; elimination.py has what is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.kernels import modular, residues
from fastsub.kernels.jordan import py_jordan

Array = NDArray[Any]
Int64 = NDArray[np.int64]
Index = NDArray[np.intp]

# Columns of a panel, and of one of integers from some order on, where putting products together
# costs more than finding pivots: `python -m bench compare modular`.
_PANEL = 128
_WIDE_PANEL = 256
_WIDE_FROM = 1500


@dataclass(frozen=True)
class Eliminated:
    """What `py_eliminate` leaves."""

    U: Array
    rank: int
    blocks: int
    odd: bool
    rows: Index
    cols: Index
    starts: Index
    values: Int64
    workspace: tuple[Array, Array]


def integers(A: Array, p: int) -> Int64:
    """Return integers that are A modulo p: A itself if it is of int64."""
    if A.dtype == np.int64 and A.flags.aligned:
        return A
    reduced: Int64 = np.mod(A, A.dtype.type(p)).astype(np.int64)
    return reduced


def encode(A: Array, p: int, out: Array | None = None) -> Array:
    """Return A as a C-ordered array of residues in the representation that p wants."""
    if A.dtype == np.uint64:
        A = np.mod(A, np.uint64(p))
    rows = A.dtype == np.int64 and A.flags.aligned and A.strides[0] % A.itemsize == 0
    if not rows or (A.shape[1] > 1 and A.strides[1] != A.itemsize):
        A = np.ascontiguousarray(A, dtype=np.int64)
    if out is None:
        out = np.empty(A.shape, np.int64 if residues.py_is_wide(p) else np.float64)
    modular.py_encode(A, p, out)
    return out


def decode(W: Array, p: int) -> Int64:
    """Return the integers in 0..p-1 of residues."""
    A = np.empty(W.shape, np.int64)
    modular.py_decode(W, p, A)
    return A


def workspace(p: int, m: int, n: int, w: int, dtype: Any) -> tuple[Array, Array]:
    """Return the workspace of `py_eliminate`, and of packing."""
    size, pack = modular.py_work_size(p, m, n, w)
    return np.empty(size, dtype), np.empty(pack)


def eliminate(W: Array, p: int) -> Eliminated:
    """Eliminate W, which is overwritten."""
    m, n = W.shape
    least = min(m, n)
    wide = W.dtype == np.int64 and least >= _WIDE_FROM
    w = max(1, min(_WIDE_PANEL if wide else _PANEL, n))
    rows = np.arange(m)
    cols, starts = np.empty(least, np.intp), np.empty(least + 1, np.intp)
    values, swaps = np.empty(least, np.int64), np.empty(w, np.intp)
    work, pack = workspace(p, m, n, w, W.dtype)
    rank, blocks, odd = 0, 0, False
    if least:
        rank, blocks, odd = modular.py_eliminate(
            p, W, w, rows, cols, starts, values, swaps, np.empty(w * w, W.dtype), work, pack
        )
    return Eliminated(
        W, rank, blocks, odd, rows[:rank], cols[:rank], starts, values[:rank], (work, pack)
    )


def reduced_form(E: Eliminated, shape: tuple[int, ...], p: int) -> Int64:
    """Return the reduced echelon form with its zero rows; E.U is destroyed."""
    padded = np.zeros(shape, np.int64)
    padded[np.arange(E.rank), E.cols] = 1
    free = free_columns(E.cols, shape[1])
    X = take_columns(E.U, free)[: E.rank]
    modular.py_substitute(p, E.U, E.blocks, E.starts, E.cols, X, *E.workspace)
    if X.base is E.U:
        modular.py_decode(X, p, take_columns(padded, free)[: E.rank])
    else:
        padded[: E.rank, free] = decode(X, p)
    return padded


def jordan(A: Array, p: int) -> tuple[Int64, Index, Index]:
    """Return the echelon form of a small A with its zero rows, the pivots and their rows."""
    m, n = A.shape
    R = np.empty((m, n), np.int64)
    cols, rows = np.empty(min(m, n), np.intp), np.arange(m)
    rank = py_jordan(A, p, R, cols, rows)
    return R, cols[:rank], rows[:rank]


def free_columns(pivots: NDArray[np.integer[Any]], n: int) -> Index:
    """Return the columns without a pivot, ascending."""
    mask = np.ones(n, bool)
    mask[pivots] = False
    return np.flatnonzero(mask)


def take_columns(A: Array, index: Index) -> Array:
    """Return A[:, index], index ascending: a view where these columns are neighbours."""
    if len(index) == 0 or index[-1] - index[0] == len(index) - 1:
        return A[:, index[0] : index[-1] + 1] if len(index) else A[:, :0]
    taken = np.empty((len(A), len(index)), A.dtype)
    modular.py_take(A, index, taken)
    return taken


def product_mod(A: Array, B: Array, p: int) -> Int64:
    """Return A B modulo an odd prime, entries 0..p-1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular.residues import product_mod
    >>> product_mod(np.array([[2**62, 3]]), np.array([[2**62], [5]]), 2**61 - 1)
    array([[19]])
    """
    C = encode(np.zeros((A.shape[0], B.shape[1]), np.int64), p)
    pack = np.empty(residues.py_product_size(p, C.shape[0], C.shape[1], len(B)))
    minus = np.negative(decode(encode(A, p), p))  # residues first: -2^63 has no negative
    residues.py_subtract_product(p, encode(minus, p), encode(B, p), C, pack)
    return decode(C, p)
