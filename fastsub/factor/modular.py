"""Row echelon form, inverse and determinant of integer matrices modulo a prime p < 2^63.

The policy over `kernels/modular` (odd p) and `kernels/gf2`: which residues, which panels, and the
memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.errors import RankDeficientError
from fastsub.factor.primes import check_prime, is_prime, next_prime, previous_prime
from fastsub.kernels import gf2, modular

__all__ = [
    "ModularEchelon",
    "check_prime",
    "det_mod",
    "inverse_mod",
    "is_prime",
    "next_prime",
    "previous_prime",
    "product_mod",
    "rank_mod",
    "rref_mod",
    "solve_mod",
]

Array = NDArray[Any]
Int64 = NDArray[np.int64]
Index = NDArray[np.intp]

# Columns of a panel, and of one of integers from some order on, where putting products together
# costs more than finding pivots: `python -m bench compare modular`.
_PANEL = 128
_WIDE_PANEL = 256
_WIDE_FROM = 1500


@dataclass(frozen=True)
class ModularEchelon:
    """Reduced row echelon form modulo p.

    Attributes
    ----------
    padded : ndarray, shape (m, n)
        The form with its zero rows, entries 0..p-1; int64, for p = 2 uint8.
    pivots : ndarray, shape (rank,), dtype int64
        The leftmost independent columns, ascending.
    rows : ndarray, shape (rank,), dtype int64
        Rows of A that are independent, in the order of the elimination: ``A[rows][:, pivots]`` is
        invertible.
    p : int
        The modulus.
    """

    padded: Array
    pivots: Int64
    rows: Int64
    p: int

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return len(self.pivots)

    @property
    def R(self) -> Array:
        """The rows that are not zero, (rank, n)."""
        return self.padded[: self.rank]

    @property
    def free(self) -> Index:
        """Columns without a pivot, ascending."""
        return _free(self.pivots, self.padded.shape[1])


@dataclass(frozen=True)
class _Eliminated:
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


def _encode(A: Array, p: int, out: Array | None = None) -> Array:
    """Return A as a C-ordered array of residues in the representation that p wants."""
    if A.dtype == np.uint64:
        A = np.mod(A, np.uint64(p))
    rows = A.dtype == np.int64 and A.flags.aligned and A.strides[0] % A.itemsize == 0
    if not rows or (A.shape[1] > 1 and A.strides[1] != A.itemsize):
        A = np.ascontiguousarray(A, dtype=np.int64)
    if out is None:
        out = np.empty(A.shape, np.int64 if modular.py_is_wide(p) else np.float64)
    modular.py_encode(A, p, out)
    return out


def _decode(W: Array, p: int) -> Int64:
    A = np.empty(W.shape, np.int64)
    modular.py_decode(W, p, A)
    return A


def _workspace(p: int, m: int, n: int, w: int, dtype: Any) -> tuple[Array, Array]:
    size, pack = modular.py_work_size(p, m, n, w)
    return np.empty(size, dtype), np.empty(pack)


def _eliminate(W: Array, p: int) -> _Eliminated:
    """Eliminate W, which is overwritten."""
    m, n = W.shape
    least = min(m, n)
    wide = W.dtype == np.int64 and least >= _WIDE_FROM
    w = max(1, min(_WIDE_PANEL if wide else _PANEL, n))
    rows = np.arange(m)
    cols, starts = np.empty(least, np.intp), np.empty(least + 1, np.intp)
    values, swaps = np.empty(least, np.int64), np.empty(w, np.intp)
    work, pack = _workspace(p, m, n, w, W.dtype)
    rank, blocks, odd = 0, 0, False
    if least:
        rank, blocks, odd = modular.py_eliminate(
            p, W, w, rows, cols, starts, values, swaps, np.empty(w * w, W.dtype), work, pack
        )
    return _Eliminated(
        W, rank, blocks, odd, rows[:rank], cols[:rank], starts, values[:rank], (work, pack)
    )


def _free(pivots: NDArray[np.integer[Any]], n: int) -> Index:
    mask = np.ones(n, bool)
    mask[pivots] = False
    return np.flatnonzero(mask)


def _columns(A: Array, index: Index) -> Array:
    """Return A[:, index], index ascending: a view where these columns are neighbours."""
    if len(index) == 0 or index[-1] - index[0] == len(index) - 1:
        return A[:, index[0] : index[-1] + 1] if len(index) else A[:, :0]
    taken = np.empty((len(A), len(index)), A.dtype)
    modular.py_take(A, index, taken)
    return taken


def _bits(A: Array, out: Array | None = None) -> NDArray[np.uint64]:
    """Return the lowest bits of A, 64 columns a word."""
    kind: Any = np.uint8 if A.dtype.itemsize == 1 else np.int64
    if out is None:
        out = np.empty((A.shape[0], -(-A.shape[1] // 64)), np.uint64)
    gf2.py_pack(np.ascontiguousarray(A).view(kind), out)
    return out


def _reduce_bits(A: Array) -> tuple[NDArray[np.uint64], Index, Index]:
    """Return the reduced echelon form over GF(2) in words, the pivots and the rows."""
    W = _bits(A)
    m, words = W.shape
    rows, cols = np.arange(m), np.empty(min(m, 64 * words), np.intp)
    tables = np.empty(gf2.py_table_size(words), np.uint64)
    rank = gf2.py_reduce(W, rows, cols, np.empty(m, np.uint64), tables)
    return W, cols[:rank], rows[:rank]


def rref_mod(A: Array, p: int, *, verify: bool = False) -> ModularEchelon:
    """Return the reduced row echelon form of A modulo a prime.

    Parameters
    ----------
    A : ndarray, shape (m, n), dtype int64 or uint64; for p = 2 also bool, int8 or uint8
        Any integers.
    p : int
        A prime below 2**63 (not tested again here).
    verify : bool
        Whether to prove A N = 0, in 2 m r (n - r) operations, for the null space that it says.

    Returns
    -------
    ModularEchelon

    Raises
    ------
    ArithmeticError
        If the proof fails: there is an error in this package, its BLAS or the machine.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import rref_mod
    >>> E = rref_mod(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 65521)
    >>> E.R.tolist(), E.pivots.tolist()
    ([[1, 0, 65520], [0, 1, 2]], [0, 1])
    """
    if p == 2:
        bits, cols, rows = _reduce_bits(A)
        padded = np.zeros(A.shape, np.uint8)
        gf2.py_unpack(bits, padded[: len(cols)])
        scratch: Array = bits
    else:
        E = _eliminate(_encode(A, p), p)
        cols, rows, scratch = E.cols, E.rows, E.U
        padded = np.zeros(A.shape, np.int64)
        padded[np.arange(E.rank), cols] = 1
        free = _free(cols, A.shape[1])
        X = _columns(E.U, free)[: E.rank]
        modular.py_substitute(p, E.U, E.blocks, E.starts, cols, X, *E.workspace)
        if X.base is E.U:
            modular.py_decode(X, p, _columns(padded, free)[: E.rank])
        else:
            padded[: E.rank, free] = _decode(X, p)
    result = ModularEchelon(padded, cols.astype(np.int64), rows.astype(np.int64), p)
    if verify and not _is_reduced(A, result, scratch):
        raise ArithmeticError(f"the echelon form modulo {p} fails A N = 0: please report this")
    return result


def _is_reduced(A: Array, E: ModularEchelon, scratch: Array) -> bool:
    """Whether every row of A is the sum of rows of E that its entries at the pivots say, mod p.

    Then A N = 0 for the null space N that E describes, and the rank is not above that of E.
    `scratch` is overwritten by A, encoded.
    """
    p = E.p
    if not len(E.free):
        return True
    if p == 2:
        tables = np.empty(gf2.py_table_size(scratch.shape[1]), np.uint64)
        pivots = E.pivots.astype(np.intp)
        return bool(gf2.py_vanishes(_bits(A, scratch), _bits(E.R), pivots, tables))
    W = _encode(A, p, scratch)
    X = _encode(_columns(E.padded, E.free)[: E.rank], p)
    rest, pivots = _columns(W, E.free), _columns(W, E.pivots.astype(np.intp))
    pack = np.empty(modular.py_product_size(p, len(W), len(E.free), E.rank))
    modular.py_subtract_product(p, pivots, X, rest, pack)
    return bool(modular.py_is_zero(rest))


def product_mod(A: Array, B: Array, p: int) -> Int64:
    """Return A B modulo an odd prime, entries 0..p-1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import product_mod
    >>> product_mod(np.array([[2**62, 3]]), np.array([[2**62], [5]]), 2**61 - 1)
    array([[19]])
    """
    C = _encode(np.zeros((A.shape[0], B.shape[1]), np.int64), p)
    pack = np.empty(modular.py_product_size(p, C.shape[0], C.shape[1], len(B)))
    minus = np.negative(_decode(_encode(A, p), p))  # residues first: -2^63 has no negative
    modular.py_subtract_product(p, _encode(minus, p), _encode(B, p), C, pack)
    return _decode(C, p)


def rank_mod(A: Array, p: int) -> int:
    """Return the rank of A modulo a prime: two thirds of the work of `rref_mod`, or less."""
    return len(_reduce_bits(A)[1]) if p == 2 else _eliminate(_encode(A, p), p).rank


def det_mod(B: Array, p: int) -> int:
    """Return the determinant of a square B modulo a prime, in 0..p-1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import det_mod
    >>> det_mod(np.array([[1, 2], [3, 4]]), 101)
    99
    """
    if p == 2:
        return int(rank_mod(B, p) == len(B))
    E = _eliminate(_encode(B, p), p)
    if E.rank < len(B):
        return 0
    det = 1
    for value in E.values.tolist():
        det = det * value % p
    return (p - det) % p if E.odd else det


def _singular(rank: int, n: int, p: int) -> RankDeficientError:
    return RankDeficientError(f"the matrix is singular modulo {p}: rank {rank} of {n}", rank)


def inverse_mod(B: Array, p: int) -> Array:
    """Return the inverse of a square B modulo a prime, entries 0..p-1, in 2 n^3 operations.

    Raises
    ------
    RankDeficientError
        If B is singular modulo p.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import inverse_mod
    >>> inverse_mod(np.array([[1, 2], [3, 4]]), 101)
    array([[99,  1],
           [52, 50]])
    """
    n = len(B)
    if p == 2:
        E = rref_mod(np.hstack([B, np.eye(n, dtype=B.dtype)]), p)
        rank = int(np.count_nonzero(E.pivots < n))
        if rank < n:
            raise _singular(rank, n, p)
        return E.R[:, n:]
    W = _encode(B, p)
    T = np.empty_like(W)
    cols, swaps, values = np.empty(n, np.intp), np.empty(n, np.intp), np.empty(n, np.int64)
    work, pack = _workspace(p, n, n, n, W.dtype)
    rank = modular.py_find_pivots(p, W, swaps, cols, values, T, work, pack)
    if rank < n:
        raise _singular(rank, n, p)
    # T inverts the matrix with its rows exchanged: the columns of T go back.
    order = np.arange(n)
    for i, j in enumerate(swaps.tolist()):
        order[[i, j]] = order[[j, i]]
    result = np.empty((n, n), np.int64)
    result[:, order] = _decode(T, p)
    return result


def solve_mod(A: Array, b: Array, p: int) -> Array:
    """Return a solution of A x = b modulo a prime, zero where A has no pivot, entries 0..p-1.

    Parameters
    ----------
    A : ndarray, shape (m, n), dtype int64 or uint64
    b : ndarray, shape (m,) or (m, k), of the same dtype
    p : int
        A prime below 2**63.

    Raises
    ------
    numpy.linalg.LinAlgError
        If there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import solve_mod
    >>> solve_mod(np.array([[1, 2], [3, 4]]), np.array([5, 6]), 101)
    array([97, 55])
    """
    n = A.shape[1]
    columns = b[:, None] if b.ndim == 1 else b
    E = rref_mod(np.hstack([A, columns]), p)
    if E.rank and E.pivots[-1] >= n:
        column = int(E.pivots[-1]) - n
        where = "b" if b.ndim == 1 else f"column {column} of b"
        raise RankDeficientError(
            f"A x = b has no solution modulo {p}: {where} is outside the column space of A, of "
            f"rank {int(np.count_nonzero(E.pivots < n))}",
            int(np.count_nonzero(E.pivots < n)),
        )
    x = np.zeros((n, columns.shape[1]), E.R.dtype)
    x[E.pivots] = E.R[:, n:]
    return x.reshape((n, *b.shape[1:]))
