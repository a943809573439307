"""Bounds of a 2-norm that are tight: a Cholesky factorisation that succeeds is a proof.

If Cholesky of (1 - d) I - Y Y^H runs to completion in floating point, then ||Y||_2 < 1, where d
covers the rounding of the product, of its scaling and of the factorisation:
2 (n + 2) u (n + ||Y||_F^2).

The Frobenius norm overestimates ||Y||_2 by up to sqrt(n); this does so by the percent that is asked
for, at 4 n^3 / 3 flops with gemm: dear beside the Frobenius norm, cheap beside an SVD.

References
----------
Rump, Verification of positive definiteness, BIT 46 (2006), corollary 2.4.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.kernels import blas, gram

# By how much an attempt exceeds the estimate from below: the first does if that has converged.
_SLACK = (1.02, 1.2)


# Columns at a time.
_BLOCK = 128


def norm_upper(
    Y: Array, estimate: float, frobenius: float, mask: Callable[[Array, int], Array] | None = None
) -> float:
    """Return a proved upper bound of ``||Y||_2``, a few percent above `estimate` if it can be.

    Parameters
    ----------
    Y : ndarray, shape (k, n)
    estimate : float
        Lower bound of the norm, nearly attained.
    frobenius : float
        Upper bound, returned if nothing better is proved.
    mask : {numpy.tril, numpy.triu}, optional
        Y is that part of the array.
    """
    for slack in _SLACK:
        bound = slack * estimate
        if not 0 < bound < frobenius:
            break
        if _is_below(Y, bound, frobenius, mask):
            return bound
    return frobenius


def _is_below(
    Y: Array, bound: float, frobenius: float, mask: Callable[[Array, int], Array] | None
) -> bool:
    k, n = Y.shape
    double = np.promote_types(Y.dtype, np.float64)
    u = float(np.finfo(np.float64).eps) / 2
    order = max(k, n)
    d = 2 * (order + 2) * u * (order + (frobenius / bound) ** 2)
    if not d < 1:
        return False
    G = np.zeros((k, k), double, order="F")
    np.fill_diagonal(G, 1 - d)
    for j in range(0, n, _BLOCK):
        part = Y[:, j : j + _BLOCK]
        part = np.asfortranarray(part if mask is None else mask(part, -j), dtype=double)
        blas.py_herk("U", "N", part, G, -1 / bound / bound, 1.0)
    return gram.py_cholesky(G) == 0
