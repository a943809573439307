"""Low-rank factors and interpolative decompositions of a map that is known by its products.

An interpolative decomposition of the leading part M = diag(s) V^H, M = M_J T + F, is one of A =
U M + E, because E is orthogonal to U and P_J T is a projection (P_J the columns J of I), for which
||I - P_J T||_2 = ||T||_2 (Szyld 2006):

    ||A - A_J T||_2^2 <= ||F||_2^2 + ||E (I - P_J T)||_2^2 <= ||F||_2^2 + ||E||_2^2 ||T||_2^2

References
----------
Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53 (2011), section 5.2.
Szyld, The many proofs of an identity on the norm of oblique projections, Numer. Algorithms 42
(2006).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import unscale
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.rank.cutoff import ldexp
from fastsub.models.interpolative import Interpolative
from fastsub.models.low_rank import LowRank
from fastsub.operators.products import Count, Products
from fastsub.operators.projection import Projection
from fastsub.operators.range_finder import find_range, leading_range
from fastsub.operators.subspaces import default_cutoff


def _project(
    A: Any, rank: int | None, rtol: float | None, rng: Any
) -> tuple[Projection, int, float | None]:
    """Return the leading part of A, the rank, and the cutoff in its scale if there is one."""
    products = Products(A)
    cutoff = default_cutoff(products, rtol)
    if rank is None:
        P = Projection(products, find_range(products, cutoff, rng))
        tol = cutoff.scaled(P.exponent).bracket(float(P.s[0]) if P.s.size else 0.0, 0.0)[0]
        return P, int(np.count_nonzero(P.s > tol)), tol
    full = products.m
    if rtol is not None:
        raise ValueError("give rank or rtol, not both")
    if not 0 <= rank <= full:
        raise ValueError(f"rank must be between 0 and min(m, n) = {full}, got {rank}")
    return Projection(products, leading_range(products, rank, rng)), rank, None


class OperatorLowRank(LowRank):
    """Factors of a map, and how many products they took.

    Attributes
    ----------
    products : Count
        Vectors that were multiplied by the map, and by its adjoint.
    """

    def __init__(self, P: Projection, rank: int, tol: float | None) -> None:
        s = P.s[:rank].copy()
        rest = math.hypot(float(np.linalg.norm(P.s[rank:])), P.error_norm)
        unscale(s[:, None], P.exponent)
        super().__init__(
            P.column_basis(rank),
            s,
            P.row_basis(rank).conj().T,
            ldexp(rest, -P.exponent, math.inf),
            P.certify(rank, tol),
        )
        self.products: Count = P.count

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {self.products}>"


def low_rank(
    A: Any, *, rank: int | None = None, rtol: float | None = None, rng: Any = None
) -> OperatorLowRank:
    """Return low-rank factors, as `fastsub.low_rank` does of an array.

    `error_norm` is estimated, by random vectors, to some 10 %.
    """
    return OperatorLowRank(*_project(A, rank, rtol, rng))


class OperatorInterpolative(Interpolative):
    """Columns of a map and how the others depend on them, and how many products it took.

    Attributes
    ----------
    products : Count
        Vectors that were multiplied by the map, and by its adjoint.
    """

    def __init__(self, P: Projection, rank: int, tol: float | None) -> None:
        M = np.asfortranarray(P.s[:, None] * P.row_basis(P.s.size).conj().T)
        F = RRQR(M, rank=rank)
        super().__init__(F)
        self.shape = P.shape
        T = float(np.linalg.norm(self.coefficients, 2)) if rank else 1.0
        above = P.certify(rank, tol)
        bound = math.hypot(F.certificate.sigma_next_upper, P.error * T) + P.margin * T
        complete = rank == min(P.shape)
        self.error_bound = 0.0 if complete else ldexp(bound, -P.exponent, math.inf)
        self.certificate = replace(above, sigma_next_upper=self.error_bound)
        self.products: Count = P.count

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {self.products}>"


def interpolative(
    A: Any, *, rank: int | None = None, rtol: float | None = None, rng: Any = None
) -> OperatorInterpolative:
    """Return an interpolative decomposition, as `fastsub.interpolative` does of an array."""
    return OperatorInterpolative(*_project(A, rank, rtol, rng))
