"""The singular values of a test matrix against the cutoff: rank, gap, grey zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastsub.testing.spectra import Array


def precision(*arrays: Array) -> float:
    """The coarsest eps of the arrays' dtypes; that of double for integers and booleans.

    Parameters
    ----------
    *arrays : ndarray

    Returns
    -------
    u : float
    """
    kinds = [a.dtype for a in arrays if a.dtype.kind in "fc"]
    return max((float(np.finfo(kind).eps) for kind in kinds), default=float(np.finfo(float).eps))


def times_power_of_two(A: Array, exponent: int) -> Array:
    """A * 2**exponent without an intermediate overflow, in double precision.

    Parameters
    ----------
    A : ndarray
    exponent : int
        May lie outside the range of a double.

    Returns
    -------
    B : ndarray
        float64 or complex128; exact unless it overflows (to infinity) or becomes subnormal.
    """
    with np.errstate(over="ignore", under="ignore"):
        return _ldexp(A, exponent)


def scalar_times_power_of_two(x: float, exponent: int) -> float:
    """The same for one number.

    Parameters
    ----------
    x : float
    exponent : int

    Returns
    -------
    y : float
    """
    return float(times_power_of_two(np.asarray(x), exponent))


def _ldexp(A: Array, exponent: int) -> Array:
    if np.iscomplexobj(A):
        wide = np.asarray(A, dtype=np.complex128, order="C")
        parts = wide.reshape(*A.shape, 1).view(np.float64)
        return np.ldexp(parts, exponent).view(np.complex128).reshape(A.shape)
    return np.ldexp(np.asarray(A, dtype=np.float64), exponent)


def to_unit_scale(A: Array) -> tuple[Array, int]:
    """Divide by a power of two so that the largest entry lies in (1/2, 1] or so.

    Parameters
    ----------
    A : ndarray

    Returns
    -------
    B : ndarray
        float64 or complex128, A = B * 2**exponent.
    exponent : int
        0 for zero and for empty A.
    """
    largest = max(np.abs(A.real).max(initial=0), np.abs(A.imag).max(initial=0))
    exponent = int(np.frexp(np.float64(largest))[1])
    return times_power_of_two(A, -exponent), exponent


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Singular values of a matrix and what the cutoff makes of them.

    Attributes
    ----------
    sigma : (k,) ndarray
        Singular values, non-increasing, k = min(m, n).
    tol : float
        The cutoff, ``rtol * sigma_1``.
    rank : int
        Number of singular values above ``tol``.
    has_gap : bool
        ``sigma_r > 1e3 * sigma_{r+1}``. Where one of the two does not exist (full rank, rank 0)
        ``tol`` stands in for it; a zero or empty matrix has a gap.
    grey : bool
        Some singular value lies within a factor 2 of ``tol``: rounding may decide the rank.
    """

    sigma: Array
    tol: float
    rank: int
    has_gap: bool
    grey: bool

    def __iter__(self) -> Iterator[Any]:
        return iter((self.sigma, self.tol, self.rank, self.has_gap, self.grey))


def judge(sigma: Array, rtol: float, exponent: int = 0) -> Spectrum:
    """Compare singular values with the cutoff ``rtol * sigma_1``.

    Parameters
    ----------
    sigma : (k,) ndarray
        Singular values in units of ``2**exponent``, non-increasing.
    rtol : float
        Relative cutoff.
    exponent : int
        The comparison is made before scaling back, safe from overflow and underflow.

    Returns
    -------
    spectrum : Spectrum
        In the units of the matrix.
    """
    tol = rtol * float(sigma.max(initial=0.0))
    rank = int(np.count_nonzero(sigma > tol))
    above = sigma[rank - 1] if rank else tol
    below = sigma[rank] if rank < sigma.size else tol
    return Spectrum(
        sigma=times_power_of_two(sigma, exponent),
        tol=scalar_times_power_of_two(tol, exponent),
        rank=rank,
        has_gap=bool(above > 1e3 * below or tol == 0),
        grey=bool(np.any((sigma > tol / 2) & (sigma < 2 * tol))),
    )


def gap(A: ArrayLike, rtol: float | None = None) -> Spectrum:
    """Singular values of A, and whether they leave a gap around the cutoff.

    Computed in double precision after scaling by a power of two, also for single precision input.

    Parameters
    ----------
    A : (m, n) array_like
        Any of the four floating dtypes; integers count as double.
    rtol : float, optional
        Relative cutoff; eps(dtype of A) * max(m, n) by default.

    Returns
    -------
    spectrum : Spectrum
        Unpacks as ``sigma, tol, rank, has_gap, grey``.

    Examples
    --------
    >>> sigma, tol, rank, has_gap, grey = gap([[1.0, 2.0], [2.0, 4.0]])
    >>> rank, has_gap, grey
    (1, True, False)
    """
    A = np.asarray(A)
    if rtol is None:
        rtol = precision(A) * max(A.shape)
    B, exponent = to_unit_scale(A)
    return judge(np.linalg.svd(B, compute_uv=False), rtol, exponent)
