"""A connected component of what elimination leaves of a sparse matrix: dense, factored by COD."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.memory import check_memory
from fastsub.factor.orthogonal.cod import COD


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
        height, width = entries.shape
        try:
            check_memory((2 * height, width), entries.dtype, "")
        except MemoryError as error:
            raise MemoryError(
                f"elimination leaves a dense core of shape ({height}, {width}), which must be in "
                f"memory, and its factors: {error}"
            ) from None
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
