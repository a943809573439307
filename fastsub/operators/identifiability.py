"""Which parameters a map tells apart, when it is known only by its products.

A = Q Z^H + E, Q^H Q = I, Q^H E = 0: the columns of Z^H, a small matrix, depend on one another as
those of A do, up to E, and models/identifiability.py judges them. A column that is small beside the
others would be lost in E; so all are brought to about one length first: the rows of A^H Psi, Psi a
few columns of standard normal numbers, are as long as the columns of A within a small factor, hence
the columns of W, of unit length, are known up to ||E|| over the shortest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from fastsub.factor.arrays import Array, unscale
from fastsub.factor.rank.cutoff import EPS, Cutoff
from fastsub.models.frames import check_names
from fastsub.models.identifiability import Identifiability, judge
from fastsub.operators.probes import gaussian
from fastsub.operators.products import Count, Products
from fastsub.operators.projection import Projection
from fastsub.operators.range_finder import find_range
from fastsub.subspace.vectors import column_norms, scale_columns

_PROBES = 16
_SEED = 19800523
# Powers of two by which columns are stretched at most.
_LARGEST_EXPONENT = {"f": 100, "F": 100, "d": 900, "D": 900}
# Unit columns may be shorter by this when they are found: room for the bound of E.
_ROOM = 8.0


@dataclass(frozen=True, repr=False, eq=False)
class OperatorIdentifiability(Identifiability):
    """What a map tells apart, and how many products that took.

    Attributes
    ----------
    products : Count
        Vectors that were multiplied by the map, and by its adjoint.
    """

    products: Count = field(kw_only=True)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {self.products}>"


class _Scaled(LinearOperator):  # type: ignore[misc]  # SciPy is untyped
    """The columns of a map, times powers of two that make them about as long as one another.

    Attributes
    ----------
    exponents : ndarray, shape (n,)
        The columns of the map are those of this one times 2 to them.
    means : ndarray, shape (n,)
        Of the columns, if they are centred.
    dead : ndarray of bool, shape (n,)
        Columns that are zero, or a constant of which centring left nothing but rounding.
    """

    def __init__(self, A: Products, centred: bool, rng: np.random.Generator) -> None:
        super().__init__(A.dtype, A.shape)
        (m, n), eps = A.shape, EPS[A.dtype.char]
        self._A, self._centred = A, centred
        psi = self._centre(gaussian(m, _PROBES, A.dtype, rng))
        lengths = column_norms(A.multiply(1, psi).T) / math.sqrt(_PROBES)
        self.means: Array = np.zeros(n, A.dtype)
        noise = np.zeros(n)
        if centred and m:
            self.means = A.multiply(1, np.full((m, 1), 1 / m, A.dtype))[:, 0].conj()
            noise = math.sqrt(m) * eps * np.hypot(lengths, math.sqrt(m) * np.abs(self.means))
            unscale(self.means[:, None], A.exponent or 0)
        self.dead: Array = lengths <= 4 * noise
        limit = _LARGEST_EXPONENT[A.dtype.char]
        self.exponents: Array = np.where(self.dead, 0, np.frexp(lengths)[1]).clip(-limit, limit)

    def _centre(self, Y: Array) -> Array:
        return Y - Y.mean(axis=0) if self._centred and Y.size else Y

    def _stretch(self, X: Array) -> Array:
        """X := D X, D the diagonal matrix of the powers of two."""
        scale_columns(X.T, -self.exponents)
        X[self.dead] = 0
        return X

    def _matmat(self, X: Array) -> Array:
        return self._centre(self._A.multiply(0, self._stretch(np.array(X, self.dtype))))

    def _rmatmat(self, Y: Array) -> Array:
        return self._stretch(self._A.multiply(1, self._centre(Y)))


def identifiability(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    keep: str = "leftmost",
    rng: Any = None,
) -> OperatorIdentifiability:
    """Say which parameters a map tells apart, as `fastsub.identifiability` does of an array."""
    given = Products(X, "X")
    m, n = given.shape
    names = check_names(names, n)
    generator = np.random.default_rng(_SEED if rng is None else rng)
    scaled = _Scaled(given, intercept, generator)
    A = Products(scaled, "X")
    relative = EPS[A.dtype.char] * max(m, n) if rtol is None else rtol
    found = find_range(A, Cutoff(relative / _ROOM), generator)
    P = Projection(A, found)
    W = np.asfortranarray(P.s[:, None] * P.row_basis(P.s.size).conj().T)
    W[:, scaled.dead] = 0
    norms = np.where(scaled.dead, 1.0, column_norms(W))
    # No column that counts is so short; one that cancels in the products may be.
    norms[norms <= P.margin] = 1.0
    W /= norms.astype(W.real.dtype)
    answer = judge(W, scaled.means, (norms, scaled.exponents), names, relative, keep, None)
    proof = answer.certificate
    error = P.error / float(norms.min(initial=1.0))
    if not P.is_complete:
        above = math.hypot(proof.sigma_next_upper, error) if answer.rank < min(m, n) else 0.0
        proof = replace(
            proof,
            sigma_next_upper=above,
            decided_by="probabilistic",
            failure_probability=P.failure,
        )
    proof = replace(proof, method=f"range finder, {given.count}")
    values = {item.name: getattr(answer, item.name) for item in fields(answer)}
    return OperatorIdentifiability(**values | {"certificate": proof}, products=given.count)
