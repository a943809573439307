"""An orthogonal (unitary) matrix as a product of Householder reflectors, never formed whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.choose import Plan
from fastsub.factor.memory import empty
from fastsub.kernels import householder, paqr, qrcp, rqrcp

# Rows of a sketch beyond the columns of a block (Martinsson et al. 2017, section 3).
OVERSAMPLING = 8
_SEED = 20171031
ALTERNATIVE = "its orthogonal complement is small: project with I - Q Q^H instead"


class Reflectors:
    """Q = H_0 H_1 ... in compact WY form, of order ``V.shape[0]``.

    Attributes
    ----------
    V : ndarray, shape (m, n)
        The reflectors below the diagonal of its first k columns, R above.
    T : ndarray, shape (block, k)
        Their triangular factors, side by side; made when first asked for if only LAPACK's scalars
        `tau` are given, which then belong to the reflectors from `start`, a multiple of the block,
        on: not everybody who wants R wants Q.
    """

    def __init__(self, V: Array, T: Array, tau: Array | None = None, start: int = 0) -> None:
        self.V = V
        self._T = T
        self._tau, self._start = tau, start

    @property
    def T(self) -> Array:
        tau = self._tau
        if tau is not None:
            # An array of its own: another thread may be reading, or making the same.
            T = self._T.copy(order="F")
            work = np.empty(householder.py_work_size(len(self.V), 0, len(T)), T.dtype)
            householder.py_block_t(self.V, tau, T, work, self._start)
            self._T, self._tau = T, None
        return self._T

    @classmethod
    def of_qr(cls, A: Array, block: int) -> Reflectors:
        """Factor A = Q R in place, unpivoted; 2 n^2 (m - n/3) flops."""
        m, n = A.shape
        T = np.zeros((max(1, min(block, m, n)), min(m, n)), A.dtype, order="F")
        if A.size:
            work = np.empty(householder.py_work_size(m, n, T.shape[0]), A.dtype)
            householder.py_qr(A, T, work)
        return cls(A, T)

    @property
    def count(self) -> int:
        """Number of reflectors."""
        return int(self._T.shape[1])

    def first(self, count: int) -> Reflectors:
        """Return the product of the first reflectors alone."""
        return Reflectors(self.V, self.T[:, :count])

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

    def columns(
        self, start: int, stop: int, *, consume: bool = False, out: Array | None = None
    ) -> Array:
        """Return columns start .. stop-1 of Q, shape (m, stop - start), in `out` if it is given.

        consume: R, in the upper triangle of V, may be lost.
        """
        m, count, k = self.V.shape[0], stop - start, self.count
        C = empty((m, count), self.V.dtype, ALTERNATIVE) if out is None else out
        if start >= k and count >= k > 0:
            full = self.V[:k, :k] if consume else np.empty((k, k), C.dtype, order="F")
            work = np.empty(m * self.T.shape[0], C.dtype)
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
            factor.apply(C[: factor.V.shape[0]], adjoint=adjoint)

    def columns(
        self, start: int, stop: int, *, consume: bool = False, out: Array | None = None
    ) -> Array:
        """Return columns start .. stop-1 of Q, as those of `Reflectors`."""
        *outer, inner = self.factors
        if not outer:
            return inner.columns(start, stop, consume=consume, out=out)
        order, m = inner.V.shape[0], outer[0].V.shape[0]
        if start >= order:
            # The inner factors are the identity there.
            return Product(*outer).columns(start, stop, consume=consume, out=out)
        C = empty((m, stop - start), inner.V.dtype, ALTERNATIVE) if out is None else out
        C[...] = 0
        cut = min(stop, order)
        inner.columns(start, cut, out=C[:order, : cut - start])
        C[np.arange(cut, stop), np.arange(cut - start, stop - start)] = 1
        Product(*outer).apply(C)
        return C


def random_matrix(m: int, d: int, dtype: Any, rng: Any = None) -> Array:
    """Return the (m, d) matrix of a sketch: uniform in [-1, 1), real in every dtype.

    Subgaussian entries keep norms as normal ones do (Vershynin 2018, section 3.1), and are made in
    a third of the time, which at 1000 columns is 3 % of a factorisation.
    """
    values = np.random.default_rng(_SEED if rng is None else rng).random((d, m), np.float32)
    values *= 2
    values -= 1
    return values.T.astype(dtype, order="F")


def pivoted_qr(
    C: Array, plan: Plan, *, rank: int | None = None, stop: float = -1.0, rng: Any = None
) -> tuple[Reflectors, Array, int, float]:
    """Factor C P = Q R in place, at least `rank` columns, until what is left is at most `stop`.

    Returns
    -------
    Q : Reflectors
        ``Q.V`` is C, which holds R in its upper trapezoid.
    p : ndarray of intc, shape (n,)
        ``(C P)[:, j] = C[:, p[j]]``.
    k : int
        Columns factored: by blocks if the plan has a sketch, so more than `rank` perhaps.
    left : float
        Frobenius norm of what is left, ``C[k:, k:]``.
    """
    m, n = C.shape
    full = min(m, n)
    last = full if rank is None else min(rank, full)
    p = np.arange(n, dtype=np.intc)
    block = max(1, min(plan.sketch or plan.block, full, last or 1))
    T = np.zeros((block, full), C.dtype, order="F")
    norms = np.empty(2 * max(n, block))
    k, left = 0, -1.0
    if plan.sketch and C.size:
        d = block + OVERSAMPLING
        omega = random_matrix(m, d, C.dtype, rng)
        S = np.empty((n, d), C.dtype, order="F")
        work = np.empty(rqrcp.py_work_size(m, n, block, d), C.dtype)
        k, left = rqrcp.py_rqrcp(C, omega, S, p, T, norms, work, last, stop)
    tau, start = None, k
    if k < last and not 0 <= left <= stop:
        tau = np.zeros(full, C.dtype)
        work = np.empty(qrcp.py_work_size(n, plan.panel), C.dtype)
        k, left = qrcp.py_qrcp(C, p, tau, norms, work, last, stop, plan.panel, start)
    elif left < 0:
        left = qrcp.py_column_norms(C, norms, k)
    return Reflectors(C, T[:, :k], tau, start), p, k, left


class AvoidingQR:
    """C P = Q R, in place, pivoting only the columns that depend on those before them.

    Parameters
    ----------
    C : ndarray, shape (m, n)
    plan : Plan
        Without `left` there will be no Q.
    limit : float
        Columns of which no more than this is left are put off.

    Attributes
    ----------
    p, k, left
        As from `pivoted_qr`.
    """

    def __init__(self, C: Array, plan: Plan, limit: float) -> None:
        m, n = C.shape
        full = min(m, n)
        self._C, self._panel = C, plan.panel
        self.p = np.arange(n, dtype=np.intc)
        self._T = np.zeros((max(1, min(plan.block, full)), full), C.dtype, order="F")
        self._tau = np.zeros(full, C.dtype)
        self.k, self.left, self._aligned = self._avoid(limit, 0)

    def _avoid(self, limit: float, start: int) -> tuple[int, float, int]:
        m, n = self._C.shape
        work = np.empty(paqr.py_work_size(m, n, self._T.shape[0]), self._C.dtype)
        return paqr.py_paqr(self._C, self.p, self._T, self._tau, limit, work, start)

    def complete(self) -> None:
        """Factor what was put off, too, as it comes: C becomes triangular, nothing is left."""
        aligned = self._aligned
        self.k, self.left, self._aligned = self._avoid(-1.0, self.k)
        if aligned % self._T.shape[0]:
            self._aligned = aligned

    def finish(self, stop: float, rank: int | None = None) -> None:
        """Factor what was put off, with pivoting, until what is left is at most `stop`.

        Or until `rank` columns are done.
        """
        m, n = self._C.shape
        last = min(m, n) if rank is None else rank
        norms = np.empty(2 * n)
        work = np.empty(qrcp.py_work_size(n, self._panel), self._C.dtype)
        self.k, self.left = qrcp.py_qrcp(
            self._C, self.p, self._tau, norms, work, last, stop, self._panel, self.k
        )

    @property
    def Q(self) -> Reflectors:
        """The unitary factor, of order m."""
        block = self._T.shape[0]
        if self._aligned < self.k:
            start = self._aligned - self._aligned % block
            work = np.empty(householder.py_work_size(self._C.shape[0], 0, block), self._C.dtype)
            householder.py_block_t(self._C, self._tau, self._T[:, : self.k], work, start)
            self._aligned = self.k
        return Reflectors(self._C, self._T[:, : self.k])
