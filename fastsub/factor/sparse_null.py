"""The null space of a sparse matrix: a basis from the factors, made orthonormal block by block.

    Z = Q ( -U11^-1 U12 N )        N the null space of the core C, orthonormal: sigma_min(Z) >= 1
          (       N       )

An orthonormal basis is Z R^-1, R from the Cholesky factorisation of Z^H Z, twice; Householder QR
where that fails. Then A Z R^-1 is as large as the growth of the factors and the condition of Z
allow; S A takes it away, and with the columns of S A N so small the basis is nearly orthonormal.

References
----------
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
ETNA 44 (2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, check_memory, empty, zeros
from fastsub.factor.cutoff import EPS
from fastsub.factor.gram import gram_matrix
from fastsub.factor.reflectors import Reflectors
from fastsub.factor.sparse import SparseFactors
from fastsub.kernels import blas, gram, triangular

_ALTERNATIVE = "with sparse=True the basis is sparse, but not orthonormal"
_REFINEMENTS = 2


def null_basis(F: SparseFactors) -> Array:
    """Return an orthonormal basis of the null space, shape (n, n - rank), in the dtype of A."""
    n, k = F.matrix.shape[1], F.matrix.shape[1] - F.rank
    check_memory((2 * n, k), F.matrix.dtype, _ALTERNATIVE)
    N = zeros((n, k), F.input.dtype)
    if k == 0:
        return N
    Z, labels = particular_basis(F)
    order = np.argsort(labels, kind="stable")
    cols = np.argsort(F.cols, kind="stable")
    done = 0
    for label in np.unique(labels):
        some = order[np.searchsorted(labels[order], label) :][: int((labels == label).sum())]
        where = cols[np.searchsorted(F.cols[cols], [label, label + 1])[0] :][
            : int((F.cols == label).sum())
        ]
        if where.size == some.size == 1:
            N[where[0], done] = 1
        else:
            N[where, done : done + some.size] = _orthonormal(
                F, np.asfortranarray(Z[np.ix_(where, some)]), where
            )
        done += some.size
    return N


def particular_basis(F: SparseFactors) -> tuple[Array, Array]:
    """Return Z, shape (n, n - rank), C-ordered, and the block of each of its columns."""
    lu, n = F.lu, F.matrix.shape[1]
    Z = np.zeros((n, n - F.rank), F.matrix.dtype)
    labels = np.empty(n - F.rank, np.intc)
    free = lu.col_step < 0
    done = 0
    for core in F.cores:
        free[core.cols] = False
        count = core.cols.size - core.rank
        Z[core.cols, done : done + count] = core.cod.null_space() if core.rank else np.eye(count)
        labels[done : done + count] = F.cols[core.cols[0]]
        done += count
    alone = np.flatnonzero(free)
    Z[alone, done + np.arange(alone.size)] = 1
    labels[done:] = F.cols[alone]
    lu.substitute(Z, "U")
    return Z, labels


def _orthonormal(F: SparseFactors, Z: Array, where: Array) -> Array:
    """Return an orthonormal basis of the range of Z (n_b, k): columns `where` of A see it."""
    N = orthonormalize(Z)
    A = F.matrix[:, where]
    size = EPS["d"] * float(np.linalg.norm(A.data)) * N.shape[1] ** 0.5
    for _ in range(_REFINEMENTS):
        residual = A @ N
        if float(np.linalg.norm(residual)) <= size:
            break
        N = np.asfortranarray(N - F.lu.solve(residual, F.cores)[where])
        N = orthonormalize(N, passes=1)
    return N


def orthonormalize(Z: Array, passes: int = 2) -> Array:
    """Return Q of a QR factorisation of Z, whose memory is used."""
    kept = None
    for turn in range(passes):
        G = gram_matrix(Z)
        near = float(np.linalg.norm(np.triu(G - np.eye(G.shape[0]))))
        if turn == 0:
            kept = Z.copy(order="F") if passes > 1 else Z
        elif not near < 0.1:
            return _householder(kept)
        if gram.py_cholesky(G) != 0:
            return _householder(kept)
        X = empty(G.shape, G.dtype)
        if not np.isfinite(triangular.py_inverse(G, X)):
            return _householder(kept)
        blas.py_trmm("R", "U", "N", "N", X, Z)
    return Z


def _householder(Z: Any) -> Array:
    return Reflectors.of_qr(Z, 64).columns(0, Z.shape[1])
