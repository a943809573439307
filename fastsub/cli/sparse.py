"""A sparse matrix as the commands ask for it: the elimination in place of a dense factorisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array

from fastsub.cli.facts import Array
from fastsub.cli.memory import physical_memory
from fastsub.factor.sparse.arrays import read_sparse
from fastsub.factor.sparse.bases import null_basis, particular_basis
from fastsub.sparse.factors import SparseMap

# Flops of an orthonormal basis, which is dense, up to which one is made unasked.
_MOST = 2e11


class SparseFactors(SparseMap):
    """What `fastsub.factor.COD` is for a dense matrix."""

    def __init__(self, A: Any, rtol: float | None = None) -> None:
        super().__init__(read_sparse(A), rtol)

    def basis(self, *, sparse: bool | None = None) -> Any:
        """Return a basis of the null space.

        Parameters
        ----------
        sparse : bool, optional
            True: a `csc_array` of unit columns, not orthonormal. False: orthonormal, hence dense.
            None: whichever takes seconds.

        Raises
        ------
        MemoryError
            If it does not fit; the message says the sizes.
        """
        n, nullity = self.shape[1], self.shape[1] - self.rank
        if sparse is None:
            small = n * nullity * self.dtype.itemsize <= physical_memory() / 4
            sparse = not (small and 4.0 * n * nullity**2 <= _MOST)
        if not sparse:
            return null_basis(self._factors)
        Z = particular_basis(self._factors).tocsc()
        lengths = np.sqrt(np.asarray((abs(Z) ** 2).sum(axis=0)).ravel())
        Z.data /= np.repeat(lengths, np.diff(Z.indptr))
        return csc_array(Z.astype(self.dtype))

    def solve_any(self, b: Array) -> Array:
        """Return the solution for a vector or for columns."""
        X = self.solve(np.asfortranarray(b if b.ndim == 2 else b[:, None]))
        return X if b.ndim == 2 else X[:, 0]
