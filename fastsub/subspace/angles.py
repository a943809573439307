"""Principal angles between subspaces, accurate near 0 and near pi / 2.

For orthonormal X (n, p) and Y (n, q), p >= q, the cosines are the singular values of X^H Y and the
sines those of Y - X X^H Y. The arccosine of a cosine near 1 loses half of its digits, as does the
arcsine of a sine near 1: each angle is taken from that of the two which is below sqrt(1/2).

References
----------
Björck & Golub, Numerical methods for computing angles between linear subspaces, Math. Comp. 27
(1973). Knyazev & Argentati, Principal angles between subspaces in an A-based scalar product, SIAM
J. Sci. Comput. 23 (2002), algorithm 3.1; theorem 2.7 of their preprint for complements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import svdvals

from fastsub.factor.arrays import Array, as_array, upper
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.factor.stacked import angles_stack
from fastsub.functions.subspaces import orth


def principal_angles(X: Array, Y: Array) -> Array:
    """Return the angles between the spans of orthonormal bases, descending, shape (min(p, q),)."""
    if X.shape[1] < Y.shape[1]:
        X, Y = Y, X
    C = product(X, Y, adjoint=True)
    cosines = _singular_values(C.copy(order="F"))[::-1]
    angles = np.arccos(np.minimum(cosines, 1))
    near = cosines**2 >= 0.5
    if near.any():
        S = np.subtract(Y, product(X, C), order="F")
        angles[near] = np.arcsin(np.minimum(_singular_values(S)[near], 1))
    return angles


def angles_between(X: Array, Y: Array, complemented: tuple[bool, bool], count: int) -> Array:
    """Return the `count` angles between two spans or complements of spans, descending.

    Those between two complements are those between the spans but for zeros; between a span and a
    complement they are pi / 2 less those between the spans (Knyazev & Argentati).
    """
    angles = principal_angles(X, Y)
    if complemented[0] != complemented[1]:
        angles = (math.pi / 2 - angles)[::-1]
    found = np.zeros(count, angles.dtype)
    found[: angles.size] = angles[:count]
    return found


def _singular_values(S: Array) -> Array:
    """Singular values of a tall or square matrix, which is destroyed, descending."""
    m, n = S.shape
    if n == 0:
        return np.empty(0, S.real.dtype)
    if m > n:
        Reflectors.of_qr(S, choose(m, n, S.dtype, want="qr").block)
        S = upper(S, n)
    return np.asarray(svdvals(S, overwrite_a=True, check_finite=False))


def subspace_angles(A: Any, B: Any) -> Array:
    """Return the principal angles between the column spaces of two matrices, as SciPy does.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
    B : array_like, shape (..., m, k)
        Real or complex matrices of any rank, or stacks of them.

    Returns
    -------
    angles : ndarray, shape (..., min(rank(A), rank(B)))
        Radians, descending: the first is the largest, zero if one space holds the other.

    Raises
    ------
    ValueError
        NaN or infinity, different numbers of rows, a stack of unequal ranks.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    scipy.linalg.subspace_angles : the same by SVDs of A and B.
    fastsub.Subspace.angles : for subspaces that are at hand, huge ones too.

    Notes
    -----
    Cost: two orthonormal bases (`orth`), 6 m n k flops, and an SVD of order min(n, k). Errors are
    of the size of the unit roundoff times the condition of A and B.

    References
    ----------
    .. [1] Knyazev & Argentati, Principal angles between subspaces in an A-based scalar product,
       SIAM J. Sci. Comput. 23 (2002), algorithm 3.1.

    Examples
    --------
    The diagonal of the plane and its first axis:

    >>> import fastsub
    >>> fastsub.subspace_angles([[1.0], [1.0]], [[1.0], [0.0]]) * 180 / 3.141592653589793
    array([45.])
    """
    A, B = as_array(A, "A"), as_array(B, "B")
    for matrix, name in ((A, "A"), (B, "B")):
        if matrix.ndim < 2:
            raise ValueError(f"{name} must be a matrix or a stack of matrices, got {matrix.ndim}-d")
    if A.shape[-2] != B.shape[-2]:
        raise ValueError(
            f"A and B must have the same number of rows, got {A.shape[-2]} and {B.shape[-2]}"
        )
    dtype = np.result_type(A, B)
    A, B = A.astype(dtype, copy=False), B.astype(dtype, copy=False)
    if A.ndim == B.ndim == 2:
        return principal_angles(np.asfortranarray(orth(A)), np.asfortranarray(orth(B)))
    shape = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    if math.prod(shape) == 0:
        raise ValueError(f"A and B broadcast to a stack of shape {shape}, which holds no matrix")
    X, ranks_x, pairs_x = _bases(A, shape)
    Y, ranks_y, pairs_y = _bases(B, shape)
    counts = np.minimum(ranks_x[pairs_x], ranks_y[pairs_y])
    if counts.min() < counts.max():
        raise ValueError(
            "the matrices of the stack have different ranks, so their angles do not fit in one "
            "array; pass them one at a time"
        )
    angles = angles_stack(X, Y, (pairs_x, pairs_y), (ranks_x, ranks_y), int(counts[0]))
    return angles.astype(A.real.dtype, copy=False).reshape(*shape, -1)


def _bases(A: Array, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Return bases (N, m, p), their ranks (N,), and which of them each place of `shape` has."""
    A = A[None] if A.ndim == 2 else A
    Q, ranks = orth(A, padded=True)
    count = math.prod(A.shape[:-2])
    stored = np.ascontiguousarray(Q.reshape(count, *Q.shape[-2:]).swapaxes(1, 2))
    pairs = np.broadcast_to(np.arange(count).reshape(ranks.shape), shape)
    return stored.swapaxes(1, 2), ranks.ravel(), pairs.ravel()
