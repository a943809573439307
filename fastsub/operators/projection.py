"""A map as what is known of it: A = U diag(s) V^H + E, U and V orthonormal, E orthogonal to U.

With Q and Z of range_finder.py, Z = Q_z R_z and R_z = P diag(s) W^H,

    U = Q W,   V = Q_z P,   A^H A = Z Q^H Q Z^H + E^H E.

* s_i <= sigma_i(A), deterministic (interlacing; Horn & Johnson 2013, corollary 7.3.6);
* sigma_i(A)^2 <= s_i^2 + ||E||_2^2 (Weyl), with the probability of the bound of E.

Both up to rounding (decide.py, for the products as for a factorisation) and to what the products
themselves were seen to disagree by.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.linalg import LinAlgError, svd

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array, upper
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, certify, svd_margin
from fastsub.operators.products import Products
from fastsub.operators.range_finder import Range

_BLOCK = 64


class Projection:
    """The leading part of a map, by its singular value decomposition.

    Attributes
    ----------
    s : ndarray, shape (k,)
        Descending; in the scale of the products, as all norms here.
    error, error_norm : float
        Of `Range`.
    failure : float
        Probability that what is said of E is wrong.
    """

    def __init__(self, A: Products, found: Range) -> None:
        self.shape, self.dtype, self.exponent = A.shape, A.dtype, A.exponent or 0
        self.count = A.count
        self.error, self.error_norm, self.failure = found.error, found.error_norm, found.failure
        self._adjoint, self._Q, self._n = A.adjoint, found.Q, A.n
        k = found.Q.shape[1]
        self._reflectors = Reflectors.of_qr(found.Z, _BLOCK)
        try:
            P, self.s, Wh = svd(upper(found.Z, k), overwrite_a=True, check_finite=False)
        except LinAlgError as error:
            raise ConvergenceError(f"the SVD of the small factor failed: {error}") from error
        self._P, self._W = np.asfortranarray(P), np.asfortranarray(Wh.conj().T)
        norm = math.hypot(float(np.linalg.norm(self.s)), self.error)
        self.margin = max(svd_margin(norm, A.n, A.dtype), found.noise)

    @property
    def is_complete(self) -> bool:
        """Whether E = 0: Q is all of its space."""
        return len(self.s) == min(self.shape)

    def decide(self, cutoff: Cutoff) -> Certificate:
        """Return the rank; cutoff in the scale of the user."""
        cutoff = cutoff.scaled(self.exponent)
        tol = cutoff.bracket(float(self.s[0]) if self.s.size else 0.0, 0.0)[0]
        return self.certify(int(np.count_nonzero(self.s > tol)), tol)

    def certify(self, rank: int, tol: float | None = None) -> Certificate:
        """Return the certificate of a rank; the cutoff, if none is given, is the bound above."""
        s, full = self.s, min(self.shape)
        following = float(s[rank]) if rank < s.size else 0.0
        upper = math.hypot(following, self.error) + self.margin if rank < full else 0.0
        lower = max(0.0, float(s[rank - 1]) - self.margin) if rank else math.inf
        # Who decided is said below: certify() knows only factors.
        decision = Decision(rank, upper if tol is None else tol, lower, upper, "bounds", self.error)
        return replace(
            certify(decision, f"range finder, {self.count}", self.exponent),
            decided_by="svd" if self.is_complete else "probabilistic",
            failure_probability=self.failure,
        )

    def column_basis(self, rank: int) -> Array:
        """Return the leading left singular vectors, shape (m, rank)."""
        return self._long(rank) if self._adjoint else self._short(rank)

    def row_basis(self, rank: int) -> Array:
        """Return the leading right singular vectors, shape (n, rank)."""
        return self._short(rank) if self._adjoint else self._long(rank)

    def _short(self, rank: int) -> Array:
        return product(self._Q, self._W[:, :rank])

    def _long(self, rank: int) -> Array:
        V = zeros((self._n, rank), self.dtype)
        V[: len(self._P)] = self._P[:, :rank]
        self._reflectors.apply(V)
        return V
