"""The reduced echelon form of an integer matrix: which algorithm, and which prime.

A prime shows pivots, a lifting proves them: rank modulo p is never above the rank, and n - r
vectors that Z annihilates show that it is not below. The pivots are the leftmost ones if no free
column needs a pivot on its right. A prime that fails either test divides a minor it must not, and
the next is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.bareiss import bareiss, bareiss64
from fastsub.exact.entries import compact
from fastsub.exact.lifting import solve_lifted
from fastsub.exact.numbers import Dense, Sparse
from fastsub.exact.reduction import Reduction, free_columns
from fastsub.factor.modular import elimination as modular

Array = NDArray[Any]

# Up to so many entries elimination in 64 bits is tried first; up to m n min(m, n) of so many Python
# integers are as fast as primes, which cost a millisecond at least.
SMALL = 4096
_TINY = 4000
# float32 holds an inverse modulo p in balanced residues up to here.
_LARGEST_PRIME = 2**24


def reduce(M: Dense | Sparse) -> Reduction:
    """Return the reduced echelon form of a rational matrix, proved."""
    if isinstance(M, Sparse):
        M = M.dense()
    reduction = reduce_integers(M.Z)
    return reduction if M.columns is None else reduction.scaled(M.columns)


def reduce_integers(Z: Array) -> Reduction:
    """Return the reduced echelon form of integers Z (m, n), proved."""
    found = small(Z)
    if found is not None:
        return found
    for p in primes(min(Z.shape)):
        found = lifted(Z, modular.rref_mod(residues(Z, p), p), p)
        if found is not None:
            return found
    raise AssertionError("there are infinitely many primes")


def independent(Z: Array) -> tuple[int, ...]:
    """Return columns that are a basis of the column space, proved: as many as the rank."""
    m, n = Z.shape
    found = small(Z)
    if found is not None:
        return found.pivots
    for p in primes(min(m, n)):
        E = modular.rref_mod(residues(Z, p), p)
        pivots = tuple(E.pivots.tolist())
        # Independent modulo p is independent; the smaller null space proves that no more are.
        if len(pivots) == min(m, n):
            return pivots
        side = Z if n <= m else Z.T
        if n > m:
            E = modular.rref_mod(residues(side, p), p)
        if lifted(side, E, p) is not None:
            return pivots
    raise AssertionError("there are infinitely many primes")


def small(Z: Array) -> Reduction | None:
    """Return the reduction of what is too small for primes; None for all others."""
    found = bareiss64(Z) if Z.size <= SMALL and Z.dtype != object else None
    if found is None and Z.size <= SMALL and Z.size * min(Z.shape) <= _TINY:
        return bareiss(Z)
    return found


def lifted(Z: Array, E: Any, p: int) -> Reduction | None:
    """Return the reduction whose pivots modulo p are E's, or None if it is not that over Q."""
    n = Z.shape[1]
    pivots: tuple[int, ...] = tuple(E.pivots.tolist())
    r = len(pivots)
    free = free_columns(pivots, n)
    if not free:
        return Reduction(np.zeros((r, 0), np.int64), 1, pivots, n)
    found = lifted_columns(Z, E.rows.tolist(), list(pivots), Z[:, free], p)
    if found is None:
        return None
    later = np.array(pivots)[:, None] > np.array(free)
    return None if found[0][later].any() else Reduction(*found, pivots, n)


def lifted_columns(
    Z: Array, rows: list[int], pivots: list[int], Y: Array, p: int
) -> tuple[Array, int] | None:
    """Return X, d with ``Z[:, pivots] X = d Y``, proved, or None if there are none.

    The block of these rows and pivots must be invertible modulo p.
    """
    order = rows + free_columns(tuple(rows), len(Z))
    B = Z[np.ix_(order, pivots)]
    if not pivots:
        return None if Y.any() else (np.zeros((0, Y.shape[1]), np.int64), 1)
    inverse = modular.inverse_mod(residues(B[: len(rows)], p), p)
    found = solve_lifted(B, Y[order], inverse, p)
    return None if found is None else over_content(*found)


def over_content(X: Array, d: int) -> tuple[Array, int]:
    """Divide by what X and d > 0 have in common."""
    content = d
    for x in X.flat:
        if content == 1:
            return X, d
        content = gcd(content, int(x))
    return compact(X // content), d // content


def primes(order: int) -> Iterator[int]:
    """Yield primes p with order p^2 < 2^55 and below 2^24, the largest first."""
    p = min(_LARGEST_PRIME, isqrt(2**55 // max(order, 1)))
    while True:
        p = int(modular.previous_prime(p))
        yield p


def residues(Z: Array, p: int) -> Array:
    """Return int64 that are Z modulo p."""
    return Z if Z.dtype != object else (Z % p).astype(np.int64)
