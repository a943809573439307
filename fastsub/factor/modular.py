"""Row echelon form, inverse and determinant of integer matrices modulo a prime p < 2^63.

The policy over `kernels/modular` (odd p): which residues, which panels, and the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.errors import RankDeficientError
from fastsub.kernels import modular

Array = NDArray[Any]
Int64 = NDArray[np.int64]
Index = NDArray[np.intp]

# Columns of a panel: `python -m bench compare modular`.
_PANEL = 128
# Primes that prove primality below 3.3e24 (Sorenson & Webster, Strong pseudoprimes to twelve prime
# bases, Math. Comp. 86 (2017)).
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_LIMIT = 2**63


def is_prime(p: int) -> bool:
    """Whether p < 2**64 is a prime, by twelve Miller-Rabin tests that prove it.

    Examples
    --------
    >>> from fastsub.factor.modular import is_prime
    >>> is_prime(2**61 - 1), is_prime(3215031751)
    (True, False)
    """
    p = int(p)
    if p < 2:
        return False
    for q in _WITNESSES:
        if p % q == 0:
            return p == q
    odd, twos = p - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for a in _WITNESSES:
        x = pow(a, odd, p)
        if x in (1, p - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % p
            if x == p - 1:
                break
        else:
            return False
    return True


def next_prime(n: int) -> int:
    """Return the least prime above n.

    Examples
    --------
    >>> from fastsub.factor.modular import next_prime
    >>> next_prime(2**22)
    4194319
    """
    n = int(n) + 1
    if n <= 2:
        return 2
    n += n % 2 == 0
    while not is_prime(n):
        n += 2
    return n


def previous_prime(n: int) -> int:
    """Return the greatest prime below n.

    Raises
    ------
    ValueError
        If n <= 2: there is none.

    Examples
    --------
    >>> from fastsub.factor.modular import previous_prime
    >>> previous_prime(2**23)
    8388593
    """
    n = int(n) - 1
    if n < 2:
        raise ValueError(f"no prime is below {n + 1}")
    if n == 2:
        return 2
    n -= n % 2 == 0
    while not is_prime(n):
        n -= 2
    return n


def check_prime(p: Any, name: str = "p") -> int:
    """Return the modulus as an int.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is not a prime below 2**63.
    """
    try:
        modulus = p.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an integer, got {p!r}") from None
    if not 2 <= modulus < _LIMIT or not is_prime(modulus):
        raise ValueError(f"{name} must be a prime below 2**63, got {modulus}")
    return int(modulus)


@dataclass(frozen=True)
class ModularEchelon:
    """Reduced row echelon form modulo p.

    Attributes
    ----------
    R : ndarray, shape (rank, n), dtype int64
        Its nonzero rows, entries 0..p-1.
    pivots : ndarray, shape (rank,), dtype int64
        The leftmost independent columns, ascending.
    rows : ndarray, shape (rank,), dtype int64
        Rows of A that are independent, in the order of the elimination: ``A[rows][:, pivots]`` is
        invertible, and all its leading blocks of a panel are.
    p : int
        The modulus.
    """

    R: Int64
    pivots: Int64
    rows: Int64
    p: int

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return len(self.pivots)

    @property
    def free(self) -> Int64:
        """Columns without a pivot, ascending."""
        mask = np.ones(self.R.shape[1], bool)
        mask[self.pivots] = False
        return np.flatnonzero(mask).astype(np.int64)


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


def _encode(A: Array, p: int) -> Array:
    """Return A as a C-ordered array of residues in the representation that p wants."""
    if A.dtype == np.uint64:
        A = np.mod(A, np.uint64(p))
    A = np.ascontiguousarray(A, dtype=np.int64)
    W: Array = np.empty(A.shape, np.int64 if modular.py_is_wide(p) else np.float64)
    modular.py_encode(A, p, W)
    return W


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
    w = max(1, min(_PANEL, n))
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


def rref_mod(A: Array, p: int) -> ModularEchelon:
    """Return the reduced row echelon form of A modulo a prime.

    Parameters
    ----------
    A : ndarray, shape (m, n), dtype int64 or uint64
        Any integers.
    p : int
        A prime below 2**63 (not tested again here).

    Returns
    -------
    ModularEchelon

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import rref_mod
    >>> E = rref_mod(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 65521)
    >>> E.R.tolist(), E.pivots.tolist()
    ([[1, 0, 65520], [0, 1, 2]], [0, 1])
    """
    n = A.shape[1]
    E = _eliminate(_encode(A, p), p)
    R = np.zeros((E.rank, n), np.int64)
    R[np.arange(E.rank), E.cols] = 1
    mask = np.ones(n, bool)
    mask[E.cols] = False
    free = np.flatnonzero(mask)
    if E.rank and len(free):
        X = np.ascontiguousarray(E.U[: E.rank, free])
        modular.py_substitute(p, E.U, E.blocks, E.starts, E.cols, X, *E.workspace)
        R[:, free] = _decode(X, p)
    return ModularEchelon(R, E.cols.astype(np.int64), E.rows.astype(np.int64), p)


def rank_mod(A: Array, p: int) -> int:
    """Return the rank of A modulo a prime: two thirds of the work of `rref_mod`, or less."""
    return _eliminate(_encode(A, p), p).rank


def det_mod(B: Array, p: int) -> int:
    """Return the determinant of a square B modulo a prime, in 0..p-1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.modular import det_mod
    >>> det_mod(np.array([[1, 2], [3, 4]]), 101)
    99
    """
    E = _eliminate(_encode(B, p), p)
    if E.rank < len(B):
        return 0
    det = 1
    for value in E.values.tolist():
        det = det * value % p
    return (p - det) % p if E.odd else det


def inverse_mod(B: Array, p: int) -> Int64:
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
    W = _encode(B, p)
    T = np.empty_like(W)
    cols, swaps, values = np.empty(n, np.intp), np.empty(n, np.intp), np.empty(n, np.int64)
    work, pack = _workspace(p, n, n, n, W.dtype)
    rank = modular.py_find_pivots(p, W, swaps, cols, values, T, work, pack)
    if rank < n:
        raise RankDeficientError(f"the matrix is singular modulo {p}: rank {rank} of {n}", rank)
    # T inverts the matrix with its rows exchanged: the columns of T go back.
    order = np.arange(n)
    for i, j in enumerate(swaps.tolist()):
        order[[i, j]] = order[[j, i]]
    result = np.empty((n, n), np.int64)
    result[:, order] = _decode(T, p)
    return result


def solve_mod(A: Array, b: Array, p: int) -> Int64:
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
    columns = b.reshape(len(b), -1)
    E = rref_mod(np.hstack([A, columns]), p)
    if E.rank and E.pivots[-1] >= n:
        column = int(E.pivots[-1]) - n
        where = "b" if b.ndim == 1 else f"column {column} of b"
        raise RankDeficientError(
            f"A x = b has no solution modulo {p}: {where} is outside the column space of A, of "
            f"rank {int(np.count_nonzero(E.pivots < n))}",
            int(np.count_nonzero(E.pivots < n)),
        )
    x = np.zeros((n, columns.shape[1]), np.int64)
    x[E.pivots] = E.R[:, n:]
    return x.reshape((n, *b.shape[1:]))
