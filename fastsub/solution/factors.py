"""One factorisation behind all that is asked of a map.

A tall A of full rank, well-conditioned, needs no more than its Gram matrix to project and to solve
(implicit.py). Another tall A, or one of which a basis is asked, is Q M: Q an orthonormal basis of
the column space by a sketch, which reads A twice and copies nothing, M = Q^H A small, made when
something is asked that Q cannot answer. A wide one is M Q^H. All others are factored whole
(cod.py).
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from fastsub.errors import RankDeficientError
from fastsub.factor.arrays import Array
from fastsub.factor.choose import Want, is_tall
from fastsub.factor.least_squares.implicit import ImplicitRange
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.products import product
from fastsub.factor.rank.decide import Cutoff
from fastsub.factor.tall.sketched import decide_by_sketch
from fastsub.subspace.vectors import column_norms


class Factors:
    """A = Q M, M Q^H or M, with a complete orthogonal decomposition of M.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes; a tall or wide one is kept by reference.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count.

    Attributes
    ----------
    rank : int
    certificate : Certificate
    implicit : ImplicitRange or None
        The range of the longer side, where A itself projects on it.
    """

    implicit: ImplicitRange | None = None

    def __init__(self, A: Array, rtol: float | None = None) -> None:
        self.shape, self.dtype, self._rtol = A.shape, A.dtype, rtol
        self._wide = A.shape[0] < A.shape[1]
        self._A, cutoff = A, Cutoff.of(A, rtol)
        self.is_long = is_tall(max(A.shape), min(A.shape))
        if self.is_long:
            self.implicit = ImplicitRange.of(A, cutoff, adjoint=self._wide)
            if self.implicit is not None:
                self.certificate = self.implicit.certificate
            else:
                self.is_long = self._sketch(cutoff)
        if not self.is_long:
            del self._A
            self._cod = COD(A, rtol)
            self.certificate = self._cod.certificate
        self.rank = int(self.certificate.rank)

    def _sketch(self, cutoff: Cutoff) -> bool:
        """Make Q; False if its rank is not proved."""
        answer = decide_by_sketch(self._A, cutoff, row_side=self._wide, complement=False)
        if answer is not None:
            self._Q, certificate = answer
            if self.implicit is None:
                self.certificate = certificate
        return answer is not None

    @cached_property
    def _Q(self) -> Array:
        """An orthonormal basis of the longer side."""
        if not self._sketch(Cutoff.of(self._A, self._rtol)):
            want: Want = "row" if self._wide else "column"
            F = COD(self._A, tol=self.certificate.sigma_r_lower / 2, want=want)
            self._check(F.rank)
            return F.row_space() if self._wide else F.column_space()
        return self._Q

    def _check(self, rank: int) -> None:
        if rank != self.rank:
            raise RankDeficientError(
                f"A has changed since it was factored: its rank was {self.rank}", self.rank
            )

    @cached_property
    def _cod(self) -> COD:
        """The decomposition of M; of A itself where it is neither tall nor wide."""
        M = product(self._A, self._Q, adjoint=not self._wide)
        # M has the r singular values of A that are proved to be above the bound, and no more.
        tol = min(self.certificate.tol, self.certificate.sigma_r_lower / 2)
        F = COD(M if self._wide else M.conj().T, tol=tol)
        self._check(F.rank)
        return F

    @property
    def turn(self) -> float:
        """How much of a component of the null space may be an artefact of what counts as zero.

        A perturbation as large as the cutoff turns the null space by tol / sigma_rank (Wedin 1972);
        where the gap is too small to say, by what is asked of data of that accuracy.
        """
        proof, eps = self.certificate, float(np.finfo(self.dtype).eps)
        if self.rank == 0:
            return 0.0
        limit = max(math.sqrt(eps), 10 * (self._rtol or 0.0))
        return min(proof.tol / proof.sigma_r_lower, limit) if proof.sigma_r_lower > 0 else limit

    def row_half(self) -> Array:
        """Return a basis of the row space if 2 rank <= n, else of the null space."""
        if self.is_long and self._wide:
            return self._Q
        n = self.shape[1]
        if self.rank == n:
            return empty((n, 0), self.dtype)
        F = self._cod
        return F.row_space() if 2 * self.rank <= n else F.null_space()

    def column_half(self) -> Array:
        """Return a basis of the column space if 2 rank <= m, else of the left null space."""
        if self.is_long and not self._wide:
            return self._Q
        m = self.shape[0]
        if self.rank == m:
            return empty((m, 0), self.dtype)
        F = self._cod
        return F.column_space() if 2 * self.rank <= m else F.left_null_space()

    def solve(self, B: Array) -> Array:
        """Return the least-squares solution of least norm, shape (n, k).

        B (m, k), Fortran-ordered, is kept, but may be conjugated and back on the way.
        """
        if not self.is_long:
            return self._cod.solve(B)
        if self.implicit is not None and not self._wide:
            X = self.implicit.solve(B)
            if X is not None:
                return X
        if self._wide:
            return product(self._Q, np.asfortranarray(self._cod.solve(B)))
        return self._cod.solve(product(self._Q, B, adjoint=True))

    def pseudoinverse(self) -> Array:
        """Return A^+ = (A^+ U) U^H, U a basis of the column space, shape (n, m)."""
        U = self._column_basis()
        return product(self._inverse_on(U), np.asfortranarray(U.conj().T))

    def _inverse_on(self, U: Array) -> Array:
        """Return A^+ U, U the basis of the column space."""
        if not self.is_long or self._wide:
            return self.solve(U)
        return self._cod.solve(np.eye(self.rank, dtype=self.dtype))

    def inverse_lengths(self) -> Array:
        """Return the norms of the rows of A^+, those of A^+ U, shape (n,), in double."""
        if self.implicit is not None and not self._wide:
            lengths = self.implicit.inverse_lengths()
            if lengths is not None:
                return lengths
        return column_norms(self._inverse_on(self._column_basis()).conj().T)

    def _column_basis(self) -> Array:
        if not self.is_long or self._wide:
            return self._cod.column_space()
        return self._Q

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_rank``, within a small factor; nan at rank 0."""
        return self._cod.condition if self.implicit is None else self.implicit.condition
