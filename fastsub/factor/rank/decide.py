"""The rank decision: propose from the triangle, prove by bounds, else ask a small SVD.

Let Q^H A P = [R1; 0 R2] with R1 (r, n) upper trapezoidal, R11 its leading triangle, and let the
cutoff be tau = rtol * sigma_1 (or a given number).

* sigma_{r+1}(A) <= ||R2||_2 <= ||R2||_F.
* sigma_r(A) >= sigma_r(R1) >= sigma_min(R11) >= 1 / ||R11^-1||_F (interlacing, twice).
* tau is bracketed: max(power method, ||A||_F / sqrt(k)) <= sigma_1 <= ||A||_F.

Where the Frobenius norms are too coarse, inverse.py bounds both 2-norms in two finer ways.

What is factored is A + E: the bounds hold with the margin of cutoff.py. The inverse has an error of
the same kind (kernels/triangular.pyx), so a lower bound pays twice.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import (
    Cutoff,
    Scale,
    ldexp,
    rounding_margin,
    stopping_norm,
    svd_margin,
)
from fastsub.factor.rank.inverse import (
    Inverse,
    blocks,
    schatten,
    sigma_1_lower,
    sigma_r_lower,
    smallest_pivot,
)
from fastsub.factor.rank.sharpen import norm_upper
from fastsub.kernels import triangular

# The cutoff is asked for here, too.
__all__ = [
    "WEAK",
    "Cutoff",
    "Decision",
    "Doubt",
    "Scale",
    "certify",
    "decide",
    "decide_by_sigma",
    "proposal",
    "prove",
    "rounding_margin",
    "sigma_1_lower",
    "sigma_r_lower",
    "singular_values",
    "smallest_pivot",
    "stopping_norm",
    "svd_margin",
    "tail_norms",
]


@dataclass(slots=True)
class Decision:
    """A rank, its bounds and who decided; all in the scale of the factored array.

    Attributes
    ----------
    rank : int
    tol, sigma_r_lower, sigma_next_upper : float
        As in `Certificate`.
    decided_by : str
        ``"bounds"`` or ``"svd"``.
    residual : float
        ``||R2||_F`` at the rank: how far the QR bases are from annihilating.
    sigma : ndarray or None
        Singular values of the factor, if they had to be computed.
    """

    rank: int
    tol: float
    sigma_r_lower: float
    sigma_next_upper: float
    decided_by: str
    residual: float
    sigma: Array | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Bounds cannot decide; `pivot` says whether those of a better pivoted triangle might.

    They cannot where sigma_min(R11) lies near the cutoff: so does a singular value, most likely.
    `above` says that what is left may be above the cutoff: of the triangle nothing is known yet.
    """

    pivot: bool
    above: bool = False


# A pivot below this times the cutoff: a look at sigma_min(R11) before an inverse is made.
WEAK = 100.0
# sigma_min(R11) below this times the cutoff may be the choice of columns, not of the matrix.
_NEAR = 0.2


def decide(
    R: Array,
    k: int,
    left: float,
    *,
    size: int,
    full: int,
    cutoff: Cutoff,
    driver: str = "gesdd",
) -> Decision:
    """Decide the rank from a triangular factor: by bounds, else by its singular values.

    Parameters
    ----------
    R : ndarray, shape (>= k, n)
        R1 in its upper trapezoid; what is below the diagonal is not read.
    k : int
        Rows of the trapezoid.
    left : float
        Frobenius norm of what the factorisation left, 0 if it ran to its end.
    size : int
        max(m, n) of A.
    full : int
        min(m, n) of A: the rank that leaves nothing to bound from above.
    cutoff : Cutoff
        In the scale of R.
    driver : str
        LAPACK's SVD, where one is needed.
    """
    decision = prove(R, k, left, size=size, full=full, cutoff=cutoff)
    if isinstance(decision, Decision):
        return decision
    return decide_by_sigma(
        singular_values(R, k, driver), R, k, left, size=size, full=full, cutoff=cutoff
    )


def prove(
    R: Array,
    k: int,
    left: float,
    *,
    size: int,
    full: int,
    cutoff: Cutoff,
    sigma_1: float = 0.0,
    factors: int = 1,
    lower: float = 0.0,
    in_place: bool = False,
    inverse: Inverse | None = None,
) -> Decision | Doubt:
    """Decide the rank by bounds alone, or say that they cannot.

    Parameters
    ----------
    R, k, left, size, full, cutoff
        As for `decide`.
    sigma_1 : float
        A lower bound of the largest singular value, if one is known.
    factors : int
        Unitary factorisations that lead from A to R, each with its margin.
    lower : float
        A lower bound of sigma_k(A), if one is known.
    in_place : bool
        The lower triangle of R is free to be overwritten.
    inverse : Inverse, optional
        Of another triangle of order k, to be asked instead of R11: one with the singular values of
        all of R1 (RZ). Then no rank is proved but k.
    """
    tails = tail_norms(R, k, left)
    norm = float(tails[0])
    if not math.isfinite(norm):
        # Nobody looked for NaN and infinity, and there is one: nothing is known, nothing is lost.
        return Decision(full, math.nan, 0.0, math.inf, "svd", 0.0)
    if norm == 0:
        return Decision(0, cutoff.bracket(0.0, 0.0)[0], math.inf, 0.0, "bounds", 0.0)
    margin = factors * rounding_margin(norm, size, R.dtype)
    # That of the inverse, too.
    both = margin + margin / factors
    low = max(sigma_1 or sigma_1_lower(R, k), norm / math.sqrt(full))
    tol_low, tol_high = cutoff.bracket(low, norm)

    # The smallest rank that the upper bound proves to be enough.
    enough = np.flatnonzero(tails + margin <= tol_low)
    rank = int(enough[0]) if enough.size else k
    upper = 0.0 if rank == full else float(tails[rank]) + margin
    if not upper <= tol_low:
        return Doubt(pivot=False, above=True)
    if inverse is not None and rank != k:
        return Doubt(pivot=True)
    if rank == 0:
        return Decision(0, tol_low, math.inf, upper, "bounds", norm)
    if lower > tol_high:  # sigma_k is at most sigma_rank
        return Decision(rank, tol_low, lower, upper, "bounds", float(tails[rank]))

    def highest(bound: Callable[[], float]) -> float:
        """Return the upper end of the bracket, given a finer bound of ||R||."""
        with X.aside():
            return cutoff.bracket(low, math.hypot(bound(), left) + margin)[1]

    with inverse or Inverse(R, rank, "below" if in_place else "apart") as X:
        # sigma_min(R11) <= min |r_ii|: a look at the diagonal saves an inverse that proves nothing.
        smallest = X.smallest_pivot()
        if tol_low < smallest < WEAK * tol_high:
            smallest = X.sigma_min_estimate()
        if smallest - both <= tol_low:
            return Doubt(pivot=smallest < _NEAR * tol_low)
        lower = 1 / X.frobenius - both
        if not lower > tol_high:
            lower = 1 / X.blocks() - both
            if tol_low < lower <= tol_high:
                tol_high = highest(lambda: blocks(R, k))
        if not lower > tol_high:
            smallest = 1 / X.norm_lower()
            if not smallest - both > tol_low:
                return Doubt(pivot=smallest < _NEAR * tol_low)
            lower = 1 / X.schatten() - both
            if tol_low < lower <= tol_high:
                tol_high = highest(lambda: schatten(R, k))
        if not lower > tol_high:
            lower = 1 / X.norm_upper(1 / smallest) - both
            if tol_low < lower <= tol_high:
                tol_high = highest(
                    lambda: norm_upper(R[:k], sigma_1_lower(R, k, 30), norm, np.triu)
                )
    if not lower > tol_high:
        return Doubt(pivot=False)
    return Decision(rank, tol_low, lower, upper, "bounds", float(tails[rank]))


def proposal(R: Array, k: int, left: float, rank: int, *, size: int, full: int) -> Decision:
    """Return bounds around a rank <= k that the caller chose; the cutoff is that from above.

    They may not separate: then the singular values of R1 bound from below as well as can be.
    """
    tails = tail_norms(R, k, left)
    margin = rounding_margin(float(tails[0]), size, R.dtype)
    residual = float(tails[rank])
    lower = max(0.0, sigma_r_lower(R, rank) - 2 * margin)
    upper = 0.0 if rank == full else residual + margin
    if lower > upper:
        return Decision(rank, upper, lower, upper, "bounds", residual)
    sigma = singular_values(R, rank)
    lower = max(0.0, float(sigma[-1]) - svd_margin(float(tails[0]), size, R.dtype))
    return Decision(rank, upper, lower, upper, "svd", residual, sigma)


def certify(
    decision: Decision, path: str, exponent: int, backward_error: float | None = None
) -> Certificate:
    """Return the certificate of a decision on a matrix that was scaled by ``2**exponent``."""
    rank = decision.rank
    # A bound from below stays one where the singular value itself is out of range.
    lower = ldexp(decision.sigma_r_lower, -exponent, sys.float_info.max if rank else math.inf)
    return Certificate(
        rank,
        ldexp(decision.tol, -exponent, sys.float_info.max),
        lower,
        ldexp(decision.sigma_next_upper, -exponent, math.inf),
        decision.decided_by,
        path if decision.decided_by != "svd" or path == "svd" else f"{path}+svd",
        backward_error,
    )


def decide_by_sigma(
    sigma: Array, R: Array, k: int, left: float, *, size: int, full: int, cutoff: Cutoff
) -> Decision:
    """Decide the rank by the k singular values of the trapezoid, or of the whole factor."""
    tails = tail_norms(R, k, left)
    margin = svd_margin(float(tails[0]), size, R.dtype)
    tol = cutoff.bracket(float(sigma[0]), 0.0)[0]
    rank = int(np.count_nonzero(sigma[:k] > tol))
    following = float(sigma[rank]) if rank < k else 0.0
    return Decision(
        rank,
        tol,
        max(0.0, float(sigma[rank - 1]) - margin) if rank else math.inf,
        0.0 if rank == full else math.hypot(following, left) + margin,
        "svd",
        float(tails[rank]),
        sigma,
    )


def tail_norms(R: Array, k: int, left: float) -> Array:
    """Return ``||R2||_F`` for every rank 0..k, shape (k + 1,)."""
    rows = np.zeros(k)
    triangular.py_row_sumsq(R, k, rows)
    return np.asarray(np.sqrt(np.cumsum(np.append(rows, left * left)[::-1])[::-1]))


def singular_values(R: Array, k: int, driver: str = "gesdd") -> Array:
    """Return the singular values of the k-row trapezoid, descending, shape (k,)."""
    from scipy.linalg import LinAlgError, svd

    try:
        return np.asarray(
            svd(
                np.triu(R[:k]),
                compute_uv=False,
                overwrite_a=True,
                check_finite=False,
                lapack_driver=driver,
            )
        )
    except LinAlgError as error:
        raise ConvergenceError(f"the SVD of the small factor failed: {error}") from error
