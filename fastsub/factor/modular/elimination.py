"""Row echelon form, inverse and determinant of integer matrices modulo a prime p < 2^63.

Bits in words for p = 2, rows one by one for small matrices, blocks for all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.errors import RankDeficientError
from fastsub.factor.modular import gf2
from fastsub.factor.modular.primes import check_prime, is_prime, next_prime, previous_prime
from fastsub.factor.modular.residues import (
    decode,
    eliminate,
    encode,
    free_columns,
    integers,
    jordan,
    product_mod,
    reduced_form,
    take_columns,
    workspace,
)
from fastsub.kernels import modular, modular_pivots, residues
from fastsub.kernels.jordan import py_spans

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

# Entries up to which elimination row by row, in one call, is faster than by blocks: for p below
# 2**26, where residues are doubles in both, and above.
_SMALL, _SMALL_WIDE = 4096, 576


@dataclass(slots=True)
class ModularEchelon:
    """Reduced row echelon form modulo p.

    Attributes
    ----------
    padded : ndarray, shape (m, n)
        The form with its zero rows, entries 0..p-1; int64, for p = 2 uint8.
    pivots : ndarray, shape (rank,), dtype intp
        The leftmost independent columns, ascending.
    rows : ndarray, shape (rank,), dtype intp
        Rows of A that are independent, in the order of the elimination: ``A[rows][:, pivots]`` is
        invertible.
    p : int
        The modulus.
    """

    padded: Array
    pivots: Index
    rows: Index
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
        return free_columns(self.pivots, self.padded.shape[1])


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
    >>> from fastsub.factor.modular.elimination import rref_mod
    >>> E = rref_mod(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 65521)
    >>> E.R.tolist(), E.pivots.tolist()
    ([[1, 0, 65520], [0, 1, 2]], [0, 1])
    """
    if p == 2:
        bits, cols, rows = gf2.reduce(A)
        result = ModularEchelon(gf2.unpack(bits, len(cols), A.shape), cols, rows, p)
        proved = not verify or not len(result.free) or gf2.vanishes(A, result.R, cols, bits)
    elif A.size <= (_SMALL if p < 2**26 else _SMALL_WIDE):
        A = integers(A, p)
        result = ModularEchelon(*jordan(A, p), p)
        full = not verify or result.rank == A.shape[1]
        proved = full or py_spans(result.padded, result.pivots, p, A)
    else:
        E = eliminate(encode(A, p), p)
        result = ModularEchelon(reduced_form(E, A.shape, p), E.cols, E.rows, p)
        proved = not verify or _is_reduced(A, result, E.U)
    if not proved:
        raise ArithmeticError(f"the echelon form modulo {p} fails A N = 0: please report this")
    return result


def _is_reduced(A: Array, E: ModularEchelon, scratch: Array) -> bool:
    """Whether every row of A is the sum of rows of E that its entries at the pivots say, mod p.

    Then A N = 0 for the null space N that E describes, and the rank is not above that of E.
    `scratch` is overwritten by A, encoded.
    """
    p, free = E.p, E.free
    if not len(free):
        return True
    W = encode(A, p, scratch)
    X = encode(take_columns(E.padded, free)[: E.rank], p)
    rest, pivots = take_columns(W, free), take_columns(W, E.pivots)
    pack = np.empty(residues.py_product_size(p, len(W), len(free), E.rank))
    residues.py_subtract_product(p, pivots, X, rest, pack)
    return bool(modular.py_is_zero(rest))


def rank_mod(A: Array, p: int) -> int:
    """Return the rank of A modulo a prime: two thirds of the work of `rref_mod`, or less."""
    return len(gf2.reduce(A)[1]) if p == 2 else eliminate(encode(A, p), p).rank


def det_mod(B: Array, p: int) -> int:
    """Return the determinant of a square B modulo a prime, in 0..p-1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular.elimination import det_mod
    >>> det_mod(np.array([[1, 2], [3, 4]]), 101)
    99
    """
    if p == 2:
        return int(rank_mod(B, p) == len(B))
    E = eliminate(encode(B, p), p)
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
    >>> from fastsub.factor.modular.elimination import inverse_mod
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
    W = encode(B, p)
    T = np.empty_like(W)
    cols, swaps, values = np.empty(n, np.intp), np.empty(n, np.intp), np.empty(n, np.int64)
    work, pack = workspace(p, n, n, n, W.dtype)
    rank = modular_pivots.py_find_pivots(p, W, swaps, cols, values, T, work, pack)
    if rank < n:
        raise _singular(rank, n, p)
    # T inverts the matrix with its rows exchanged: the columns of T go back.
    order = np.arange(n)
    for i, j in enumerate(swaps.tolist()):
        order[[i, j]] = order[[j, i]]
    result = np.empty((n, n), np.int64)
    result[:, order] = decode(T, p)
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
    >>> from fastsub.factor.modular.elimination import solve_mod
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
