"""Four subspaces and all solutions of a sparse map, from one elimination."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array, as_array, check_tolerance
from fastsub.factor.sparse.arrays import as_dense, read_sparse
from fastsub.solution.fundamental import FundamentalSubspaces
from fastsub.solution.solution_set import SolutionSet
from fastsub.solution.solutions import solutions as of_dense
from fastsub.sparse.factors import SparseMap
from fastsub.subspace.vectors import Vectors


class SparseSubspaces(FundamentalSubspaces):
    """`FundamentalSubspaces` of a sparse matrix; A is copied."""

    def __init__(self, A: Any, rtol: float | None = None) -> None:
        given = read_sparse(A)
        self._given = given
        self._factors = SparseMap(given, check_tolerance(rtol, "rtol"))
        self.shape, self.dtype = given.matrix.shape, given.dtype
        self.certificate, self.rank = self._factors.certificate, self._factors.rank
        self.nullity = self.shape[1] - self.rank

    @property
    def _matrix(self) -> csr_array:
        """A itself."""
        A = self._given.matrix.copy()
        A.data = A.data * np.ldexp(1.0, -self._given.exponent)
        return A.astype(self.dtype)

    def fibre(self, x: Any) -> SolutionSet:
        """Return all inputs that share the output A x: x and a translated null space.

        Parameters
        ----------
        x : array_like, shape (n,) or (n, k)
        """
        vectors = Vectors(x, self.shape[1], self.dtype)
        return self.solutions(vectors.restore(self._matrix @ vectors.columns))

    def solutions(self, b: Any, *, rtol: float | None = None) -> SolutionSet:
        """Return every solution of A x = b, as `fastsub.solutions`."""
        rtol = check_tolerance(rtol, "rtol")
        return SparseSolutionSet(self._matrix, b, self._factors, self.null_space, rtol)


class SparseSolutionSet(SolutionSet):
    """`SolutionSet` of a sparse matrix."""

    def _frobenius(self) -> float:
        data = np.asarray(self._A.data)
        size = float(np.abs(data).max(initial=0.0))
        return size * float(np.linalg.norm(data / size)) if size > 0 else 0.0

    def _image(self, X: Array) -> Array:
        return np.asfortranarray(self._A @ X)


def fundamental_subspaces(A: Any, rtol: float | None = None) -> FundamentalSubspaces:
    """Return the four subspaces of a sparse matrix, as `fastsub.fundamental_subspaces`."""
    dense = as_dense(A)
    return SparseSubspaces(A, rtol) if dense is None else FundamentalSubspaces(dense, rtol)


def solutions(
    A: Any, b: Any, *, rcond: float | None = None, rtol: float | None = None
) -> SolutionSet:
    """Return every solution of A x = b for a sparse A, as `fastsub.solutions`."""
    b = as_array(b, "b")
    if (dense := as_dense(A)) is not None:
        return of_dense(dense, b, rcond=rcond, rtol=rtol)
    return SparseSubspaces(A, check_tolerance(rcond, "rcond")).solutions(b, rtol=rtol)
