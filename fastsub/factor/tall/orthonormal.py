"""The column space of a tall matrix: CholeskyQR, preconditioned by the triangle of a sketch.

A1 = A P1 X, with X = R11^-1 of the sketch, is well-conditioned with high probability; G = A1^H A1 =
R^H R (Cholesky), and Q = A1 R^-1 is orthonormal up to kappa(A1)^2 u. Three products of m r^2 flops
in all, and A and A1 are read once.

The same G is a sharper bound from below than the sketch:

    sigma_r(A) >= sigma_min(A P1) >= (sigma_min(A1) - ||E||) / ||X||,

E the rounding of A1, ||E|| <= sqrt(r) u ||A||_F ||X||_F, whatever X is; sigma_min(A1) comes from
its Gram matrix, as in rank/fullrank.py.

References
----------
Melnichenko et al., CholeskyQR with randomization and pivoting for tall matrices, SIAM J. Matrix
Anal. Appl. 46 (2025). Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the
CholeskyQR2 algorithm, ETNA 44 (2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import empty
from fastsub.factor.rank.decide import rounding_margin
from fastsub.factor.rank.inverse import frobenius
from fastsub.factor.rank.sharpen import norm_upper
from fastsub.factor.tall.proposal import Revealed
from fastsub.kernels import blas, gram, triangular

# Condition of A1 = A P1 R11^-1 up to which one Cholesky makes it orthonormal.
_CONDITION = 20.0
# Of the power method, where an estimate within a few percent will do.
_STEPS = 32


@dataclass(frozen=True, slots=True)
class Whitened:
    """What the Gram matrix of A1 = A P1 X tells.

    Attributes
    ----------
    lower : float
        The bound of sigma_r(A).
    inverse : ndarray, shape (r, r)
        R^-1, upper triangular.
    condition : float
        Estimate of kappa(A1).
    """

    lower: float
    inverse: Array
    condition: float

    @classmethod
    def of(cls, G: Array, A: Array, norm: float, revealed: Revealed) -> Whitened | None:
        """Return None if G is not positive definite, else G := R; norm is ``||A||_F``."""
        (m, r), dtype = (A.shape[0], revealed.rank), A.dtype
        rounding = 2 * rounding_margin(float(np.trace(G).real), m, dtype)
        if gram.py_cholesky(G) != 0:
            return None
        inverse = empty((r, r), dtype)
        size = triangular.py_inverse(G, inverse)
        if not 0 < size < math.inf:
            return None
        spread = norm_upper(inverse, norm_estimate(inverse), size)
        sigma = 1 / spread - rounding_margin(frobenius(G), r, dtype)
        sigma = math.sqrt(max(0.0, sigma * abs(sigma) - rounding))
        error = rounding_margin(norm * revealed.frobenius, r, dtype)
        stretch = norm_upper(revealed.X, norm_estimate(revealed.X), revealed.frobenius)
        return cls((sigma - error) / stretch, inverse, spread * norm_estimate(G))

    def orthonormalize(self, A1: Array) -> bool:
        """A1 := A1 R^-1; False, and nothing done, if it would not be orthonormal."""
        if not self.condition <= _CONDITION:
            return False
        if A1.flags.f_contiguous:
            blas.py_trmm("R", "U", "N", "N", self.inverse, A1)
        else:
            blas.py_trmm("L", "U", "T", "N", self.inverse, A1.T)
        return True


def norm_estimate(T: Array) -> float:
    """Estimate of the norm of a triangle, from below."""
    r = T.shape[0]
    return float(triangular.py_sigma_max_lower(T, r, np.empty(2 * r, T.dtype), _STEPS))
