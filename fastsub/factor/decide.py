"""The rank decision: propose from the triangle, prove by bounds, else ask a small SVD.

Let Q^H A P = [R1; 0 R2] with R1 (r, n) upper trapezoidal, R11 its leading triangle, and let the
cutoff be tau = rtol * sigma_1 (or a given number).

* sigma_{r+1}(A) <= ||R2||_2 <= ||R2||_F.
* sigma_r(A) >= sigma_r(R1) >= sigma_min(R11) >= 1 / ||R11^-1||_F (interlacing, twice).
* tau is bracketed: max(power method, ||A||_F / sqrt(k)) <= sigma_1 <= ||A||_F.

Where the Frobenius norms are too coarse, inverse.py bounds both 2-norms in two finer ways.

What is factored in floating point is A + E. ||E||_2 <= margin := sqrt(max(m, n)) u ||A||_F (times
sqrt 2 when complex): Higham & Mary 2019 (theorem 3.4, the square root law), Connolly & Higham
2023 (theorem 4.4, for QR). The inverse has an error of the same kind (kernels/triangular.pyx), so a
lower bound pays twice. At the default rtol the margin is at most half of tau, for any spectrum:
sqrt(max) u sqrt(k) sigma_1 <= max u sigma_1 = tau / 2.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array
from fastsub.factor.certificate import Certificate
from fastsub.factor.inverse import Inverse, schatten
from fastsub.factor.sharpen import norm_upper
from fastsub.kernels import qrcp, triangular

_EPS = {char: float(np.finfo(char).eps) for char in "fdFD"}


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Singular values above it count: ``absolute``, else ``added + relative * sigma_1``."""

    relative: float
    absolute: float | None = None
    added: float = 0.0

    @classmethod
    def of(
        cls, A: Array, rtol: float | None = None, tol: float | None = None, added: float = 0.0
    ) -> Cutoff:
        """Return the cutoff that was asked for; ``eps * max(m, n)`` relative if none was."""
        if rtol is None:
            rtol = _EPS[A.dtype.char] * max(A.shape)
        return cls(rtol, tol, added)

    def bracket(self, low: float, high: float) -> tuple[float, float]:
        """Return the cutoff's bracket, given that of the largest singular value."""
        if self.absolute is not None:
            return self.absolute, self.absolute
        return self.relative * low + self.added, self.relative * high + self.added

    def scaled(self, exponent: int) -> Cutoff:
        """Return the cutoff of the matrix times ``2**exponent``."""
        absolute, added = self.absolute, self.added
        if absolute is not None:
            absolute = _ldexp(absolute, exponent, math.inf)
        return Cutoff(self.relative, absolute, _ldexp(added, exponent, math.inf))


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
    """

    pivot: bool


# A pivot below this times the cutoff: a look at sigma_min(R11) before an inverse is made.
WEAK = 100.0
# sigma_min(R11) below this times the cutoff may be the choice of columns, not of the matrix.
_NEAR = 0.2


def rounding_margin(norm: float, size: int, dtype: np.dtype[Any]) -> float:
    """Return the bound on ``||E||_2`` of the module's docstring; norm is ``||A||_F``."""
    complex_factor = math.sqrt(2) if dtype.kind == "c" else 1.0
    return complex_factor * math.sqrt(size) * _EPS[dtype.char] / 2 * norm


def svd_margin(norm: float, size: int, dtype: np.dtype[Any]) -> float:
    """Return a bound on the error of singular values computed from a factor; norm is ``||A||_F``.

    That of the factor, of the SVD (LAPACK promises a modest multiple of eps sigma_1), and of their
    own rounding.
    """
    return 2 * rounding_margin(norm, size, dtype) + _EPS[dtype.char] * norm


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a matrix is: ``||C||_F``, and a lower bound of sigma_1 that costs no more."""

    norm: float
    sigma_1: float
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, C: Array) -> Scale:
        """Return the scale of C, Fortran-ordered."""
        norms = np.empty(2 * C.shape[1])
        norm = qrcp.py_column_norms(C, norms)
        largest = float(norms[: C.shape[1]].max(initial=0.0))
        return cls(norm, max(largest, norm / math.sqrt(max(1, min(C.shape)))), C.dtype)


def stopping_norm(scale: Scale, size: int, cutoff: Cutoff) -> float:
    """Return the ``||R2||_F`` at which a factorisation may stop; -1 where it never may.

    A quarter of the lowest value that the cutoff can have: then sigma_{r+1} is proved below the
    cutoff, and the singular values of R1, sqrt(sigma^2 - ||R2||^2) at the least, are those of A to
    4 % where they matter, should they have to decide.
    """
    margin = rounding_margin(scale.norm, size, scale.dtype)
    low = cutoff.bracket(scale.sigma_1, scale.norm)[0]
    return low / 4 if low / 4 + margin <= low else -1.0


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
    in_place: bool = False,
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
    in_place : bool
        The lower triangle of R is free to be overwritten.
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
        return Doubt(pivot=False)
    if rank == 0:
        return Decision(0, tol_low, math.inf, upper, "bounds", norm)
    # sigma_min(R11) <= min |r_ii|: a look at the diagonal saves an inverse that proves nothing.
    smallest = smallest_pivot(R, rank)
    if tol_low < smallest < WEAK * tol_high:
        smallest = triangular.py_sigma_min_upper(R, np.empty(rank, R.dtype))
    if smallest - both <= tol_low:
        return Doubt(pivot=smallest < _NEAR * tol_low)
    with Inverse(R, rank, in_place=in_place) as X:
        lower = 1 / X.frobenius - both
        if not lower > tol_high:
            smallest = 1 / X.norm_lower()
            if not smallest - both > tol_low:
                return Doubt(pivot=smallest < _NEAR * tol_low)
            lower = 1 / X.schatten() - both
    if tol_low < lower <= tol_high:
        tol_high = cutoff.bracket(low, math.hypot(schatten(R, k), left) + margin)[1]
    if not lower > tol_high:
        with Inverse(R, rank, in_place=in_place) as X:
            lower = 1 / X.norm_upper(1 / smallest) - both
        if tol_low < lower <= tol_high:
            largest = norm_upper(np.triu(R[:k]), sigma_1_lower(R, k, 30), norm)
            tol_high = cutoff.bracket(low, math.hypot(largest, left) + margin)[1]
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


def certify(decision: Decision, path: str, exponent: int) -> Certificate:
    """Return the certificate of a decision on a matrix that was scaled by ``2**exponent``."""
    rank = decision.rank
    # A bound from below stays one where the singular value itself is out of range.
    lower = _ldexp(decision.sigma_r_lower, -exponent, sys.float_info.max if rank else math.inf)
    return Certificate(
        rank,
        _ldexp(decision.tol, -exponent, sys.float_info.max),
        lower,
        _ldexp(decision.sigma_next_upper, -exponent, math.inf),
        decision.decided_by,
        path if decision.decided_by != "svd" or path == "svd" else f"{path}+svd",
    )


def _ldexp(x: float, exponent: int, overflow: float) -> float:
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return overflow


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


def smallest_pivot(R: Array, rank: int) -> float:
    """Return the smallest ``|r_ii|``, above sigma_min(R11); inf at rank 0."""
    return float(np.abs(np.diagonal(R)[:rank]).min(initial=math.inf))


def tail_norms(R: Array, k: int, left: float) -> Array:
    """Return ``||R2||_F`` for every rank 0..k, shape (k + 1,)."""
    rows = np.zeros(k)
    triangular.py_row_sumsq(R, k, rows)
    return np.asarray(np.sqrt(np.cumsum(np.append(rows, left * left)[::-1])[::-1]))


def sigma_1_lower(R: Array, k: int, steps: int = 5) -> float:
    """Return a lower bound of the largest singular value, by the power method."""
    if k == 0:
        return 0.0
    work = np.empty(k + R.shape[1], R.dtype)
    power = triangular.py_sigma_max_lower(R, k, work, steps)
    # The quotient itself is rounded.
    return float(power * (1 - 4 * math.sqrt(R.shape[1]) * _EPS[R.dtype.char]))


def sigma_r_lower(R: Array, rank: int) -> float:
    """Return ``1 / ||R11^-1||_F``; inf at rank 0, 0 if the triangle is singular."""
    if rank == 0:
        return math.inf
    X = np.empty((rank, rank), R.dtype, order="F")
    norm = triangular.py_inverse(R, X)
    return 1 / norm if norm > 0 else 0.0


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
