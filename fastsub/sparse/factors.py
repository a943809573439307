"""One elimination behind all that is asked of a sparse map, in the manner of `solution.factors`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, unscale, working_copy
from fastsub.factor.sparse.arrays import SparseInput
from fastsub.factor.sparse.bases import null_basis, row_basis
from fastsub.factor.sparse.bounds import sigma_1_bracket
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.factor.sparse.solve import solve_sparse, solver_norm
from fastsub.solution.factors import Factors


class SparseMap(Factors):
    """The factors of a sparse matrix, as `FundamentalSubspaces` and `SolutionSet` ask for them.

    Parameters
    ----------
    A : SparseInput
    rtol : float, optional
    """

    def __init__(self, A: SparseInput, rtol: float | None = None) -> None:
        self.shape, self.dtype, self._rtol = A.matrix.shape, A.dtype, rtol
        self._factors, self._exponent = SparseFactors(A, rtol), A.exponent
        self.certificate, self.rank = self._factors.certificate, self._factors.rank

    def row_half(self) -> Array:
        """Return a basis of the row space if 2 rank <= n, else of the null space."""
        F = self._factors
        return row_basis(F) if 2 * self.rank <= self.shape[1] else null_basis(F)

    def column_half(self) -> Array:
        """Return a basis of the column space if 2 rank <= m, else of the left null space."""
        F = self._factors.adjoint()
        return row_basis(F) if 2 * self.rank <= self.shape[0] else null_basis(F)

    def solve(self, B: Array) -> Array:
        """Return the least-squares solution of least norm, shape (n, k); B (m, k) is kept."""
        scaled = working_copy(B.astype(self._factors.matrix.dtype), "b", check_finite=False)
        X = np.asfortranarray(solve_sparse(self._factors, scaled.W).X)
        unscale(X, scaled.exponent - self._exponent)
        with np.errstate(over="ignore", under="ignore"):
            return np.asfortranarray(X, self.dtype)

    def pseudoinverse(self) -> Array:
        """Refuse: it is dense."""
        raise TypeError(
            "the pseudoinverse of a sparse matrix is dense; use solve, or "
            "fastsub.pinv(A.toarray()) where it fits in memory"
        )

    def inverse_lengths(self) -> Any:
        """Refuse: as many solutions as A has rows."""
        raise TypeError("the rows of the pseudoinverse of a sparse matrix are not computed")

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_rank``, from below, by the power method; NaN at rank 0."""
        if not self.rank:
            return math.nan
        sigma_1, _ = sigma_1_bracket(self._factors.matrix)
        return max(1.0, sigma_1 * solver_norm(self._factors))
