"""Passes over a tall matrix: its products with small ones, and their Gram matrices.

All of it at once, in pieces of rows that are chosen by the input alone and go to the threads
(kernels/passes.pyx), their sums added up in order, so that the bits do not depend on the number of
threads; or one product after the other by the BLAS (kernels/panels.pyx), which is no slower where
columns are many.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import empty
from fastsub.factor.parallel import map_pieces
from fastsub.kernels import panels, passes

# Real products of two pieces, one for either of two threads, and the most pieces.
_PAIR, _PIECES = 1 << 26, 8
# Rows of a piece, in columns of the products: the sums of all pieces take less than A does.
_LONG = 4


def multiply(
    A: Array, p: Array, X: Array, N: Array, *, keep: bool = True, pieces: int | None = None
) -> tuple[Array, Array, Array]:
    """Return ``Q = A[:, p[:r]] X`` and the upper triangles of Q^H Q and (A N)^H (A N).

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides of whole elements.
    p : ndarray of intc, shape (n,)
        A permutation.
    X : ndarray, shape (r, r)
        Upper triangular, Fortran-ordered.
    N : ndarray, shape (n, k)
        Fortran-ordered.
    keep : bool
        Without it Q has no rows: only its Gram matrix is wanted.
    pieces : int, optional
        Of rows, each one for a thread; as many as pay by default.

    Returns
    -------
    Q : ndarray, shape (m, r) or (0, r)
        C-ordered.
    G : ndarray, shape (r, r)
    H : ndarray, shape (k, k)
    """
    (m, n), r, k = A.shape, X.shape[1], N.shape[1]
    Q = np.empty((m if keep else 0, r), A.dtype)
    place = np.empty_like(p)
    place[p] = np.arange(n, dtype=p.dtype)
    X, N = _pack(X, p, True), _pack(N, p, False)
    parts = 4 if A.dtype.kind == "c" else 1
    if pieces is None:
        pieces = min(_PIECES, parts * m * n * (r + k) // _PAIR * 2)
        pieces = max(1, min(pieces, max(2, m // (_LONG * (r + k + 1)))))
    cuts = [m * i // pieces for i in range(pieces + 1)]
    longest = A[: -(-m // pieces)]
    idle: deque[Array] = deque()

    def of_piece(i: int) -> Array:
        rows = slice(cuts[i], cuts[i + 1])
        try:
            work = idle.pop()
        except IndexError:
            work = np.empty(passes.py_work_size(longest, r, k), A.dtype)
        sums = np.empty(passes.py_sums_size(A, r, k), A.dtype)
        passes.py_multiply(A[rows], place, X, N, k, Q[rows], sums, work)
        idle.append(work)
        return sums

    sums, *others = map_pieces(of_piece, pieces)
    for other in others:
        sums += other
    G, H = empty((r, r), A.dtype), empty((k, k), A.dtype)
    passes.py_unfold(sums, G, H)
    return Q, G, H


def _pack(X: Array, p: Array, is_upper: bool) -> Array:
    P = np.empty(passes.py_packed_size(X, p.size), X.dtype)
    passes.py_pack(X, p, is_upper, P)
    return P


def precondition(A: Array, p: Array, X: Array, *, keep: bool) -> tuple[Array, Array]:
    """Return Q and G of `multiply` by the BLAS; without `keep` Q means nothing.

    Q is C-ordered where the rows of A are contiguous.
    """
    r = X.shape[1]
    shape = (A.shape[0] if keep else panels.py_panel_rows(A, r), r)
    by_rows = A.strides[1] == A.itemsize
    Q = np.empty(shape, A.dtype) if by_rows else empty(shape, A.dtype)
    G = empty((r, r), A.dtype)
    panels.py_precondition(A, p, X, Q, G, np.empty(2 * r * r, A.dtype))
    return Q, G


def product_gram(A: Array, N: Array, first: int) -> tuple[Array, Array]:
    """Return the squared norms of the columns of A N, and H of the first of them, by the BLAS."""
    squares, H = np.empty(N.shape[1]), empty((first, first), A.dtype)
    panels.py_product_sumsq(A, N, squares, H, np.empty(panels.py_work_size(A, N.shape[1]), A.dtype))
    return squares, H
