"""Bounds of the norm of the solver S of lu.py, for each connected block, and of sigma_1.

From the cheapest to the dearest:

    comparison matrices    M(L)^-1 e and M(U)^-1 M(L)^-1 e bound |S| e, and their adjoints |S^H| e:
                           ||S||_2^2 <= ||S||_1 ||S||_inf; O(nnz) (Higham 2002, theorem 8.12)
    all columns of S       ||S||_2 <= ||S||_F; as many solves as rows, or as columns
    powers of S S^H        of a random x: ||S||_2^2 <= theta (x^H (S S^H)^k x)^(1/k) but for a
                           probability of 0.8 theta^(-k/2) n^(1/2) (Dixon 1983, theorem 1)

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 8.2 and 9.3.
Dixon, Estimating extremal eigenvalues and condition numbers of matrices, SIAM J. Numer. Anal. 20
(1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.sparse.core import Core
from fastsub.factor.sparse.lu import SparseLU

# Of independent rounding errors the norm of the sum exceeds the root of the sum of squares by less
# than this, but for a probability of exp(-8) (Higham & Mary 2019, theorem 2.4).
LAMBDA = 4.0
# What the rounding of a bound itself may take away.
_SLACK = 1 + 1e-6
# Columns of S at a time.
_COLUMNS = 64
# Dixon's theta, and half of his k: sqrt(theta) is what the bound loses.
_THETA, _STEPS = 16.0, 16
_SEED = 19830412


@dataclass(frozen=True, slots=True)
class Solver:
    """S, and which block each row and each column belongs to.

    Attributes
    ----------
    lu : SparseLU
        Restricted to what S knows.
    cores : list of Core
    rows, cols : ndarray of intc
        Labels of the blocks.
    known_rows, known_cols : ndarray of bool
        Where S is not zero.
    count : int
        Number of blocks.
    """

    lu: SparseLU
    cores: list[Core]
    rows: Array
    cols: Array
    known_rows: Array
    known_cols: Array
    count: int

    @classmethod
    def of(cls, lu: SparseLU, cores: list[Core], rows: Array, cols: Array, count: int) -> Solver:
        """Return the solver of factors."""
        lu, known_rows, known_cols = lu.restricted(cores)
        return cls(lu, cores, rows, cols, known_rows, known_cols, count)

    def comparison_bound(self) -> Array:
        """Return bounds of ||S||_2, shape (count,)."""
        lu, (m, n) = self.lu, self.lu.shape
        Z, X = np.ones((m, 1)), np.zeros((n, 1))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
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
            infinity = largest(X[:, 0], self.cols, self.count)
            one = largest(W[:, 0], self.rows, self.count)
            bound: Array = np.sqrt(infinity * one) * _SLACK
        bound[np.isnan(bound)] = np.inf
        return bound

    def work(self) -> float:
        """Return the multiplications of a solve with one right-hand side."""
        dense = sum(core.rows.size * core.cols.size for core in self.cores)
        return float(self.lu.L.nnz + self.lu.U.nnz + sum(self.lu.shape) + 2 * dense)

    def frobenius(self, wanted: Array, adjoint: bool) -> Array:
        """Return the ||S||_F that was computed of those blocks, 0 for the others.

        By the columns of S, or by those of S^H; the i-th ones of all blocks share a right-hand
        side: blocks do not meet.
        """
        solve = self.lu.solve_adjoint if adjoint else self.lu.solve
        labels, others = (self.cols, self.rows) if adjoint else (self.rows, self.cols)
        index = np.flatnonzero(wanted[labels] & (self.known_cols if adjoint else self.known_rows))
        index = index[np.argsort(labels[index], kind="stable")]
        label = labels[index]
        place = np.arange(index.size) - np.searchsorted(label, label)
        count = int(place.max(initial=-1)) + 1
        squares = np.zeros(self.count)
        for j in range(0, count, _COLUMNS):
            some = (place >= j) & (place < j + _COLUMNS)
            B = np.zeros((labels.size, min(_COLUMNS, count - j)), self.lu.dtype)
            B[index[some], place[some] - j] = 1
            squares += self._squares(solve(B, self.cores), others)
        return np.asarray(np.sqrt(squares) * _SLACK)

    def dixon_bound(self) -> tuple[Array, float]:
        """Return bounds of ||S||_2 of all blocks, and the probability that one of them fails."""
        n = self.lu.shape[1]
        rng = np.random.default_rng(_SEED)
        x = rng.standard_normal((n, 1)).astype(self.lu.dtype)
        if self.lu.dtype.kind == "c":
            x = x + 1j * rng.standard_normal((n, 1))
        logarithm = np.zeros(self.count)
        with np.errstate(divide="ignore", invalid="ignore"):
            for turn in range(_STEPS + 1):
                sizes = np.sqrt(self._squares(x, self.cols))
                if turn:
                    logarithm += np.log(sizes)
                x = x / np.where(sizes > 0, sizes, 1)[self.cols][:, None]
                if turn < _STEPS:
                    y = self.lu.solve_adjoint(x, self.cores)
                    x = self.lu.solve(y, self.cores)
            bound = np.sqrt(_THETA * np.exp(logarithm / _STEPS))
        widths = np.bincount(self.cols, minlength=self.count)
        failure = 0.8 * _THETA**-_STEPS * float(np.sqrt(widths).sum())
        return bound, min(1.0, failure)

    def _squares(self, X: Array, labels: Array) -> Array:
        return np.bincount(labels, np.einsum("ij,ij->i", X, X.conj()).real, self.count)

    def error(self) -> Array:
        """Return a bound of the backward error of a solve with S, for each block.

        (A + E + F) x = b with |F| a multiple of u |L| |U|, 3 k at most for each column of L and U
        of k entries (Higham 2002, theorem 9.4), here by the square root law, and the error of the
        core's own factors.
        """
        lu, (m, n) = self.lu, self.lu.shape
        one, infinity, margin = np.zeros(n), np.zeros(m), np.zeros(self.count)
        for core in self.cores:
            size = math.sqrt(core.rows.size + core.cols.size) * core.norm
            margin[self.rows[core.rows[0]]] += size
        # |L| |U| e and e^T |L| |U|, by the lines of the triangles.
        diagonal, steps = np.abs(lu.diagonal), lu.diagonal.size
        lines, size = np.repeat(np.arange(steps), np.diff(lu.U.start)), np.abs(lu.U.value)
        across = diagonal + np.bincount(lines, size, steps)
        infinity[lu.p] = across
        below, factor = np.repeat(np.arange(steps), np.diff(lu.L.start)), np.abs(lu.L.value)
        np.add.at(infinity, lu.L.index, factor * across[below])
        down = 1 + np.bincount(below, factor, steps)
        one[lu.q] = diagonal * down
        np.add.at(one, lu.U.index, size * down[lines])
        longest = 2 + max(
            int(np.bincount(index).max(initial=0)) for index in (lu.L.index, lu.U.index)
        )
        growth = np.sqrt(
            largest(infinity, self.rows, self.count) * largest(one, self.cols, self.count)
        )
        return np.asarray(EPS["d"] * (3 * LAMBDA * math.sqrt(longest) * growth + margin))


def largest(values: Array, labels: Array, count: int, start: float = 0.0) -> Array:
    """Return the largest value of each label, `start` at the least."""
    out = np.full(count, start)
    np.maximum.at(out, labels, values)
    return out


def sigma_1_bracket(A: csr_array, steps: int = 12) -> tuple[float, float]:
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
        high = min(high, math.sqrt(float((y[used] / x[used]).max())))
        # Never so small that a quotient means nothing.
        x = np.maximum(y / float(y.max()), 1e-30)
        norm = float(np.linalg.norm(z))
        if norm > 0:
            w = A @ (z / norm)
            low = max(low, float(np.linalg.norm(w)))
            z = adjoint @ w
    rounding = 8 * math.sqrt(max(A.shape)) * EPS["d"]
    low, high = low * (1 - rounding), high * (1 + rounding)
    return min(low, high), high
