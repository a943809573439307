"""The check of a certificate: its bounds must hold for singular values computed another way."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastsub.testing.checks import fail_unless
from fastsub.testing.spectra import Array
from fastsub.testing.spectrum import (
    Spectrum,
    judge,
    precision,
    scalar_times_power_of_two,
    to_unit_scale,
)

MULTIPRECISION = 12
"""Matrices of up to this many rows and columns get their singular values from mpmath."""

_DIGITS = 40


def trusted_singular_values(B: Array) -> tuple[Array, float]:
    """Singular values by another route than the code under test, with their own error bound.

    Parameters
    ----------
    B : (m, n) ndarray
        float64 or complex128, of about unit scale.

    Returns
    -------
    sigma : (k,) ndarray
        With 40 digits by mpmath, then rounded, if ``max(m, n) <= 12``; else by LAPACK.
    slack : float
        Their error: eps * sigma_1 * sqrt(max(m, n)) from LAPACK, whose backward error measures
        about eps * sigma_1 at order 20; only the rounding to double after mpmath, relative to each
        value.
    """
    if B.size == 0:
        return np.zeros(0), 0.0
    if max(B.shape) > MULTIPRECISION:
        sigma = np.linalg.svd(B, compute_uv=False)
        return sigma, float(np.finfo(float).eps * sigma[0] * np.sqrt(max(B.shape)))
    mpmath = importlib.import_module("mpmath")
    if not np.any(B):
        return np.zeros(min(B.shape)), 0.0
    if B.shape[0] < B.shape[1]:
        B = B.conj().T
    with mpmath.workdps(_DIGITS):
        svd = mpmath.svd_c if np.iscomplexobj(B) else mpmath.svd_r
        values = svd(mpmath.matrix(B.tolist()), compute_uv=False)
        sigma = np.array([float(value) for value in values])
    # Rounding noise of 40 digits is zero for any certificate in double precision.
    return np.where(sigma > 1e-35 * sigma[0], sigma, 0.0), 0.0


def check_certificate(
    A: ArrayLike, certificate: Any, *, rtol: float | None = None, tol: float | None = None
) -> None:
    """Every claim of a certificate is true.

    With sigma the singular values of A, r the certified rank and slack the rounding of sigma itself
    (see :func:`trusted_singular_values`; relatively 4 eps besides, for the last rounding)::

        sigma_r_lower    <= sigma_r     + slack
        sigma_next_upper >= sigma_{r+1} - slack
        sigma_next_upper <= tol < sigma_r_lower         if decided_by is "bounds"
        0.4 <= tol / (rtol sigma_1) <= 1.01             sigma_1 may be estimated from below
        r == #{sigma > rtol sigma_1}                    unless some sigma is within a factor 2 of it

    Parameters
    ----------
    A : (..., m, n) array_like
        A matrix, or a stack with a certificate whose fields are arrays.
    certificate : Certificate
        Anything with its fields ``rank``, ``tol``, ``sigma_r_lower``, ``sigma_next_upper`` and
        ``decided_by``.
    rtol : float, optional
        The relative cutoff that was asked for; eps(dtype of A) * max(m, n) by default.
    tol : float, optional
        The absolute cutoff that was asked for, instead: the certificate must repeat it.

    Raises
    ------
    AssertionError
        With the claim that fails.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> claim = SimpleNamespace(
    ...     rank=1, tol=2e-15, sigma_r_lower=4.9, sigma_next_upper=1e-15, decided_by="bounds"
    ... )
    >>> check_certificate([[1.0, 2.0], [2.0, 4.0]], claim)
    """
    A = np.asarray(A)
    if rtol is None:
        rtol = precision(A) * max(A.shape[-2:])
    names = ("rank", "tol", "sigma_r_lower", "sigma_next_upper", "decided_by")
    for index in np.ndindex(A.shape[:-2]):
        claims = [np.asarray(getattr(certificate, name))[index].item() for name in names]
        where = f" (matrix {index} of the stack)" if index else ""
        _check_one(A[index], *claims, rtol=rtol, asked=tol, where=where)


def _check_one(
    A: Array,
    rank: int,
    tol: float,
    sigma_r_lower: float,
    sigma_next_upper: float,
    decided_by: str,
    *,
    rtol: float,
    asked: float | None,
    where: str,
) -> None:
    B, exponent = to_unit_scale(A)
    sigma, slack = trusted_singular_values(B)
    k = sigma.size
    fail_unless(
        isinstance(rank, int) and 0 <= rank <= k, f"rank: got {rank!r}, want 0..{k}{where}."
    )
    # From here on everything is in units of 2^exponent.
    tau, lower, upper = (
        scalar_times_power_of_two(x, -exponent) for x in (tol, sigma_r_lower, sigma_next_upper)
    )
    at = sigma[rank - 1] if rank else np.inf
    after = sigma[rank] if rank < k else 0.0
    last = 4 * np.finfo(float).eps
    unit = f" * 2^{exponent}{where}."

    fail_unless(
        0 <= lower <= at * (1 + last) + slack,
        f"sigma_r_lower: got {lower:.6e}, want at most sigma_{rank} = {at:.6e}{unit}",
    )
    fail_unless(
        rank > 0 or lower == np.inf, f"sigma_r_lower: got {lower:.2e}, want inf at rank 0{where}."
    )
    fail_unless(
        upper >= after * (1 - last) - slack,
        f"sigma_next_upper: got {upper:.6e}, want at least sigma_{rank + 1} = {after:.6e}{unit}",
    )
    if asked is None:
        spectrum = judge(sigma, rtol)
        wanted = spectrum.tol
        fail_unless(
            0.4 * wanted <= tau <= 1.01 * wanted,
            f"tol: got {tau:.6e}, want 0.4 to 1.01 times {wanted:.6e}{unit}",
        )
    else:
        fail_unless(tol == asked, f"tol: got {tol!r}, want the {asked!r} asked for{where}.")
        spectrum = _judge_absolute(sigma, tau)
    fail_unless(
        rank == spectrum.rank or spectrum.grey,
        f"rank: got {rank}, want {spectrum.rank}; sigma_{rank} = {at:.2e}, sigma_{rank + 1} = "
        f"{after:.2e}, cutoff {spectrum.tol:.2e}{unit}",
    )
    if decided_by == "bounds":
        fail_unless(
            upper <= tau < lower,
            f"Decided by bounds: got sigma_next_upper = {upper:.6e}, tol = {tau:.6e}, "
            f"sigma_r_lower = {lower:.6e}, want that order{unit}",
        )


def _judge_absolute(sigma: Array, tau: float) -> Spectrum:
    largest = float(sigma.max(initial=0.0))
    if largest == 0:
        return judge(sigma, 0.0)
    return judge(sigma, tau / largest)
