"""The range of a tall matrix of full rank, never formed: A itself and its Gram matrix's factor.

    D A^H A D = R^H R,   D powers of two that bring the columns to one length
    x := x - A D R^-1 R^-H D A^H x,   once more, and again until nothing comes off

are the corrected seminormal equations (Bjorck 1987). With Q = A D R^-1 and E the rounding of the
Gram matrix and of its factor a step leaves of a component in the range at most rho := ||R^-H E
R^-1|| of it, which rank/fullrank.py bounds, and its rounding is that of A^H x, amplified by
||diag(c) R^-1||_F, c the lengths of the columns of A D. Where that is more than the tolerance of
membership allows for, an orthonormal basis is more accurate, and the answer here is None.

A pass for the Gram matrix, two for each step: no basis, no copy of A.

References
----------
Bjorck, Stability analysis of the method of seminormal equations for linear least squares problems,
    Linear Algebra Appl. 88/89 (1987).
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
    ETNA 44 (2015).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.normal import CholeskyFactor
from fastsub.factor.least_squares.refine import refine
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import EPS, Cutoff
from fastsub.factor.rank.decide import certify
from fastsub.factor.rank.inverse import sigma_1_lower
from fastsub.kernels import normal, triangular

# rho up to which steps are worth their passes.
_CONTRACTS = 1e-2
# ||diag(c) R^-1||_F in units of sqrt(m): a tenth of what membership tolerates (100 eps sqrt(m)).
_AMPLIFIES = 10.0
# rho up to which R alone tells lengths, relatively, to half of the digits of a double.
_TELLS = 1e-8
# Steps at the most; with rho as above the fourth is never needed in double precision.
_STEPS = 4


class ImplicitRange:
    """The column space of A, or of A^H.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        m >= n, such as `normal.py_reads` says; kept by reference.
    factor : CholeskyFactor
        With a decision.
    conjugate : bool
        The range is that of the conjugate of A instead.
    """

    def __init__(self, A: Array, factor: CholeskyFactor, *, conjugate: bool) -> None:
        self._A, self._factor = A, factor
        self._conjugate = conjugate and A.dtype.kind == "c"
        assert factor.decision is not None
        self.certificate: Certificate = certify(factor.decision, "gram+cholesky", 0)

    @classmethod
    def of(cls, A: Array, cutoff: Cutoff, *, adjoint: bool = False) -> ImplicitRange | None:
        """Return the range of A, or adjoint that of A^H, or None: not proved to be accurate."""
        W = A.T if adjoint else A
        if W.shape[1] == 1:
            # Both orders at once: read in one way, for the same bits.
            W = np.ascontiguousarray(W[:, 0]).reshape(-1, 1)
        if not normal.py_reads(W):
            return None
        factor = CholeskyFactor(W, cutoff)
        if factor.decision is None:
            return None
        contraction, amplification = factor.quality
        if contraction > _CONTRACTS or amplification > _AMPLIFIES * math.sqrt(W.shape[0]):
            return None
        return cls(W, factor, conjugate=adjoint)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of A."""
        return self._A.dtype

    @property
    def width(self) -> int:
        """Its dimension."""
        return int(self._A.shape[1])

    def reject(self, X: Array) -> Array:
        """Return what is left of X (m, k), Fortran-ordered, beside the range; X is lost."""
        if not X.size:
            return X
        if self._conjugate:
            np.conj(X, out=X)
        contraction, amplification = self._factor.quality
        unit = EPS[X.dtype.char] / 2
        lengths = column_norms(X)
        R, G = np.empty_like(X, order="F"), empty((self.width, X.shape[1]), X.dtype)
        D = self._factor.scale
        for _ in range(_STEPS):
            normal.py_adjoint(self._A, X, G)
            if D is not None:
                G *= D
            Z = self._factor.half(G)
            # The component that comes off, and with it all but these shares.
            removed = column_norms(Z)
            Y = self._factor.rest(Z)
            if D is not None:
                Y *= D
            normal.py_residual(self._A, X, Y, R)
            X, R = R, X
            if np.all((contraction + unit * amplification) * removed <= unit * lengths):
                break
        return np.conj(X, out=X) if self._conjugate else X

    def solve(self, B: Array) -> Array | None:
        """Return the least-squares solution of A X = B, not of A^H, shape (n, k), or None."""
        solution = refine(self._A, B, self._factor, honest=False)
        return None if solution is None else solution.X

    def inverse_lengths(self) -> Array | None:
        """Return the norms of the rows of A^+, shape (n,), in double; None: not accurate enough."""
        factor = self._factor
        if factor.quality[0] > _TELLS:
            return None
        rows = factor.rest(np.eye(self.width, dtype=self.dtype, order="F"))
        lengths = column_norms(np.asfortranarray(rows.conj().T))
        return lengths if factor.scale is None else lengths * factor.scale[:, 0]

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_n``, within a small factor."""
        n, R = self.width, self._factor.triangle
        work, X = np.empty(2 * n, self.dtype), empty((n, n), self.dtype)
        triangular.py_inverse(R, X)
        return sigma_1_lower(R, n) * float(triangular.py_sigma_max_lower(X, n, work, 10))
