"""A rank-revealing QR on its row space, for solving: neither basis is formed.

    (R1; R2) V1 = (T; E),   T = J U^H,   V1 = diag(J, I) Z (I; 0)        U, Z and J as in rz.py
    (T; E)^+  = T^-1 (I + F^H F)^-1 (I F^H),   F = E T^-1

E is noise that a bad choice of columns amplified: more than rounding, far less than T. ||F|| is at
most ||R2|| / sigma_min(T), so that a few terms of I - F^H F + ... are the inverse, and a product
with F is one with R2, one with the reflectors of Z, and a triangular solve.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reveal import RevealingQR
from fastsub.factor.products import product
from fastsub.kernels import blas

# ||F|| up to which the series is summed.
_SMALL = 1e-2


class OnRowSpace:
    """(T; E) of a decided QR with 0 < r < n.

    Parameters
    ----------
    qr : RevealingQR
        With its right side.

    Attributes
    ----------
    terms : int or None
        How many of the series count; 0 if E is at rounding level, None if F is not small.
    """

    def __init__(self, qr: RevealingQR) -> None:
        self._qr = qr
        decision, eps = qr.decision, float(np.finfo(qr.dtype).eps)
        # sigma_min(T) is sigma_r(R1); only bounds speak of that, an SVD of all.
        lower = decision.sigma_r_lower if decision.decided_by == "bounds" else 0.0
        ratio = decision.residual / lower if lower > 0 else math.inf
        self.terms: int | None = None
        if qr.is_clean:
            self.terms = 0
        elif ratio < _SMALL:
            self.terms = max(1, math.ceil(math.log(eps / 2) / math.log(ratio * ratio)))

    @cached_property
    def _R2(self) -> Array:
        return np.asfortranarray(self._qr.remainder)

    def lift(self, v: Array) -> Array:
        """Return V1 T^-1 v, its rows in the order of the pivots."""
        r, n = self._qr.rank, self._qr.shape[1]
        y = np.array(v[::-1], order="F")  # a copy even where one row needs none
        blas.py_trsm("L", "U", "C", "N", self._qr.rz.U, y)
        X = zeros((n, v.shape[1]), v.dtype)
        X[:r] = y
        self._qr.rz.apply(X)
        X[:r] = X[:r][::-1].copy()
        return X

    def coordinates(self, B: Array) -> Array:
        """Return V1^H B, B (n, k) in the order of the pivots."""
        r = self._qr.rank
        C = B.copy(order="F")
        C[:r] = B[:r][::-1]
        self._qr.rz.apply(C, adjoint=True)
        return np.asfortranarray(C[:r])

    def _times(self, v: Array) -> Array:
        """Return F v."""
        return product(self._R2, np.asfortranarray(self.lift(v)[self._qr.rank :]))

    def _adjoint_times(self, w: Array) -> Array:
        """Return F^H w = J U^-1 E^H w."""
        r, n = self._qr.rank, self._qr.shape[1]
        G = zeros((n, w.shape[1]), w.dtype)
        G[r:] = product(self._R2, w, adjoint=True)
        self._qr.rz.apply(G, adjoint=True)
        g = np.asfortranarray(G[:r])
        blas.py_trsm("L", "U", "N", "N", self._qr.rz.U, g)
        return np.asfortranarray(g[::-1])

    def fit(self, c: Array, d: Array) -> Array:
        """Return v such that y = T^-1 v minimises ``||(T; E) y - (c; d)||``; `terms` is a number.

        v = c + F^H (d - F v), from v = 0.
        """
        v, rest = c, np.asfortranarray(d)
        for term in range(self.terms or 0):
            if term:
                rest = d - self._times(v)
            v = np.asfortranarray(c + self._adjoint_times(rest))
        return v

    def fit_adjoint(self, C: Array) -> tuple[Array, Array | None]:
        """Return (T; E)^+H C as its first r rows and the others, None if zero; C is lost."""
        blas.py_trsm("L", "U", "N", "N", self._qr.rz.U, C)
        v = z = np.asfortranarray(C[::-1])
        if not self.terms:
            return z, None
        w = self._times(z)
        for _ in range(self.terms - 1):
            z = np.asfortranarray(v - self._adjoint_times(w))
            w = self._times(z)
        return z, w
