"""The cutoff between the singular values that count and those that are noise, and its bracket.

    tau = rtol * sigma_1, or a given number
    max(column norms, ||A||_F / sqrt(k)) <= sigma_1 <= ||A||_F

What is factored in floating point is A + E. ||E||_2 <= margin := sqrt(max(m, n)) u ||A||_F (times
sqrt 2 when complex): Higham & Mary 2019 (theorem 3.4, the square root law), Connolly & Higham
2023 (theorem 4.4, for QR). At the default rtol the margin is at most half of tau, for any spectrum:
sqrt(max) u sqrt(k) sigma_1 <= max u sigma_1 = tau / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.kernels import qrcp

EPS = {char: float(np.finfo(char).eps) for char in "fdFD"}


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Singular values above it count: absolute, else relative times the largest plus added."""

    relative: float
    absolute: float | None = None
    added: float = 0.0

    @classmethod
    def of(
        cls, A: Array, rtol: float | None = None, tol: float | None = None, added: float = 0.0
    ) -> Cutoff:
        """Return the cutoff that was asked for; ``eps * max(m, n)`` relative if none was."""
        if rtol is None:
            rtol = EPS[A.dtype.char] * max(A.shape)
        return cls(rtol, tol, added)

    @property
    def terms(self) -> tuple[float, float]:
        """What of it is relative to the largest singular value, and what is added to that."""
        return (self.relative, self.added) if self.absolute is None else (0.0, self.absolute)

    def bracket(self, low: float, high: float) -> tuple[float, float]:
        """Return the cutoff's bracket, given that of the largest singular value."""
        if self.absolute is not None:
            return self.absolute, self.absolute
        return self.relative * low + self.added, self.relative * high + self.added

    def scaled(self, exponent: int) -> Cutoff:
        """Return the cutoff of the matrix times ``2**exponent``."""
        absolute, added = self.absolute, self.added
        if absolute is not None:
            absolute = ldexp(absolute, exponent, math.inf)
        return Cutoff(self.relative, absolute, ldexp(added, exponent, math.inf))


def rounding_margin(norm: float, size: int, dtype: np.dtype[Any]) -> float:
    """Return the bound on ``||E||_2`` of the module's docstring; norm is ``||A||_F``."""
    complex_factor = math.sqrt(2) if dtype.kind == "c" else 1.0
    return complex_factor * math.sqrt(size) * EPS[dtype.char] / 2 * norm


def svd_margin(norm: float, size: int, dtype: np.dtype[Any]) -> float:
    """Return a bound on the error of singular values computed from a factor; norm is ``||A||_F``.

    That of the factor, of the SVD (LAPACK promises a modest multiple of eps sigma_1), and of their
    own rounding.
    """
    return 2 * rounding_margin(norm, size, dtype) + EPS[dtype.char] * norm


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


def ldexp(x: float, exponent: int, overflow: float) -> float:
    """Return ``x * 2**exponent``, or `overflow` if that is out of range."""
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return overflow
