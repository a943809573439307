"""Fraction-free Gauss-Jordan elimination (Bareiss 1968), for small matrices.

With d the last pivot and k the order of the pivots so far, the rows stay integers:

    d R = (d I  X)        every entry a minor of order k or k + 1 of Z
          ( 0   S)

so the numbers grow no faster than determinants do, and each division is exact.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.entries import compact
from fastsub.exact.reduction import Reduction
from fastsub.kernels.bareiss import py_bareiss

Array = NDArray[Any]


def bareiss(Z: Array) -> Reduction:
    """Return the reduced echelon form of Z (m, n), int64 or object; about 2 m n r products."""
    m, n = Z.shape
    rows: list[list[int]] = Z.tolist()
    pivots: list[int] = []
    last = 1
    for c in range(n):
        k = len(pivots)
        candidates = [i for i in range(k, m) if rows[i][c]]
        if not candidates:
            continue
        best = min(candidates, key=lambda i: abs(rows[i][c]))
        rows[k], rows[best] = rows[best], rows[k]
        pivot = rows[k]
        now = pivot[c]
        for i, row in enumerate(rows):
            if i == k:
                continue
            factor = row[c]
            if factor:
                rows[i] = [(now * x - factor * y) // last for x, y in zip(row, pivot, strict=True)]
            elif now != last:
                rows[i] = [now * x // last if x else 0 for x in row]
        last = now
        pivots.append(c)
        if len(pivots) == m:
            break
    r = len(pivots)
    free = sorted(set(range(n)) - set(pivots))
    X = [[row[j] for j in free] for row in rows[:r]]
    common = gcd(last, *(x for row in X for x in row))
    share = -common if last < 0 else common
    if share != 1:
        X = [[x // share for x in row] for row in X]
    entries = np.array(X, dtype=object).reshape(r, n - r)
    return Reduction(compact(entries), last // share, tuple(pivots), n)


def bareiss64(Z: Array) -> Reduction | None:
    """The same in 64 bits, or None where minors may not fit."""
    found = echelon64(Z)
    return None if found is None else Reduction.of_rows(*found)


def echelon64(Z: Array) -> tuple[Array, int, tuple[int, ...]] | None:
    """Return d times the echelon form (m, n), d, the pivots; None where minors may not fit."""
    Z = np.ascontiguousarray(Z)
    R = Z.copy()
    found = py_bareiss(Z, R)
    return None if found is None else (R, *found)


def determinant(Z: Array) -> int:
    """Return the determinant of Z (n, n): n^3 products and divisions of Python integers."""
    rows: list[list[int]] = Z.tolist()
    last, sign = 1, 1
    while rows:
        best = next((i for i, row in enumerate(rows) if row[0]), None)
        if best is None:
            return 0
        if best:
            rows[0], rows[best], sign = rows[best], rows[0], -sign
        now, *pivot = rows[0]
        rows = [
            [(now * x - row[0] * y) // last for x, y in zip(row[1:], pivot, strict=True)]
            for row in rows[1:]
        ]
        last = now
    return sign * last
