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

from fastsub.factor.arrays import Array, check_memory
from fastsub.factor.cod import COD
from fastsub.factor.sparse_arrays import blocks_of, by_label
from fastsub.kernels.markowitz import py_eliminate, py_load, py_rehash
from fastsub.kernels.substitution import py_substitute

# Pivots are at least this share of the largest of their row and of their column.
_THRESHOLD = 0.1
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

    @property
    def nnz(self) -> int:
        """Number of entries beside the diagonal."""
        return int(self.index.size)


class Core:
    """A connected component of the core: rows and columns of A, and a dense matrix.

    Attributes
    ----------
    rows, cols : ndarray of intp
    C : ndarray, Fortran-ordered
    norm : float
        ``||C||_F``.
    rank : int
    lower, upper : float
        Proved bounds of its singular values around the rank.
    decided_by : str
    """

    def __init__(self, rows: Array, cols: Array, entries: csr_array, tol: float) -> None:
        alternative = "the core that elimination leaves is dense; fastsub needs it in memory"
        check_memory((2 * entries.shape[0], entries.shape[1]), entries.dtype, alternative)
        self.rows, self.cols = rows, cols
        self.norm = float(np.linalg.norm(entries.data))
        self.decided_by = "bounds"
        if self.norm <= tol:
            self.rank, self.lower, self.upper = 0, np.inf, self.norm
        else:
            self._cod = COD(entries.toarray(order="F"), tol=tol, overwrite_a=True)
            certificate = self._cod.certificate
            self.rank, self.decided_by = certificate.rank, certificate.decided_by
            self.lower, self.upper = certificate.sigma_r_lower, certificate.sigma_next_upper

    def solve(self, B: Array) -> Array:
        """Return C^+ B."""
        return self._cod.solve(B) if self.rank else np.zeros((self.cols.size, B.shape[1]), B.dtype)

    def solve_adjoint(self, B: Array) -> Array:
        """Return the pseudoinverse of C^H times B."""
        if self.rank:
            return self._cod.solve_adjoint(B)
        return np.zeros((self.rows.size, B.shape[1]), B.dtype)

    def null_space(self) -> Array:
        """Return an orthonormal basis of the null space."""
        return self._cod.null_space() if self.rank else np.eye(self.cols.size)

    def row_space(self) -> Array:
        """Return an orthonormal basis of the row space."""
        return self._cod.row_space() if self.rank else np.empty((self.cols.size, 0))

    def adjoint(self) -> Core:
        """Return the same of C^H, which shares the decomposition."""
        return _AdjointCore(self)


class _AdjointCore(Core):
    def __init__(self, core: Core) -> None:
        self._core = core
        self.rows, self.cols, self.norm = core.cols, core.rows, core.norm
        self.rank, self.lower, self.upper = core.rank, core.lower, core.upper
        self.decided_by = core.decided_by

    def solve(self, B: Array) -> Array:
        return self._core.solve_adjoint(B)

    def solve_adjoint(self, B: Array) -> Array:
        return self._core.solve(B)

    def null_space(self) -> Array:
        return self._core._cod.left_null_space() if self.rank else np.eye(self.cols.size)

    def row_space(self) -> Array:
        return self._core._cod.column_space() if self.rank else np.empty((self.cols.size, 0))

    def adjoint(self) -> Core:
        return self._core


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
            while py_eliminate(value, _THRESHOLD, cut, _DENSITY, nodes, table, *rest):
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

    def components(self) -> list[tuple[Array, Array, csr_array]]:
        """Return rows, columns and entries of the connected components of the core."""
        core = self.core
        rows = np.flatnonzero(np.diff(core.indptr)).astype(np.intp)
        cols = np.unique(core.indices).astype(np.intp)
        if not rows.size:
            return []
        entries = core[rows][:, cols]
        count, row_label, col_label = blocks_of(entries)
        if count == 1:
            return [(rows, cols, entries)]
        row_sets, col_sets = (by_label(label, count) for label in (row_label, col_label))
        return [
            (rows[i], cols[j], entries[i][:, j]) for i, j in zip(row_sets, col_sets, strict=True)
        ]

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
