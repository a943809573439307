"""The rank of a sparse matrix, proved: elimination, the singular values of the core, and bounds.

With A + E = L U up to a core C (lu.py), S the solver made of their inverses:

    sigma_{r+1}(A) <= sigma_{c+1}(C) + ||E||      A + E less the part of C that is left out has rank
                                                  r = s + c (Eckart & Young 1936; Mirsky 1960)
    sigma_r(A) >= 1 / ||S|| - ||E||               (A + E) Q2 has the left inverse Y^H, S = Q2 Y^H,
                                                  Q2 orthonormal: Courant-Fischer

Each is asked of each connected block, whose growth is its own, and ||S|| is bounded in three
ways (bounds.py). A block of which nothing is proved is made dense.

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

from fastsub.factor.arrays import Array
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import EPS, Cutoff
from fastsub.factor.rank.decide import Decision, certify
from fastsub.factor.sparse.arrays import SparseInput, blocks_of
from fastsub.factor.sparse.bounds import LAMBDA, Solver, largest, sigma_1_bracket
from fastsub.factor.sparse.core import Core
from fastsub.factor.sparse.lu import SparseLU
from fastsub.factor.sparse.suitesparse import check_engine, triangle

# Multiplications up to which all columns of S are looked at, and flops of the singular values of a
# block up to which these are asked before chance is.
_BUDGET, _DENSE = 4e9, 2e10
# Steps of the power method for sigma_1 to 3 % and better (Kuczynski & Wozniakowski 1992).
_STEPS = 300


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
    engine : {"markowitz", "suitesparse"}, optional
        With the second it is the triangle of SuiteSparseQR that is factored, and there is no
        column space.

    Attributes
    ----------
    rank : int
    certificate : Certificate
    sigma_1 : float
        A lower bound of the largest singular value of `matrix`.
    lu : SparseLU
    cores : list of Core
    ranks : ndarray of int, shape (blocks,)
    rows, cols : ndarray of intc
        Label of the connected block of each row and of each column.
    """

    def __init__(
        self,
        A: SparseInput,
        rtol: float | None = None,
        *,
        tol: float | None = None,
        engine: str | None = None,
    ) -> None:
        check_engine(engine)
        if rtol is None:
            rtol = EPS[A.dtype.char] * max(A.matrix.shape)
        self._margin = 0.0
        if engine == "suitesparse":
            A, self._margin = triangle(A)
        self.input, self.matrix, self._method = A, A.matrix, engine or "markowitz"
        self._count, self.rows, self.cols = blocks_of(A.matrix)
        cutoff = Cutoff(rtol, tol).scaled(A.exponent)
        bracket = sigma_1_bracket(self.matrix)
        self.sigma_1, self._tol = bracket[0], cutoff.bracket(*bracket)
        heights, widths = (np.bincount(labels, minlength=self._count) for labels in self._labels)
        self._full = np.minimum(heights, widths)
        self._frozen = np.zeros(self._count, bool)
        self._chance = np.zeros(self._count, bool)
        self._failure = 0.0
        self._factor()
        for improve in (self._by_columns, self._by_chance):
            doubtful = self._doubtful() & (self._upper <= self._tol[0])
            if doubtful.any():
                improve(doubtful)
        doubtful = self._doubtful()
        if doubtful.any():
            # Singular values decide: then the cutoff must be known, not bracketed.
            self._tol = cutoff.bracket(*sigma_1_bracket(self.matrix, _STEPS))
            self._frozen = doubtful
            self._factor()
        self.rank = int(self.ranks.sum())
        self.certificate = self._certify()

    @property
    def _labels(self) -> tuple[Array, Array]:
        return self.rows, self.cols

    @property
    def outside(self) -> float:
        """Bound of the singular values of `matrix` that the rank does not count."""
        return float(self._upper.max(initial=0.0))

    def adjoint(self) -> SparseFactors:
        """Return the same of A^H, from the same factors."""
        other = copy(self)
        matrix = self.matrix.conj().T.tocsr()
        other.matrix, other.input = matrix, replace(self.input, matrix=matrix)
        other.rows, other.cols = self.cols, self.rows
        other.lu, other.cores = self.lu.adjoint(), [core.adjoint() for core in self.cores]
        return other

    def _factor(self) -> None:
        """Factor, and bound singular values of each block as far as O(nnz) goes."""
        (low, _), count = self._tol, self._count
        self.lu = lu = SparseLU(self.matrix, self.rows, self._frozen.astype(np.uint8), low)
        self._error = LAMBDA * np.sqrt(np.bincount(self.rows, lu.squares, count)) + np.sqrt(
            largest(lu.dropped_rows, self.rows, count) * largest(lu.dropped_cols, self.cols, count)
        )
        self._error += self._margin
        # Of the small singular values of a core only those count that A may have, too.
        stop = np.where(self._frozen, low, np.maximum(low - self._error, low / 8))
        components, tails = lu.components(stop[self.rows])
        self.cores = [Core(*part, float(stop[self.rows[part[0][0]]])) for part in components]
        labels = np.array([self.rows[core.rows[0]] for core in self.cores], np.intp)
        self.ranks = np.bincount(self.rows[lu.p], minlength=count)
        np.add.at(self.ranks, labels, np.array([core.rank for core in self.cores], np.intp))
        upper = largest(np.array([core.upper for core in self.cores]), labels, count)
        upper = np.maximum(upper, largest(tails, self.rows, count))
        self._upper = np.where(self.ranks == self._full, 0.0, upper + self._error)
        self._solver = Solver.of(lu, self.cores, self.rows, self.cols, count)
        self._lower = np.full(count, -math.inf)
        self._raise_lower(self._solver.comparison_bound(), np.ones(count, bool))
        self._lower[self.ranks == 0] = math.inf
        # Where nothing was eliminated the bound of the core is that of the block.
        lower = -largest(-np.array([core.lower for core in self.cores]), labels, count, -math.inf)
        whole = self._frozen & (self.ranks > 0)
        self._lower[whole] = lower[whole] - self._margin

    def _raise_lower(self, norms: Array, wanted: Array, margin: Array | float = 0.0) -> None:
        """Take 1 / ||S|| of those blocks where it is better than what is known."""
        with np.errstate(divide="ignore"):
            lower = 1 / norms - self._error - margin
        self._lower = np.where(wanted, np.fmax(self._lower, lower), self._lower)

    def _doubtful(self) -> Array:
        low, high = self._tol
        proved: Array = (self._lower > high) & (self._upper <= low) | self._frozen
        return ~proved

    def _by_columns(self, doubtful: Array) -> None:
        """Bound ||S|| of those blocks by its columns, if that is cheap."""
        known = self._solver.known_rows, self._solver.known_cols
        height, width = (
            float(np.bincount(labels[mask], minlength=self._count)[doubtful].max())
            for labels, mask in zip(self._labels, known, strict=True)
        )
        if min(height, width) * self._solver.work() <= _BUDGET:
            # 1 / ||S|| >= 1 / ||fl(S)||_F - ||F||, F the backward errors of the columns.
            norms = self._solver.frobenius(doubtful, width < height)
            self._raise_lower(norms, doubtful, self._solver.error())

    def _by_chance(self, doubtful: Array) -> None:
        """Bound ||S|| of those blocks by powers, if they are too large to be made dense."""
        heights, widths = (np.bincount(labels, minlength=self._count) for labels in self._labels)
        flops = 4.0 * np.maximum(heights, widths) * self._full.astype(float) ** 2
        doubtful = doubtful & (flops > _DENSE)
        if doubtful.any():
            norms, failure = self._solver.dixon_bound()
            before = self._lower.copy()
            self._raise_lower(norms, doubtful, self._solver.error())
            self._chance = self._lower > before
            self._failure = failure if self._chance.any() else 0.0

    def _certify(self) -> Certificate:
        low, high = self._tol
        lower, upper = float(self._lower.min(initial=math.inf)), float(self._upper.max(initial=0.0))
        if self.rank == min(self.matrix.shape):
            upper = 0.0
        proved = lower > high and upper <= low
        by = "bounds" if proved and all(c.decided_by == "bounds" for c in self.cores) else "svd"
        decision = Decision(self.rank, low, max(0.0, lower), upper, by, 0.0)
        certificate = certify(decision, self._method, self.input.exponent)
        if (self._chance & ~self._frozen).any():
            certificate = replace(
                certificate, decided_by="probabilistic", failure_probability=self._failure
            )
        return certificate
