"""Orthogonal projectors as operators: P x without the matrix P.

Apart, because scipy.sparse.linalg takes longer to import than all of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from fastsub.factor.arrays import Array
from fastsub.factor.memory import zeros
from fastsub.factor.products import product

if TYPE_CHECKING:
    from fastsub.subspace.subspace import Subspace


class Projector(LinearOperator):  # type: ignore[misc]  # SciPy is untyped
    """The orthogonal projector on a subspace: P = P^2 = P^H.

    Attributes
    ----------
    subspace : Subspace
        What it projects on.
    """

    def __init__(self, subspace: Subspace) -> None:
        super().__init__(subspace.dtype, (subspace.ambient_dim, subspace.ambient_dim))
        self.subspace = subspace

    def _matvec(self, x: Array) -> Array:
        return self.subspace.project(x)

    def _matmat(self, X: Array) -> Array:
        return self.subspace.project(X)

    def _adjoint(self) -> Projector:
        return self

    def _transpose(self) -> Any:
        return self if self.dtype.kind != "c" else super()._transpose()

    def to_matrix(self) -> Array:
        """Return the matrix P, shape (n, n).

        Raises
        ------
        MemoryError
            If it cannot fit; the message states its size.
        """
        n = self.shape[0]
        V = self.subspace
        # Of the smaller half, whichever that is: I - Q Q^H or Q Q^H, exactly Hermitian.
        small = V if 2 * V.dim <= n else V.complement()
        P = zeros((n, n), V.dtype, "apply the projector to vectors instead")
        Q = small.basis
        P[...] = product(Q, np.asfortranarray(Q.conj().T))
        P += P.conj().T.copy()
        P /= 2
        if small is not V:
            P *= -1
            P[np.diag_indices(n)] += 1
        return P
