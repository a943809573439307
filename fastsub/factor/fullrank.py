"""Proof of full rank from the Gram matrix."""

from __future__ import annotations

import math

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.decide import (
    Cutoff,
    Decision,
    rounding_margin,
    sigma_1_lower,
    sigma_r_lower,
)
from fastsub.factor.gram import gram_matrix
from fastsub.kernels import gram


def prove_by_gram(W: Array, cutoff: Cutoff) -> Decision | None:
    """Prove full rank of W (m, n) from its Gram matrix G, or return None; m n^2 flops.

    sigma_min(W)^2 = lambda_min(G) >= 1 / ||L^-1||_F^2 - d, where d = 2 sqrt(m) u ||W||_F^2 bounds
    the rounding of G and of its Cholesky factor (Higham 2002, sections 3.5 and 10.1; square root
    law as in decide.py). It proves nothing for a condition number above about u^-1/2.
    """
    m, n = W.shape
    G = gram_matrix(W)
    norm_sq = float(np.trace(G).real)
    if gram.py_cholesky(G) != 0:
        return None
    d = 2 * rounding_margin(norm_sq, m, W.dtype)
    lower = math.sqrt(max(0.0, sigma_r_lower(G, n) ** 2 - d))
    low = max(sigma_1_lower(G, n) - math.sqrt(d), math.sqrt(max(0.0, norm_sq - d) / n))
    tol_low, tol_high = cutoff.bracket(low, math.sqrt(norm_sq + d))
    if lower > tol_high:
        return Decision(n, tol_low, lower, 0.0, "bounds", 0.0)
    return None
