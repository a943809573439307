"""A preconditioner for sparse least squares of any shape and rank: regularised normal equations.

    T = (A^H A + delta^2 I)^-1 A^H R = A^H (A A^H + delta^2 I)^-1 R

whichever matrix is the smaller one, in a minimum degree order (kernels/mindegree.pyx), factored by
SuperLU without pivots. Of the preconditioned matrix the eigenvalues are sigma^2 / (sigma^2 +
delta^2): with delta near sigma_r all that count lie between a half and one, a handful of
iterations, and singular values far below stay small.

What R has in the left null space becomes noise, u ||R|| ||A|| / delta^2. Below full rank a wide
matrix has A^H (A A^H + delta^2 I)^-2 A S instead, S = A^H R: the squares of these eigenvalues.

Nothing is believed of the factors: whoever iterates looks at residuals.

References
----------
Riley, Solving systems of linear equations with a positive definite, symmetric, but possibly
ill-conditioned matrix, Math. Tables Other Aids Comput. 9 (1955). Bjorck, Numerical Methods for
Least Squares Problems (1996), section 2.7.4. Li, An overview of SuperLU, ACM TOMS 31 (2005).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

from fastsub.factor.arrays import Array
from fastsub.factor.memory import check_memory
from fastsub.factor.rank.cutoff import EPS
from fastsub.kernels.mindegree import py_order

# Products that the normal equations may take, for each entry, row and column of A.
_PRODUCTS = 500
# Neighbours, times the root of their number, of variables that are eliminated last.
_CROWDED = 10.0
# delta at the least, times sigma_1 and the root of the unit roundoff: Cholesky's limit.
_FLOOR = 10.0
# Steps of inverse iteration for sigma_r; how much larger it must be to factor once more.
_STEPS, _LARGER = 4, 3.0


class Regularised:
    """The normal equations of A, regularised.

    Parameters
    ----------
    A : csr_array, shape (m, n)
    delta, sigma_1 : float
        Estimates of the smallest singular value that counts, from below, and of the largest one.
    full : bool
        Whether the rank is the smaller one of m and n.

    Attributes
    ----------
    work : float
        Multiplications of the factorisation, or more; infinite if it is out of the question.
    """

    def __init__(self, A: csr_array, delta: float, sigma_1: float, full: bool) -> None:
        (m, n), self.work, self._full = A.shape, math.inf, full
        self._lu: Any = None
        self._A, self._wide = A, m <= n
        # Each line of the longer side makes a square of products.
        lengths = np.bincount(A.indices, minlength=n) if self._wide else np.diff(A.indptr)
        if float(np.square(lengths, dtype=float).sum()) > _PRODUCTS * (A.nnz + m + n):
            return
        self._adjoint = A.conj().T.tocsr()
        product = A @ self._adjoint if self._wide else self._adjoint @ A
        self._floor = _FLOOR * math.sqrt(EPS["d"]) * sigma_1
        self._delta, self._product = max(delta, self._floor), csc_array(product)
        pattern = csc_array(self._product + eye_array(min(m, n)))
        self._order, nonzeros, work = minimum_degree(pattern)
        try:
            check_memory((int(4 * nonzeros),), A.dtype, "")
        except MemoryError:
            return
        self.work = work

    def apply(self, R: Array, S: Array) -> Array:
        """Return the step for residuals R and gradients S = A^H R."""
        if self._lu is None:
            self._factor()
            if not self._full:
                self._adapt()
        if not self._wide:
            return self._solve(S)
        Y = self._solve(R) if self._full else self._solve(self._solve(self._A @ S))
        return np.asarray(self._adjoint @ Y)

    def _factor(self) -> None:
        order, eye = self._order, eye_array(self._order.size, format="csc")
        self._lu = splu(
            csc_array(self._product + self._delta**2 * eye)[order][:, order],
            permc_spec="NATURAL",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True, "Equil": False},
        )

    def _adapt(self) -> None:
        """Bring delta to sigma_r: what is far below it lets noise of the left null space pass."""
        G = self._product
        v = G @ np.cos(np.arange(G.shape[0]) ** 2.0).astype(G.dtype)[:, None]
        for _ in range(_STEPS):
            # The product takes away what rounding brings in outside of the range.
            v = G @ self._solve(self._solve(v))
            v /= np.linalg.norm(v)
        sigma = math.sqrt(max(0.0, np.vdot(v, G @ v).real))
        if sigma > _LARGER * self._delta:
            self._delta = sigma
            self._factor()

    def _solve(self, V: Array) -> Array:
        Y = np.empty_like(V)
        Y[self._order] = self._lu.solve(np.asfortranarray(V[self._order]))
        return Y


def minimum_degree(K: csc_array) -> tuple[Array, float, float]:
    """Return an order of a symmetric matrix in which its Cholesky factor is sparse, and the cost.

    Returns
    -------
    order : ndarray of intc, shape (n,)
    nonzeros, work : float
        Upper bounds of the entries of the factor, and of the multiplications.
    """
    n = K.shape[0]
    line = np.repeat(np.arange(n, dtype=np.intc), np.diff(K.indptr))
    apart = K.indices != line
    start = np.concatenate([[0], np.cumsum(np.bincount(line[apart], minlength=n))])
    order, cost = np.empty(n, np.intc), np.zeros(2)
    py_order(
        start.astype(np.intp),
        K.indices[apart].astype(np.intc, copy=False),
        math.inf,
        int(max(16.0, _CROWDED * math.sqrt(n))),
        np.empty((13, n + 1), np.intc),
        np.zeros(n, np.longlong),
        order,
        cost,
    )
    return order, float(cost[0]), float(cost[1])
