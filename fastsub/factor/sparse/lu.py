"""The factors of a sparse matrix up to a core, and what can be done with them.

    P A Q + E = ( L11  0 ) ( U11  U12 )
                ( L21  I ) (  0    C  )

    S = Q ( U11^-1  -U11^-1 U12 C^+ ) (    L11^-1      0 ) P
          (   0           C^+       ) ( -L21 L11^-1    I )

S solves: A S A = A up to E, and the rank of C decides that of A. Its components are dense, factored
by COD.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.sparse.arrays import blocks_of, by_label
from fastsub.factor.sparse.core import Core
from fastsub.kernels.markowitz import py_eliminate, py_load, py_rehash
from fastsub.kernels.substitution import py_substitute

# Pivots are at least this share of the largest of their row and of their column: a tenth leaves a
# little less of a core, and inverses of triangles a thousand times larger.
_THRESHOLD = 1 / 3
# A block of which this share is nonzero is finished as a dense one.
_DENSITY = 0.25
_NO_STEP = np.iinfo(np.intc).max


class Triangle:
    """Lines of a sparse triangle: `substitution.pyx` says what they mean."""

    def __init__(self, line: Array, index: Array, value: Array, count: int) -> None:
        order = np.argsort(line, kind="stable")
        self.start = np.searchsorted(line[order], np.arange(count + 1)).astype(np.intp)
        self.index = np.ascontiguousarray(index[order], np.intc)
        self.value = np.ascontiguousarray(value[order])

    @classmethod
    def of(cls, T: Triangle, value: Array) -> Triangle:
        """Return a triangle with the entries of another in other sizes."""
        other = copy(T)
        other.value = value
        return other

    def restricted(self, kept: Array) -> Triangle:
        """Return the triangle without entries outside a mask of its indices."""
        chosen = kept[self.index]
        other = copy(self)
        other.start = np.concatenate([[0], np.cumsum(chosen)])[self.start].astype(np.intp)
        other.index, other.value = self.index[chosen], self.value[chosen]
        return other

    @property
    def nnz(self) -> int:
        """Number of entries beside the diagonal."""
        return int(self.index.size)


class SparseLU:
    """Factors of a sparse matrix by Markowitz elimination with threshold rook pivoting.

    Parameters
    ----------
    A : csr_array, shape (m, n)
        float64 or complex128, of magnitudes near 1, without zeros.
    labels : ndarray of intc, shape (m,)
        The connected block of each row.
    frozen : ndarray of uint8, shape (blocks,)
        Blocks of which nothing shall be eliminated.
    cut : float
        Pivots are larger than this.

    Attributes
    ----------
    p, q : ndarray of intc, shape (s,)
        Rows and columns of the pivots, in order.
    dropped_rows, dropped_cols, squares : ndarray
        E is at most this, summed up by rows, by columns; and its squared rounding errors by rows.
    """

    def __init__(self, A: csr_array, labels: Array, frozen: Array, cut: float) -> None:
        (m, n), nnz = A.shape, A.nnz
        self.shape, self.dtype = A.shape, A.dtype
        rows, cols = (np.zeros((6, size), np.intc) for size in (m, n))
        for lines in (rows, cols):
            lines[0] = lines[5] = -1
        buckets = np.full(n + 1, -1, np.intc), np.full(m + 1, -1, np.intc)
        sizes = np.zeros((3, m)), np.zeros((2, n))
        blocks, state = np.zeros((3, frozen.size), np.intp), np.zeros(2, np.intp)
        rest = (rows, cols, *buckets, *sizes, labels, blocks, frozen.copy(), state)
        if m and n:
            capacity = 2 * nnz + 1024
            nodes, value = np.empty((6, capacity), np.intc), np.zeros(capacity, A.dtype)
            value[:nnz] = A.data
            table = _empty_table(capacity)
            py_load(A.indptr.astype(np.intp), A.indices, nodes, table, *rest)
            while info := py_eliminate(value, _THRESHOLD, cut, _DENSITY, nodes, table, *rest):
                if info == 2:
                    continue
                more = nodes.shape[1]
                nodes = np.concatenate([nodes, np.empty((6, more), np.intc)], axis=1)
                value = np.concatenate([value, np.zeros(more, A.dtype)])
                table = _empty_table(nodes.shape[1])
                py_rehash(nodes, table, *rest)
            used = np.flatnonzero(nodes[4, : state[0]] != -2)
            row, col, value = nodes[0, used], nodes[1, used], value[used]
        else:
            row = col = np.empty(0, np.intc)
            value = np.empty(0, A.dtype)
        steps = int(state[1])
        self.squares = sizes[0][2]
        self.dropped_rows, self.dropped_cols = sizes[0][1], sizes[1][1]
        self.row_step, self.col_step = rows[5], cols[5]
        self.p, self.q = (_in_turn(lines[5], steps) for lines in (rows, cols))
        kr, kc = (
            np.where(lines[5] < 0, _NO_STEP, lines[5])[index]
            for lines, index in ((rows, row), (cols, col))
        )
        below, above, left = kc < kr, kr < kc, (kr == kc) & (kr == _NO_STEP)
        self.L = Triangle(kc[below], row[below], value[below], steps)
        self.U = Triangle(kr[above], col[above], value[above], steps)
        pivots = (kr == kc) & (kr < _NO_STEP)
        self.diagonal = np.empty(steps, A.dtype)
        self.diagonal[kr[pivots]] = value[pivots]
        self.core = csr_array((value[left], (row[left], col[left])), shape=A.shape)

    def restricted(self, cores: list[Core]) -> tuple[SparseLU, Array, Array]:
        """Return the factors of the rows and columns that S knows, and masks of these.

        They are those of the pivots and of cores with a rank; S is zero elsewhere.
        """
        rows, cols = self.row_step >= 0, self.col_step >= 0
        for core in cores:
            if core.rank:
                rows[core.rows] = cols[core.cols] = True
        other = copy(self)
        other.L, other.U = self.L.restricted(rows), self.U.restricted(cols)
        return other, rows, cols

    def adjoint(self) -> SparseLU:
        """Return the factors of A^H: U^H scaled to a unit diagonal, and L^H scaled likewise."""
        other = copy(self)
        other.shape = self.shape[::-1]
        other.p, other.q = self.q, self.p
        other.row_step, other.col_step = self.col_step, self.row_step
        other.diagonal = self.diagonal.conj()
        other.L, other.U = (
            Triangle.of(T, T.value.conj() * np.repeat(scale, np.diff(T.start)))
            for T, scale in ((self.U, 1 / other.diagonal), (self.L, other.diagonal))
        )
        other.core = self.core.conj().T.tocsr()
        return other

    def components(self, stop: Array) -> tuple[list[tuple[Array, Array, csr_array]], Array]:
        """Return rows, columns and entries of the connected components of the core, and the rest.

        Components with a Frobenius norm of at most ``stop[i]``, i one of their rows, are not
        returned: the rest, shape (m,), are these norms at their rows, zero elsewhere.
        """
        core, rest = self.core, np.zeros(self.shape[0])
        rows = np.flatnonzero(np.diff(core.indptr)).astype(np.intp)
        cols = np.unique(core.indices).astype(np.intp)
        if not rows.size:
            return [], rest
        entries = core[rows][:, cols]
        count, row_label, col_label = blocks_of(entries)
        squares = np.bincount(
            np.repeat(row_label, np.diff(entries.indptr)), np.abs(entries.data) ** 2, count
        )
        norms = np.sqrt(squares)
        first = np.zeros(count, np.intp)
        first[row_label[::-1]] = rows[::-1]
        small = norms <= stop[first]
        rest[rows] = np.where(small, norms, 0.0)[row_label]
        if count == 1:
            return ([] if small[0] else [(rows, cols, entries)]), rest
        row_sets, col_sets = (by_label(label, count) for label in (row_label, col_label))
        return [
            (rows[row_sets[k]], cols[col_sets[k]], entries[row_sets[k]][:, col_sets[k]])
            for k in np.flatnonzero(~small)
        ], rest

    def substitute(
        self, X: Array, triangle: str, *, adjoint: bool = False, absolute: bool = False
    ) -> None:
        """X := L^-1 X, U11^-1 (X - U12 X) or the adjoints of these, in place.

        For L the rows of X are those of A; for U its columns. absolute: of the comparison matrices,
        whose inverses are nonnegative and bound the inverses (Higham 2002, theorem 8.12).
        """
        lower = triangle == "L"
        T = self.L if lower else self.U
        value, diagonal = T.value, self.diagonal[:0] if lower else self.diagonal
        if absolute:
            value, diagonal = -np.abs(value), np.abs(diagonal)
        py_substitute(
            T.start,
            T.index,
            value.astype(X.dtype, copy=False),
            self.p if lower else self.q,
            diagonal.astype(X.dtype, copy=False),
            X,
            lower == adjoint,
            adjoint,
            lower == adjoint,
        )

    def solve(self, B: Array, cores: list[Core]) -> Array:
        """Return S B, shape (n, k), C-ordered."""
        Y = np.array(B, self.dtype, order="C")
        self.substitute(Y, "L")
        X = np.zeros((self.shape[1], B.shape[1]), self.dtype)
        for core in cores:
            X[core.cols] = core.solve(Y[core.rows])
        X[self.q] = Y[self.p]
        self.substitute(X, "U")
        return X

    def solve_adjoint(self, B: Array, cores: list[Core]) -> Array:
        """Return S^H B, shape (m, k), C-ordered."""
        Y = np.array(B, self.dtype, order="C")
        self.substitute(Y, "U", adjoint=True)
        X = np.zeros((self.shape[0], B.shape[1]), self.dtype)
        for core in cores:
            X[core.rows] = core.solve_adjoint(Y[core.cols])
        X[self.p] = Y[self.q]
        self.substitute(X, "L", adjoint=True)
        return X


def _empty_table(capacity: int) -> Array:
    return np.full(1 << (2 * capacity).bit_length(), -1, np.intc)


def _in_turn(step: Array, steps: int) -> Array:
    turn = np.empty(steps, np.intc)
    done = np.flatnonzero(step >= 0)
    turn[step[done]] = done
    return turn
