"""Structured elimination: the pivots 1 and -1 that cost least, then the dense core that is left.

A row whose pivot is a unit is subtracted from the others in integers, and no denominators grow. Of
the columns with fewest entries the sparsest row with a unit in it is taken (Markowitz 1957: at most
(row entries - 1)(column entries - 1) new ones). In a network almost everything goes so:

    rows of units   ( U  * )    each determines its own variable by those eliminated later
    core            ( 0  C )    its null space is found by dense means
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact import eliminate
from fastsub.exact.entries import compact
from fastsub.exact.numbers import Sparse
from fastsub.exact.reduction import primitive
from fastsub.kernels.rows import py_annihilates, py_substitute

Array = NDArray[Any]

# Elimination by dictionaries is over when this share of what is left is nonzero.
_DENSE = 0.25
_LIMIT = 2**62


@dataclass(slots=True)
class Condensed:
    """An integer matrix of which the unit pivots have been eliminated.

    Attributes
    ----------
    pivots : list of tuple
        (column, its unit, the other entries of the row as {column: entry}), as eliminated.
    core : ndarray, shape (rows left, columns left)
    columns : list of int
        The columns of the core.
    """

    pivots: list[tuple[int, int, dict[int, int]]]
    core: Array
    columns: list[int]

    def extend(self, N: Array, n: int) -> Array:
        """Return null vectors (n, k) of the whole matrix from those of the core."""
        whole = np.zeros((n, N.shape[1]), N.dtype)
        whole[self.columns] = N
        turned = self.pivots[::-1]
        done = 0
        if N.dtype != object:
            start = np.cumsum([0] + [len(others) for _, _, others in turned], dtype=np.intp)
            index = [c for _, _, others in turned for c in others]
            value = [-unit * z for _, unit, others in turned for z in others.values()]
            target = np.array([j for j, _, _ in turned], dtype=np.intp)
            weights = compact(np.array(value, dtype=object))
            if weights.dtype != object:
                size = np.zeros(n)
                size[self.columns] = np.abs(N).max(axis=1, initial=0)
                where = np.array(index, dtype=np.intp)
                done = py_substitute(start, where, weights, target, whole, size)
        if done < len(turned):
            whole = whole.astype(object)
            for j, unit, others in turned[done:]:
                for c, z in others.items():
                    whole[j] -= unit * z * whole[c]
        return whole


def null_space(M: Sparse) -> Array:
    """Return primitive null vectors of M (n, k), one for each column without a pivot; verified."""
    condensed = condense(M)
    N = condensed.extend(eliminate.reduce_integers(condensed.core).null_space(), M.shape[1])
    if not annihilates(M, N):
        raise ArithmeticError("the null space failed its check")
    if M.columns is None:
        return compact(N)
    # Integer combinations of primitive vectors of the core have no content; scaled ones may.
    scale = np.array(M.columns, dtype=object)
    scaled = np.flatnonzero(scale != 1)
    part = N[scaled]
    largest = max(int(part.max(initial=0)), -int(part.min(initial=0)))
    if N.dtype == object or largest * max(M.columns) >= _LIMIT:
        N, part = N.astype(object), part.astype(object)
    touched = np.flatnonzero((part != 0).any(axis=0))
    N[scaled] = part * scale[scaled].astype(N.dtype)[:, None]
    N[:, touched] = primitive(N[:, touched])
    return compact(N)


def independent(M: Sparse) -> tuple[int, ...]:
    """Return columns that are a basis of the column space, as many as the rank."""
    condensed = condense(M)
    core = [condensed.columns[k] for k in eliminate.independent(condensed.core)]
    return tuple(sorted([j for j, _, _ in condensed.pivots] + core))


def condense(M: Sparse) -> Condensed:
    """Eliminate unit pivots while that keeps the matrix sparse."""
    m, n = M.shape
    rows: list[dict[int, int]] = [{} for _ in range(m)]
    columns: list[set[int]] = [set() for _ in range(n)]
    for i, j, z in zip(M.i.tolist(), M.j.tolist(), M.Z.tolist(), strict=True):
        rows[i][j] = z
        columns[j].add(i)
    for i, row in enumerate(rows):
        content = gcd(*row.values())
        if content > 1:
            rows[i] = {j: z // content for j, z in row.items()}
    alive = [bool(row) for row in rows]
    pivots: list[tuple[int, int, dict[int, int]]] = []
    done = [not column for column in columns]
    heap = [(len(column), j) for j, column in enumerate(columns) if column]
    heapify(heap)
    left_rows, left_columns, entries = sum(alive), n, len(M.Z)
    while heap and entries < _DENSE * left_rows * left_columns + 4 * n:
        count, j = heappop(heap)
        column = columns[j]
        if done[j] or count != len(column):
            continue
        units = [i for i in column if rows[i][j] in (1, -1)]
        if not units:
            # It comes back when an elimination changes it.
            continue
        p = min(units, key=lambda i: (len(rows[i]), i))
        pivot = rows[p]
        unit = pivot.pop(j)
        entries -= len(pivot) + 1
        for c in pivot:
            columns[c].discard(p)
        column.discard(p)
        others = pivot.items()
        for i in column:
            row = rows[i]
            factor = unit * row.pop(j)
            entries -= len(row) + 1
            for c, z in others:
                old = row.get(c)
                if old is None:
                    row[c] = -factor * z
                    columns[c].add(i)
                elif old == factor * z:
                    del row[c]
                    columns[c].discard(i)
                else:
                    row[c] = old - factor * z
            entries += len(row)
            if not row:
                alive[i] = False
                left_rows -= 1
        for c in pivot:
            heappush(heap, (len(columns[c]), c))
        pivots.append((j, unit, pivot))
        done[j] = True
        alive[p] = False
        rows[p] = {}
        left_rows, left_columns = left_rows - 1, left_columns - 1
    taken = {j for j, _, _ in pivots}
    columns_left = [j for j in range(n) if j not in taken]
    place = {j: k for k, j in enumerate(columns_left)}
    rows_left = [row for row in rows if row]
    core = np.zeros((len(rows_left), len(columns_left)), dtype=object)
    for k, row in enumerate(rows_left):
        for j, z in row.items():
            core[k, place[j]] = z
    return Condensed(pivots, compact(core), columns_left)


def annihilates(M: Sparse, N: Array) -> bool:
    """Whether Z N = 0, exactly: in 64 bits where the sums fit, in Python integers otherwise."""
    order = np.argsort(M.i, kind="stable")
    i, j, z = M.i[order], M.j[order].astype(np.intp), M.Z[order]
    start = np.searchsorted(i, np.arange(M.shape[0] + 1)).astype(np.intp)
    if N.dtype != object and z.dtype != object:
        found = py_annihilates(start, j, z, N, np.empty(2 * N.shape[1], np.int64))
        if found >= 0:
            return bool(found)
    for row in range(M.shape[0]):
        entries = slice(start[row], start[row + 1])
        if (z[entries].astype(object) @ N[j[entries]].astype(object)).any():
            return False
    return True
