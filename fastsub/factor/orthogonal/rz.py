"""RZ factorisation of a trapezoid, the right half of a complete orthogonal decomposition.

    (R11 R12) = J (U^H 0) Z^H diag(J, I),    J the reversal, U (r, r) upper triangular, Z unitary

as the kernel has it (kernels/rz.pyx). Row space: the first r columns of diag(J, I) Z, null space:
the last n - r.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import empty
from fastsub.factor.rank.inverse import Inverse
from fastsub.kernels import blas, rz

_BLOCK = 64
# Columns of a basis at a time, where it is not to be kept.
_PANEL = 32


class RZ:
    """The factors of the first r rows of an upper trapezoid R; 0 < r < n.

    Parameters
    ----------
    R : ndarray, shape (>= r, n)
        Fortran-ordered. Only its upper trapezoid is read.
    r : int
    below : bool
        What lies below the diagonal may be overwritten: memory is taken only for the part of B that
        has no room there.

    Attributes
    ----------
    U : ndarray, shape (r, r)
        Its upper triangle; not kept with `below`.
    """

    def __init__(self, R: Array, r: int, *, below: bool) -> None:
        n, block = R.shape[1], min(_BLOCK, r)
        self._r, self._n = r, n
        self._T = empty((block, r), R.dtype)
        work = np.empty(block * r, R.dtype)
        inside = below and len(R) >= n
        self._B = R[r:n, :r] if inside else empty((n - r, r), R.dtype)
        # Where the triangle of all reflectors may go, once R is done with.
        self._head = R[:r, :r] if inside else None
        if below:
            self._diagonal = np.empty(r, R.dtype)
            self._over: Inverse | None = None
            rz.py_rz_below(R, self._diagonal, self._B, self._T, work)
        else:
            self.U = empty((r, r), R.dtype)
            rz.py_rz(R, self.U, self._B, self._T, work)

    @property
    def rank(self) -> int:
        """Rows of the trapezoid."""
        return self._r

    def inverse(self, R: Array) -> Inverse:
        """Return that of U, which has the singular values of (R11 R12).

        With `below` it takes the place of U, which nothing else reads.
        """
        if "U" in self.__dict__:
            return Inverse(self.U, self._r, "below")
        if self._over is None:
            self._over = Inverse(R, self._r, "over", self._diagonal)
        return self._over

    def flipped_inverse(self, R: Array) -> Array:
        """Return J U^-T J, upper triangular, in the head of R, whose upper triangle is lost.

        For an RZ made `below`; what stands below the diagonal is not zero.
        """
        r, inverse = self._r, self.inverse(R)
        with inverse:
            _ = inverse.frobenius  # made here, if it was not
            head = R[:r, :r]
            diagonal = np.diagonal(head)[::-1].copy()
            for j in range(1, r):
                head[:j, j] = head[r - j :, r - 1 - j][::-1]
        np.fill_diagonal(head, diagonal)
        return head

    def columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return columns start .. stop-1 of diag(J, I) Z, row i put at rows[i]."""
        C = empty((self._n, stop - start), self._B.dtype)
        if C.size:
            work = np.empty(max(self._T.shape[0] * C.shape[1], C.shape[0]), C.dtype)
            rz.py_rz_columns(self._B, self._T, rows, C, start, work)
        return C

    def null_space(self, rows: Array) -> Array:
        """Return the last n - r columns, likewise; R is lost if it was made `below`."""
        n, r = self._n, self._r
        if 2 * r > n:
            return self.columns(r, n, rows)
        C = empty((n, n - r), self._B.dtype)
        full = empty((r, r), C.dtype) if self._head is None else self._head
        rz.py_rz_complement(self._B, self._T, rows, C, full, np.empty(n, C.dtype))
        return C

    def bottom_rows(self, start: int, stop: int, row: int | None = None) -> Iterator[Array]:
        """Yield Z[r:, start:stop] in order, some columns at a time, to be overwritten.

        Or, of diag(J, I) Z, the rows from `row` on.
        """
        identity = np.arange(self._n, dtype=np.intc)
        for first in range(start, stop, _PANEL):
            yield self.columns(first, min(first + _PANEL, stop), identity)[row or self._r :]

    def apply(self, C: Array, *, adjoint: bool = False) -> None:
        """C := Z C or Z^H C in place."""
        work = np.empty(self._T.shape[0] * C.shape[1], C.dtype)
        rz.py_rz_apply(self._B, self._T, C, work, adjoint)

    def apply_right(self, C: Array) -> None:
        """C := C diag(J, I) Z^H diag(J, I) in place; C (m, n) Fortran-ordered, 4 m r (n - r) flops.

        Block after block, the last one first: C := C - (C V) T^H V^H with V = (I; B).
        """
        (block, r), B = self._T.shape, self._B
        rest = C[:, r:]
        for j in range((r - 1) // block * block, -1, -block):
            width = min(block, r - j)
            # In the order of J: the columns of the block, of B and of T the other way round.
            V = np.asfortranarray(B[:, j : j + width][:, ::-1])
            T = np.asfortranarray(np.triu(self._T[:width, j : j + width])[::-1, ::-1])
            head = C[:, r - j - width : r - j]
            W = head.copy(order="F")
            blas.py_gemm("N", "N", rest, V, W, beta=1)
            blas.py_trmm("R", "L", "C", "N", T, W)
            head -= W
            blas.py_gemm("N", "C", W, V, rest, alpha=-1, beta=1)
