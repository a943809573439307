"""The Gram matrix of a tall matrix, and of right-hand sides with it, on all threads.

Pieces of rows, chosen by the input alone, have a Gram matrix each (kernels/gram.pyx), added up in
order: the bits do not depend on the number of threads. Where columns are many the BLAS is as fast.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 4.2: sums of partial
sums have a smaller error than one long sum.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import is_packed
from fastsub.factor.memory import empty
from fastsub.factor.parallel import map_pieces
from fastsub.factor.products import product
from fastsub.kernels import blas, gram, triangular

# Real products of two pieces, one for either of two threads, and the most pieces: a thread starts
# in as long as some 10 million products take.
_PAIR, _PIECES = 1 << 26, 8
# Rows of a piece, in columns, so that their sums take half of what A does at the most.
_LONG = 2


def gram_matrix(A: Array, B: Array | None = None) -> Array:
    """Return the upper triangle of ``[A B]^H [A B]``, zeros below; m (n + k)^2 flops.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides; of a size whose squares neither overflow nor underflow.
    B : ndarray, shape (m, k), optional
        Right-hand sides, of the dtype of A: A^H B then stands in the last k columns.

    Returns
    -------
    G : ndarray, shape (n + k, n + k)
        Fortran-ordered.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.factor.gram import gram_matrix
    >>> gram_matrix(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [0.0]]))
    array([[10., 14.,  1.],
           [ 0., 20.,  2.],
           [ 0.,  0.,  1.]])
    """
    B = A[:, :0] if B is None else B
    (m, n), k = A.shape, B.shape[1]
    if not is_packed(m, n + k, A.dtype):
        return _by_blas(A, B)
    A, B = whole_strides(A), whole_strides(B)
    parts = 4 if A.dtype.kind == "c" else 1
    pieces = min(_PIECES, parts * m * (n + k) ** 2 // _PAIR * 2, max(2, m // (_LONG * (n + k))))
    pieces = max(1, pieces)
    cuts = [m * i // pieces for i in range(pieces + 1)]
    idle: deque[Array] = deque()

    def of_piece(i: int) -> Array:
        rows, G = slice(cuts[i], cuts[i + 1]), empty((n + k, n + k), A.dtype)
        try:
            work = idle.pop()
        except IndexError:
            work = np.empty(gram.py_gram_work_size(A, k), A.dtype)
        gram.py_gram_with(A[rows], B[rows], G, work)
        idle.append(work)
        return G

    G, *others = map_pieces(of_piece, pieces)
    for other in others:
        G += other
    return G


def _by_blas(A: Array, B: Array) -> Array:
    """The same by herk, which reads C order as the transpose."""
    n, order = A.shape[1], A.shape[1] + B.shape[1]
    G = np.zeros((order, order), A.dtype, order="F")
    for X, part in ((A, G[:n, :n]), (B, G[n:, n:])):
        square = np.zeros(part.shape, A.dtype, order="F")
        if X.size and X.flags.c_contiguous:
            blas.py_herk("L", "N", X.T, square)
            square = square.T
        elif X.size:
            blas.py_herk("U", "C", np.asfortranarray(X), square)
        if not B.shape[1]:
            return square if square.flags.f_contiguous else np.asfortranarray(square)
        part[...] = square
    if A.size and B.size:
        G[:n, n:] = product(A, B, adjoint=True)
    return G


def departure(G: Array) -> float:
    """Return ``||G - I||_F`` of a Hermitian G, of which the upper triangle is given."""
    diagonal, rows = np.diagonal(G), np.empty(len(G))
    triangular.py_row_sumsq(G, len(G), rows)
    # Twice the strict upper triangle, and the diagonal.
    off = 2 * max(0.0, float(rows.sum()) - float(np.linalg.norm(diagonal)) ** 2)
    return math.hypot(math.sqrt(off), float(np.linalg.norm(diagonal - 1)))
