"""Rows that come and go, numbered by arrival: appending and dropping k of them costs O(k n)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array


class Rows:
    """Tables with one row for each observation, kept side by side.

    Parameters
    ----------
    *tables : ndarray, shape (m, ...)
        Copied.

    Notes
    -----
    Space doubles when it is full. Dropped rows are marked, and squeezed out when they are half of
    all: over many calls that costs O(n) a row.
    """

    def __init__(self, *tables: Array) -> None:
        self._tables = [np.array(table, order="C") for table in tables]
        self._used = len(tables[0])
        self._numbers = np.arange(self._used)
        self._alive = np.ones(self._used, bool)
        self._next = self.count = self._used

    def append(self, *tables: Array) -> None:
        """Add rows at the end; they get the next numbers."""
        used, k = self._used, len(tables[0])
        if used + k > len(self._alive):
            size = max(used + k, 2 * used)
            *self._tables, self._numbers, self._alive = (
                np.concatenate([old, np.empty((size - len(old), *old.shape[1:]), old.dtype)])
                for old in (*self._tables, self._numbers, self._alive)
            )
        part = slice(used, used + k)
        for table, new in zip(self._tables, tables, strict=True):
            table[part] = new
        self._numbers[part] = np.arange(self._next, self._next + k)
        self._alive[part] = True
        self._used, self._next, self.count = used + k, self._next + k, self.count + k

    def find(self, numbers: Any) -> Array:
        """Return the positions of rows by their numbers, shape (k,).

        Raises
        ------
        IndexError
            If one is not there (any more), or named twice.
        TypeError
            If they are not integers.
        """
        wanted = np.atleast_1d(np.asarray(numbers))
        if wanted.size == 0:
            return np.empty(0, np.intp)
        if wanted.dtype.kind not in "iu" or wanted.ndim != 1:
            raise TypeError(f"rows are named by integers in one dimension, got {numbers!r}")
        used = self._numbers[: self._used]
        at = np.minimum(np.searchsorted(used, wanted), max(self._used - 1, 0))
        missing = wanted[(used[at] != wanted) | ~self._alive[at]] if self._used else wanted
        if missing.size:
            raise IndexError(
                f"row {missing[0]} is not there: rows are numbered from 0 in the order in which "
                f"they came, and keep their number; {self.count} of {self._next} are left"
            )
        if np.unique(at).size < at.size:
            raise IndexError("a row is named twice")
        return np.asarray(at, np.intp)

    def at(self, positions: Array) -> list[Array]:
        """Return these rows of every table."""
        return [table[positions] for table in self._tables]

    def drop(self, positions: Array) -> None:
        """Forget these rows."""
        self._alive[positions] = False
        self.count -= len(positions)
        if 2 * self.count < self._used:
            keep = np.flatnonzero(self._alive[: self._used])
            self._tables = self.at(keep)
            self._numbers, self._alive = self._numbers[keep], np.ones(len(keep), bool)
            self._used = len(keep)

    @property
    def numbers(self) -> Array:
        """Numbers of the rows that are there, ascending."""
        return self._numbers[: self._used][self._alive[: self._used]]

    def all(self) -> list[Array]:
        """Return the rows that are there, of every table."""
        alive = self._alive[: self._used]
        if self.count == self._used:
            return [table[: self._used] for table in self._tables]
        return [table[: self._used][alive] for table in self._tables]
