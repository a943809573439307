"""What elimination of an integer matrix leaves, and the basis of the null space in it.

    Z (m, n), rank r:   d Z[:, free] = Z[:, pivots] X        X (r, n - r) and d > 0 integers

The pivots are the leftmost independent columns, so X has zeros left of its pivots' columns: with
ones at the pivots it is d times the reduced row echelon form.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.entries import compact

Array = NDArray[Any]


@dataclass(slots=True)
class Reduction:
    """The reduced row echelon form of an integer matrix.

    Attributes
    ----------
    X : ndarray, shape (r, n - r)
        Numerators of the free columns, int64 or object.
    d : int
        The common denominator, positive.
    pivots : tuple of int
    n : int
        Number of columns.
    """

    X: Array
    d: int
    pivots: tuple[int, ...]
    n: int

    @classmethod
    def of_rows(cls, R: Array, d: int, pivots: tuple[int, ...]) -> Reduction:
        """From all columns of d times the echelon form."""
        n = R.shape[1]
        return cls(R[: len(pivots), free_columns(pivots, n)], d, pivots, n)

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return len(self.pivots)

    @property
    def free(self) -> list[int]:
        """Columns without a pivot."""
        return free_columns(self.pivots, self.n)

    def scaled(self, columns: list[int]) -> Reduction:
        """Return the reduction of Z diag(1/columns)."""
        left = np.array([columns[j] for j in self.pivots], dtype=object)
        right = [columns[j] for j in self.free]
        common = 1
        for c in right:
            common = common * c // gcd(common, c)
        X = self.X.astype(object) * left[:, None]
        X = X * np.array([common // c for c in right], dtype=object)
        d = self.d * common
        share = gcd(d, *X.flat)
        return Reduction(compact(X // share), d // share, self.pivots, self.n)

    def rows(self, m: int) -> Array:
        """Return d times the reduced echelon form, (m, n)."""
        X = self.X
        dtype = object if X.dtype == object or self.d > 2**63 - 1 else np.int64
        R = np.zeros((m, self.n), dtype)
        R[np.arange(self.rank), list(self.pivots)] = self.d
        R[: self.rank, self.free] = X
        return R

    def null_space(self) -> Array:
        """Return the special solutions, each divided by its content: (n, n - r)."""
        free = self.free
        dtype = object if self.X.dtype == object or self.d > 2**63 - 1 else np.int64
        N = np.zeros((self.n, len(free)), dtype)
        N[list(self.pivots)] = -self.X
        N[free, np.arange(len(free))] = self.d
        return primitive(N)


def free_columns(pivots: tuple[int, ...], n: int) -> list[int]:
    """Return the other columns, in order."""
    taken = set(pivots)
    return [j for j in range(n) if j not in taken]


def primitive(N: Array) -> Array:
    """Divide every column by the greatest common divisor of its entries, in place."""
    if N.dtype != object:
        # Most vectors hold a one: only the others can have a content.
        others = np.flatnonzero(~((N == 1) | (N == -1)).any(axis=0))
        if N.size and len(others):
            N[:, others] //= np.maximum(np.gcd.reduce(N[:, others], axis=0), 1)
        return N
    for column in N.T:
        content = gcd(*column)
        if content > 1:
            column //= content
    return compact(N)
