"""The rank of a sparse matrix, proved: elimination, the singular values of the core, and bounds.

With A + E = L U up to a core C (sparse_lu.py), S the solver made of their inverses:

    sigma_{r+1}(A) <= sigma_{c+1}(C) + ||E||      A + E less the part of C that is left out has rank
                                                  r = s + c (Eckart & Young 1936; Mirsky 1960)
    sigma_r(A) >= 1 / ||S|| - ||E||               (A + E) Q2 has the left inverse Y^H, S = Q2 Y^H,
                                                  Q2 orthonormal: Courant-Fischer

Each is asked of each connected block, for a block's growth is its own. ||S||^2 is at most
||S||_1 ||S||_inf, and these are bounded in O(nnz) by comparison matrices (Higham 2002, section 8.2)
or, where those are too coarse, by all columns of S. A block of which nothing is proved is made
dense.

||E|| is bounded by what was dropped, ||D||^2 <= ||D||_1 ||D||_inf, and by the Frobenius norm of the
rounding errors as they were measured, summed up by the square root law (Higham & Mary 2019).

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), chapters 8 and 9.
Foster & Davis, Algorithm 933, ACM TOMS 40 (2013): null spaces of sparse matrices with bounds.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.certificate import Certificate
from fastsub.factor.cutoff import EPS, Cutoff
from fastsub.factor.decide import Decision, certify
from fastsub.factor.sparse_arrays import SparseInput, blocks_of
from fastsub.factor.sparse_lu import Core, SparseLU

# Of independent rounding errors the norm of the sum exceeds the root of the sum of squares by less
# than this, but for a probability of exp(-8) (Higham & Mary 2019, theorem 2.4).
_LAMBDA = 4.0
# What the rounding of bounds themselves may take away.
_SLACK = 1 + 1e-6
# Columns of S at a time, and multiplications up to which all of them are looked at.
_COLUMNS, _BUDGET = 64, 4e9
_STEPS = 12


class SparseFactors:
    """Sparse factors of a matrix, with its rank and certificate.

    Parameters
    ----------
    A : SparseInput
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default, eps
        that of the dtype of A.
    tol : float, optional
        Absolute cutoff; goes before `rtol`.

    Attributes
    ----------
    rank : int
    certificate : Certificate
    lu : SparseLU
    cores : list of Core
    ranks : ndarray of int, shape (blocks,)
    rows, cols : ndarray of intc
        Label of the connected block of each row and of each column.
    """

    def __init__(
        self, A: SparseInput, rtol: float | None = None, *, tol: float | None = None
    ) -> None:
        self.input, self.matrix = A, A.matrix
        m, n = A.matrix.shape
        if rtol is None:
            rtol = EPS[A.dtype.char] * max(m, n)
        self._cutoff = Cutoff(rtol, tol).scaled(A.exponent)
        self._count, self.rows, self.cols = blocks_of(A.matrix)
        self._largest = sigma_1_bracket(A.matrix)
        self._tol = self._cutoff.bracket(*self._largest)
        self._heights = np.bincount(self.rows, minlength=self._count)
        widths = np.bincount(self.cols, minlength=self._count)
        self._full = np.minimum(self._heights, widths)
        self._frozen = np.zeros(self._count, np.uint8)
        self._factor()
        doubtful = self._doubtful()
        if doubtful.any():
            self._sharpen(doubtful)
            doubtful = self._doubtful()
        if doubtful.any():
            self._frozen[doubtful] = 1
            self._factor()
        self.rank = int(self.ranks.sum())
        self.certificate = self._certify()

    def adjoint(self) -> SparseFactors:
        """Return the same of A^H, from the same factors."""
        other = copy(self)
        matrix = self.matrix.conj().T.tocsr()
        other.matrix, other.input = matrix, replace(self.input, matrix=matrix)
        other.rows, other.cols = self.cols, self.rows
        other.lu, other.cores = self.lu.adjoint(), [core.adjoint() for core in self.cores]
        return other

    # ---- factors and bounds, block by block ----

    def _factor(self) -> None:
        """Factor, and bound singular values of each block as far as O(nnz) goes."""
        low, _ = self._tol
        self.lu = SparseLU(self.matrix, self.rows, self._frozen, low)
        lu, count = self.lu, self._count
        self._error = _LAMBDA * np.sqrt(np.bincount(self.rows, lu.squares, count)) + np.sqrt(
            _largest(lu.dropped_rows, self.rows, count)
            * _largest(lu.dropped_cols, self.cols, count)
        )
        # Of the small singular values of a core only those count that A may have, too.
        frozen = self._frozen.astype(bool)
        stop = np.where(frozen, low, np.maximum(low - self._error, low / 8))
        self.cores, self._labels = [], []
        for rows, cols, entries in lu.components():
            label = int(self.rows[rows[0]])
            self.cores.append(Core(rows, cols, entries, float(stop[label])))
            self._labels.append(label)
        labels = np.array(self._labels, np.intp)
        ranks = np.array([core.rank for core in self.cores], np.intp)
        self.ranks = np.bincount(self.rows[lu.p], minlength=count)
        np.add.at(self.ranks, labels, ranks)
        upper = _largest(np.array([core.upper for core in self.cores]), labels, count)
        self._upper = np.where(self.ranks == self._full, 0.0, upper + self._error)
        with np.errstate(divide="ignore"):
            self._lower = 1 / (self._inverse_bound(labels) * _SLACK) - self._error
        self._lower[self.ranks == 0] = math.inf
        whole = frozen & (self.ranks > 0)
        if whole.any():
            # Nothing was eliminated: the bound of the core is that of the block.
            lower = -_largest(
                -np.array([core.lower for core in self.cores]), labels, count, -np.inf
            )
            self._lower[whole] = lower[whole]

    def _inverse_bound(self, labels: Array) -> Array:
        """Return a bound of ||S||_2 for each block, by comparison matrices."""
        lu, (m, n) = self.lu, self.matrix.shape
        Z, X = np.ones((m, 1)), np.zeros((n, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            # ||S||_inf: no vector of signs yields more.
            lu.substitute(Z, "L", absolute=True)
            for core in self.cores:
                if core.rank:
                    X[core.cols] = np.linalg.norm(Z[core.rows]) / core.lower
            X[lu.q] = Z[lu.p]
            lu.substitute(X, "U", absolute=True)
            # ||S||_1 = ||S^H||_inf
            Y, W = np.ones((n, 1)), np.zeros((m, 1))
            lu.substitute(Y, "U", adjoint=True, absolute=True)
            for core in self.cores:
                if core.rank:
                    W[core.rows] = np.linalg.norm(Y[core.cols]) / core.lower
            W[lu.p] = Y[lu.q]
            lu.substitute(W, "L", adjoint=True, absolute=True)
            infinity = _largest(X[:, 0], self.cols, self._count)
            one = _largest(W[:, 0], self.rows, self._count)
            bound: Array = np.sqrt(infinity * one)
        bound[np.isnan(bound)] = np.inf
        return bound

    def _doubtful(self) -> Array:
        low, high = self._tol
        proved: Array = (self._lower > high) & (self._upper <= low) | (self._frozen == 1)
        return ~proved

    def _sharpen(self, doubtful: Array) -> None:
        """Bound ||S|| of those blocks by its Frobenius norm, column by column, if that is cheap.

        The computed S has a residual: for each column (A + E + F) x = b with ||F|| <= g, a multiple
        of u || |L| |U| || (Higham 2002, theorem 9.4, by the square root law); hence
        1 / ||S|| >= 1 / ||fl(S)||_F - g.
        """
        low, _ = self._tol
        wanted = doubtful & (self._upper <= low)
        lu = self.lu
        if not wanted.any():
            return
        height = int(self._heights[wanted].max())
        work = lu.L.nnz + lu.U.nnz + sum(core.rows.size * core.cols.size for core in self.cores)
        if height * float(work + sum(lu.shape)) > _BUDGET:
            return
        # The i-th rows of all blocks share a column: blocks do not meet.
        rows = np.flatnonzero(wanted[self.rows])
        rows = rows[np.argsort(self.rows[rows], kind="stable")]
        label = self.rows[rows]
        place = np.arange(rows.size) - np.searchsorted(label, label)
        squares = np.zeros(self._count)
        for j in range(0, height, _COLUMNS):
            some = (place >= j) & (place < j + _COLUMNS)
            B = np.zeros((lu.shape[0], min(_COLUMNS, height - j)), lu.dtype)
            B[rows[some], place[some] - j] = 1
            X = lu.solve(B, self.cores)
            squares += np.bincount(self.cols, np.einsum("ij,ij->i", X, X.conj()).real, self._count)
        with np.errstate(divide="ignore", invalid="ignore"):
            lower = 1 / (np.sqrt(squares) * _SLACK) - self._error - self._solving_error()
        better = wanted & (lower > self._lower)
        self._lower[better] = lower[better]

    def _solving_error(self) -> Array:
        """Return a bound of the backward error of a solve with S, for each block."""
        lu, (m, n) = self.lu, self.matrix.shape
        margin = np.zeros(self._count)
        np.add.at(
            margin,
            np.array(self._labels, np.intp),
            [math.sqrt(core.rows.size + core.cols.size) * core.norm for core in self.cores],
        )
        one, infinity = np.zeros(n), np.zeros(m)
        # |L| |U| e and e^T |L| |U|, by the lines of the triangles.
        diagonal = np.abs(lu.diagonal)
        steps = diagonal.size
        lines = np.repeat(np.arange(steps), np.diff(lu.U.start))
        size = np.abs(lu.U.value)
        across = diagonal + np.bincount(lines, size, steps)
        infinity[lu.p] = across
        below = np.repeat(np.arange(steps), np.diff(lu.L.start))
        factor = np.abs(lu.L.value)
        np.add.at(infinity, lu.L.index, factor * across[below])
        down = 1 + np.bincount(below, factor, steps)
        one[lu.q] = diagonal * down
        np.add.at(one, lu.U.index, size * down[lines])
        longest = 2 + max(
            (np.bincount(index).max(initial=0) for index in (lu.L.index, lu.U.index)), default=0
        )
        growth = np.sqrt(
            _largest(infinity, self.rows, self._count) * _largest(one, self.cols, self._count)
        )
        error: Array = EPS["d"] * (3 * _LAMBDA * math.sqrt(longest) * growth + margin)
        return error

    def _certify(self) -> Certificate:
        low, high = self._tol
        lower, upper = float(self._lower.min(initial=math.inf)), float(self._upper.max(initial=0.0))
        if self.rank == min(self.matrix.shape):
            upper = 0.0
        proved = lower > high and upper <= low
        by = "bounds" if proved else "svd"
        decision = Decision(self.rank, low, max(0.0, lower), upper, by, 0.0)
        return certify(decision, "markowitz", self.input.exponent)


def sigma_1_bracket(A: csr_array, steps: int = _STEPS) -> tuple[float, float]:
    """Return a lower and an upper bound of the largest singular value.

    The power method from below. From above sqrt(max (|A|^T |A| x)_i / x_i) for the positive x that
    it tends to for |A|: sigma_1(A) <= sigma_1(|A|) (Collatz 1942; Horn & Johnson 2013, 8.1.26).
    """
    if A.nnz == 0:
        return 0.0, 0.0
    size = abs(A)
    low = math.sqrt(max(float((size * size).sum(axis=axis).max()) for axis in (0, 1)))
    high = float(np.linalg.norm(A.data))
    used = np.zeros(A.shape[1], bool)
    used[A.indices] = True
    x = np.ones(A.shape[1])
    z = np.cos(np.arange(A.shape[1]) ** 2.0).astype(A.dtype)
    adjoint, transpose = A.conj().T, size.T
    for _ in range(steps):
        y = transpose @ (size @ x)
        ratio = float((y[used] / x[used]).max())
        high = min(high, math.sqrt(ratio))
        x = y / float(y.max())
        # Never zero, and never so small that a quotient means nothing.
        x = np.maximum(x, 1e-30)
        norm = float(np.linalg.norm(z))
        if norm > 0:
            w = A @ (z / norm)
            low = max(low, float(np.linalg.norm(w)))
            z = adjoint @ w
    rounding = 8 * math.sqrt(max(A.shape)) * EPS["d"]
    low, high = low * (1 - rounding), high * (1 + rounding)
    return min(low, high), high


def _largest(values: Array, labels: Array, count: int, start: float = 0.0) -> Array:
    """Return the largest value of each label."""
    out = np.full(count, start)
    np.maximum.at(out, labels, values)
    return out
