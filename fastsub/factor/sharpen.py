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

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.kernels import blas, gram

# By how much an attempt exceeds the estimate from below: the first does if that has converged.
_SLACK = (1.02, 1.2)


def norm_upper(Y: Array, estimate: float, frobenius: float) -> float:
    """Return a proved upper bound of ``||Y||_2``, a few percent above `estimate` if it can be.

    Parameters
    ----------
    Y : ndarray, shape (k, n)
    estimate : float
        Lower bound of the norm, nearly attained.
    frobenius : float
        Upper bound, returned if nothing better is proved.
    """
    for slack in _SLACK:
        bound = slack * estimate
        if not 0 < bound < frobenius:
            break
        if _is_below(Y, bound, frobenius):
            return bound
    return frobenius


def _is_below(Y: Array, bound: float, frobenius: float) -> bool:
    n = Y.shape[0]
    double = np.promote_types(Y.dtype, np.float64)
    Y = np.asfortranarray(Y, dtype=double)
    u = float(np.finfo(np.float64).eps) / 2
    d = 2 * (n + 2) * u * (n + (frobenius / bound) ** 2)
    G = np.zeros((n, n), double, order="F")
    np.fill_diagonal(G, 1 - d)
    blas.py_herk("U", "N", Y, G, -1 / bound / bound, 1.0)
    return d < 1 and gram.py_cholesky(G) == 0
