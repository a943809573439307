"""An orthogonal (unitary) matrix as a product of Householder reflectors, never formed whole."""

from __future__ import annotations

import numpy as np

from fastsub.factor.arrays import Array, empty
from fastsub.kernels import householder, qrcp

_ALTERNATIVE = "its orthogonal complement is small: project with I - Q Q^H instead"


class Reflectors:
    """Q = H_0 H_1 ... in compact WY form, of order ``V.shape[0]``.

    Attributes
    ----------
    V : ndarray, shape (m, n)
        The reflectors below the diagonal of its first k columns, R above.
    T : ndarray, shape (block, k)
        Their triangular factors, side by side.
    """

    def __init__(self, V: Array, T: Array) -> None:
        self.V = V
        self.T = T

    @classmethod
    def of_qr(cls, A: Array, block: int) -> Reflectors:
        """Factor A = Q R in place, unpivoted; 2 n^2 (m - n/3) flops."""
        m, n = A.shape
        T = np.zeros((max(1, min(block, m, n)), min(m, n)), A.dtype, order="F")
        if A.size:
            work = np.empty(householder.py_work_size(m, n, T.shape[0]), A.dtype)
            householder.py_qr(A, T, work)
        return cls(A, T)

    @classmethod
    def of_tau(cls, V: Array, tau: Array, k: int, block: int) -> Reflectors:
        """Gather the first k reflectors of V, given as LAPACK's scalars tau."""
        m = V.shape[0]
        T = np.zeros((max(1, min(block, k)), k), V.dtype, order="F")
        householder.py_block_t(
            V, tau, T, np.empty(householder.py_work_size(m, 0, T.shape[0]), V.dtype)
        )
        return cls(V, T)

    @property
    def count(self) -> int:
        """Number of reflectors."""
        return int(self.T.shape[1])

    @property
    def tau(self) -> Array:
        """LAPACK's scalars, shape (k,)."""
        block = self.T.shape[0]
        index = np.arange(self.count)
        return np.asarray(self.T[index % block, index])

    def apply(self, C: Array, *, adjoint: bool = False, identity_from: int = -1) -> None:
        """C := Q C or Q^H C in place; C Fortran-ordered, 4 m k flops a column."""
        work = np.empty(householder.py_work_size(C.shape[0], C.shape[1], self.T.shape[0]), C.dtype)
        householder.py_apply(self.V, self.T, C, work, adjoint, identity_from)

    def columns(self, start: int, stop: int) -> Array:
        """Return columns start .. stop-1 of Q, shape (m, stop - start)."""
        m, count, k = self.V.shape[0], stop - start, self.count
        C = empty((m, count), self.V.dtype, _ALTERNATIVE)
        if start >= k and count >= k > 0:
            full = np.empty((k, k), C.dtype, order="F")
            work = np.empty(k * max(k, count), C.dtype)
            householder.py_complement(self.V, self.T, full, C, start, work)
            return C
        C[...] = 0
        C[np.arange(start, stop), np.arange(count)] = 1
        self.apply(C, identity_from=start)
        return C


class Product:
    """Q = Q_0 diag(Q_1, I) diag(Q_2, I) ..., each factor of order at most that before it."""

    def __init__(self, *factors: Reflectors) -> None:
        self.factors = factors

    def apply(self, C: Array, *, adjoint: bool = False) -> None:
        """C := Q C or Q^H C in place."""
        for factor in self.factors if adjoint else reversed(self.factors):
            m = factor.V.shape[0]
            if m == C.shape[0]:
                factor.apply(C, adjoint=adjoint)
            else:
                head = np.asfortranarray(C[:m])
                factor.apply(head, adjoint=adjoint)
                C[:m] = head

    def columns(self, start: int, stop: int) -> Array:
        """Return columns start .. stop-1 of Q, shape (m, stop - start)."""
        *outer, inner = self.factors
        if not outer:
            return inner.columns(start, stop)
        order, m = inner.V.shape[0], outer[0].V.shape[0]
        if start >= order:
            # The inner factors are the identity there.
            return Product(*outer).columns(start, stop)
        C = empty((m, stop - start), inner.V.dtype, _ALTERNATIVE)
        C[...] = 0
        cut = min(stop, order)
        C[:order, : cut - start] = inner.columns(start, cut)
        C[np.arange(cut, stop), np.arange(cut - start, stop - start)] = 1
        Product(*outer).apply(C)
        return C


def pivoted_qr(
    C: Array, panel: int, block: int, *, rank: int | None = None, stop: float = -1.0
) -> tuple[Reflectors, Array, int, float]:
    """Factor C P = Q R in place, at most `rank` columns, until what is left is at most `stop`.

    Returns
    -------
    Q : Reflectors
        ``Q.V`` is C, which holds R in its upper trapezoid.
    p : ndarray of intc, shape (n,)
        ``(C P)[:, j] = C[:, p[j]]``.
    k : int
        Columns factored.
    left : float
        Frobenius norm of what is left, ``C[k:, k:]``.
    """
    m, n = C.shape
    last = min(m, n) if rank is None else min(rank, m, n)
    p = np.arange(n, dtype=np.intc)
    tau = np.zeros(max(1, min(m, n)), C.dtype)
    k, left = 0, 0.0
    if C.size:
        norms = np.empty(2 * n)
        work = np.empty(qrcp.py_work_size(n, panel), C.dtype)
        k, left = qrcp.py_qrcp(C, p, tau, norms, work, last, stop, panel)
    return Reflectors.of_tau(C, tau, k, block), p, k, left
