"""Null space and row space of a sparse matrix: bases from the factors, made orthonormal by blocks.

    Z = Q ( -U11^-1 U12 N )      N the null space of the core C, orthonormal: sigma_min(Z) >= 1
          (       N       )
    B = Q ( U11   0  )^H         V the row space of C: the rows of the factor U span those of A
          ( U12  V^H )

An orthonormal basis is Z R^-1, R from the Cholesky factorisation of Z^H Z, twice; Householder QR
where that fails. Then A Z R^-1 is as large as the growth of the factors and the condition of Z
allow; S A takes it away, and with S A N so small the basis is nearly orthonormal still. Of the two
spaces the one of higher dimension is the complement of the other.

References
----------
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
ETNA 44 (2015).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.choose import choose
from fastsub.factor.gram import gram_matrix
from fastsub.factor.memory import check_memory, empty, zeros
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.rank.inverse import frobenius
from fastsub.factor.sparse.arrays import by_label
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.kernels import blas, gram, triangular
from fastsub.kernels.substitution import py_combine

_SPARSE = "with sparse=True the basis is sparse, but not orthonormal"
_OTHER = "its complement may be small"
_REFINEMENTS = 2
# A product of two sparse entries, in those of a dense Gram matrix.
_SCATTER = 100


def null_basis(F: SparseFactors) -> Array:
    """Return an orthonormal basis of the null space, shape (n, n - rank), in the dtype of A."""
    n, k = F.matrix.shape[1], F.matrix.shape[1] - F.rank
    check_memory((2 * n, k), F.matrix.dtype, _SPARSE)
    N, done = zeros((n, k), F.input.dtype), 0
    for where, Z in _null_blocks(F):
        width = Z.shape[1]
        if Z.shape == N.shape:
            return _null_of_block(F, Z, where).astype(N.dtype, copy=False)
        N[where, done : done + width] = _null_of_block(F, Z, where)
        done += width
    return N


def row_basis(F: SparseFactors) -> Array:
    """Return an orthonormal basis of the row space, shape (n, rank), in the dtype of A."""
    n, r = F.matrix.shape[1], F.rank
    check_memory((2 * n, r), F.matrix.dtype, _OTHER)
    V = zeros((n, r), F.input.dtype)
    # Where there is no null space every vector will do.
    heights = np.bincount(F.cols, minlength=F.ranks.size)
    whole = np.flatnonzero((F.ranks == heights)[F.cols])
    done = whole.size
    V[whole, np.arange(done)] = 1
    rows = None
    for where, Z in _null_blocks(F):
        label = F.cols[where[0]]
        width = int(F.ranks[label])
        if width == 0:
            continue
        if width > Z.shape[1]:
            N = np.array(_null_of_block(F, Z, where), order="F")
            block = choose(N.shape[0], N.shape[1], N.dtype, want="qr").block
            basis = Reflectors.of_qr(N, block).columns(N.shape[1], where.size)
        else:
            rows = _rows(F) if rows is None else rows
            B = rows[label][:, where].conj().T.toarray(order="F")
            basis = orthonormalize(B, gram_matrix(B))
        V[where, done : done + width] = basis
        done += width
    return V


def particular_basis(F: SparseFactors) -> csr_array:
    """Return Z, shape (n, n - rank): sparse, sigma_min(Z) >= 1, one column for each free variable.

    Where the core has a null space of its own, one for each of its orthonormal basis vectors.
    """
    lu, n = F.lu, F.matrix.shape[1]
    k = n - F.rank
    free = lu.col_step < 0
    start, done = [], 0
    for core in F.cores:
        free[core.cols] = False
        N = core.null_space()
        i, j = np.nonzero(N)
        start.append((core.cols[i], done + j, N[i, j]))
        done += N.shape[1]
    alone = np.flatnonzero(free)
    start.append((alone, np.arange(done, k), np.ones(alone.size, lu.dtype)))
    i, j, z = (np.concatenate(parts) for parts in zip(*start, strict=True))
    head = csr_array((z, (i, j)), shape=(n, k))
    row, length = head.indptr[:-1].astype(np.intp), np.diff(head.indptr).astype(np.intc)
    column, value = head.indices.astype(np.intc), head.data.astype(lu.dtype)
    used, line = value.size, lu.q.size - 1
    work = np.empty(k, lu.dtype), np.empty(k), np.full((2, k), -1, np.intc)
    while line >= 0 and k:
        more = max(k, column.size) + 1024
        check_memory((column.size + more, 2), lu.dtype, "the null space has no sparse basis")
        column = np.concatenate([column, np.empty(more, np.intc)])
        value = np.concatenate([value, np.empty(more, lu.dtype)])
        U = lu.U
        used, line = py_combine(
            line, U.start, U.index, U.value, lu.q, lu.diagonal, row, length, column, value,
            used, *work
        )  # fmt: skip
    indptr = np.concatenate([[0], np.cumsum(length)])
    order = np.repeat(row - indptr[:-1], length) + np.arange(indptr[-1])
    return csr_array((value[order], column[order], indptr), shape=(n, k))


def _null_blocks(F: SparseFactors) -> Iterator[tuple[Array, csr_array]]:
    """Yield the columns of each block that has a null space, and its part of Z."""
    Z = particular_basis(F)
    if Z.shape[1] == 0:
        return
    columns = Z.tocsc()
    # The columns of Z of one block end in its rows alone.
    labels = F.cols[columns.indices[columns.indptr[:-1]]]
    of_block, of_rows = (by_label(label, F.ranks.size) for label in (labels, F.cols))
    for some, where in zip(of_block, of_rows, strict=True):
        if some.size:
            part = Z if some.size == Z.shape[1] else columns[:, some].tocsr()
            yield where, part[where] if where.size < Z.shape[0] else part


def _null_of_block(F: SparseFactors, Z: csr_array, where: Array) -> Array:
    """Return an orthonormal basis of the range of Z (n_b, k), of the columns `where` of A."""
    if Z.shape == (1, 1):
        return np.ones((1, 1), Z.dtype)
    columns = Z.toarray(order="F")
    N = orthonormalize(columns, _gram_of(Z, columns))
    A = F.matrix[:, where]
    size = EPS["d"] * float(np.linalg.norm(A.data)) * N.shape[1] ** 0.5
    for _ in range(_REFINEMENTS):
        residual = A @ N
        if frobenius(np.asfortranarray(residual)) <= size:
            break
        N = np.asfortranarray(N - F.lu.solve(residual, F.cores)[where])
        N = orthonormalize(N, gram_matrix(N), passes=1)
    return N


def _gram_of(Z: csr_array, columns: Array) -> Array:
    """Return Z^H Z by whichever is cheaper, of a sparse Z and the same as a dense array."""
    n, k = Z.shape
    if _SCATTER * float(np.square(np.diff(Z.indptr), dtype=float).sum()) < float(n) * k**2:
        G: Array = (Z.conj().T @ Z).toarray(order="F")
        return G
    return gram_matrix(columns)


def _rows(F: SparseFactors) -> list[csr_array]:
    """Return the rows of the factor U, scaled to unit length, by blocks; shape (r_b, n) each."""
    lu, n = F.lu, F.matrix.shape[1]
    s = lu.q.size
    line = np.repeat(np.arange(s), np.diff(lu.U.start))
    parts = [(line, lu.U.index, lu.U.value), (np.arange(s), lu.q, lu.diagonal)]
    labels, done = [F.cols[lu.q]], s
    for core in F.cores:
        V = core.row_space()
        j, i = np.nonzero(V)
        parts.append((done + i, core.cols[j], V[j, i].conj()))
        labels.append(np.full(V.shape[1], F.cols[core.cols[0]], np.intc))
        done += V.shape[1]
    i, j, z = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rows = csr_array((z, (i, j)), shape=(done, n))
    lengths = np.sqrt(np.bincount(i, np.abs(z) ** 2, done))
    rows.data /= np.repeat(lengths, np.diff(rows.indptr))
    return [rows[some] for some in by_label(np.concatenate(labels), F.ranks.size)]


def orthonormalize(Z: Array, G: Array, passes: int = 2) -> Array:
    """Return Q of a QR factorisation of Z, Fortran-ordered, whose memory is used; G = Z^H Z."""
    kept = Z.copy(order="F") if passes > 1 else None
    for turn in range(passes):
        if turn:
            G = gram_matrix(Z)
            if not frobenius(np.asfortranarray(np.triu(G - np.eye(len(G))))) < 0.1:
                break
        if gram.py_cholesky(G) != 0:
            break
        X = empty(G.shape, G.dtype)
        if not np.isfinite(triangular.py_inverse(G, X)):
            break
        blas.py_trmm("R", "U", "N", "N", X, Z)
    else:
        return Z
    Z = Z if kept is None else kept
    return Reflectors.of_qr(Z, 64).columns(0, Z.shape[1])
