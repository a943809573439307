"""Exact solutions of B X = A by p-adic lifting, proved by their size.

    X = N / d       N (r, k), d integers

A random combination of the columns is lifted until one of its entries, a random combination too,
shows its denominator d. The columns themselves then need half as many digits, since N = d X mod
p^s with N small is all that is wanted. If p^s > r |B| |N| + d |A| the congruence B N = d A is an
equality, whatever led to d and N; rows of B and A beyond the first r, which the lifting found
divisible at every step, are equal by the same count. So luck decides the time, never the answer.

References
----------
Dixon, Exact solution of linear equations using p-adic expansions (1982).
Wiedemann's remark in Dixon's setting, projections for the denominator: Pan, Complexity of parallel
matrix computations (1987).
"""

from __future__ import annotations

from math import log2
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fastsub.exact import radix
from fastsub.exact.entries import compact
from fastsub.exact.reconstruct import reconstruct
from fastsub.factor.products import product
from fastsub.kernels.padic import py_lift

Array = NDArray[Any]

_PANEL = 32
# A fraction is believed, and then tried, if chance would show it once in 2^40 times.
_MARGIN = 40
# Doubles of one array of digits: more columns are lifted in turns.
_DIGITS = 2**24
# Operations in one call of the kernel: a tenth of a second or less, unless one step is more.
_OPERATIONS = 10**9
# Entries of floats are exact up to here.
_FLOAT_BITS = 23


class Lifting:
    """The equations B X = A modulo powers of p: at first modulo p, then digit by digit.

    Parameters
    ----------
    B : ndarray, shape (M, r)
        Integers; the first r rows are independent modulo p.
    inverse : ndarray, shape (r, r)
        Their inverse modulo p.
    p : int
        An odd prime with r p^2 < 2^55.
    """

    def __init__(self, B: Array, inverse: Array, p: int) -> None:
        self.p = p
        self.M, self.r = B.shape
        self.largest = _largest(B)
        # r 2^width p/2 + what is carried stays below 2^53.
        self.width = min(_FLOAT_BITS, 51 - (p // 2).bit_length() - (self.r + 1).bit_length())
        balanced = np.where(inverse > p // 2, inverse - p, inverse)
        self._inverse = _panels(balanced.astype(np.float32))
        count = _slices_of(self.largest, self.width)
        self._B = np.stack([_panels(part) for part in _slices(B, self.width, count)])

    def columns(self, A: Array) -> Columns:
        """Start on right-hand sides A (M, k)."""
        return Columns(self, A)


class Columns:
    """Right-hand sides and the digits of their solutions so far: (steps, k, r)."""

    def __init__(self, lifting: Lifting, A: Array) -> None:
        self.lifting = lifting
        self.k = A.shape[1]
        self.largest = _largest(A)
        count = max(_slices_of(self.largest, lifting.width), len(lifting._B))
        ld = lifting._B.shape[1] * _PANEL
        self._R = np.zeros((count, self.k, ld))
        self._R[:, :, : lifting.M] = np.stack(_slices(A, lifting.width, count)).transpose(0, 2, 1)
        self._B = lifting._B
        if len(self._B) < count:
            more = np.zeros((count - len(self._B), *self._B.shape[1:]), np.float32)
            self._B = np.concatenate([self._B, more])
        self._work = np.empty(ld + 4 * (_PANEL + lifting.r))
        self.digits = np.empty((0, self.k, lifting.r))

    def advance(self, steps: int) -> bool:
        """Have as many digits; False if no solution satisfies the rows beyond the first r."""
        old = len(self.digits)
        if steps <= old:
            return True
        digits = np.empty((steps, self.k, self.lifting.r))
        digits[:old] = self.digits
        self.digits = digits
        lifting = self.lifting
        base = 2.0**lifting.width
        # A few steps at a time, so that Ctrl-C is heard.
        operations = 2 * lifting.r * (lifting.r + self._R.shape[0] * self._R.shape[2]) * self.k
        stride = max(1, _OPERATIONS // max(1, operations))
        for start in range(old, steps, stride):
            part = digits[start : start + stride]
            done = py_lift(lifting._inverse, self._B, base, lifting.p, self._R, part, self._work)
            if done < len(part):
                return False
        return True


def solve_lifted(B: Array, A: Array, inverse: Array, p: int) -> tuple[Array, int] | None:
    """Return N (r, k) and d with B N = d A, or None if that has no solution.

    Parameters
    ----------
    B : ndarray, shape (M, r)
        Integers, int64 or object; the first r rows are independent modulo p.
    A : ndarray, shape (M, k)
        Integers.
    inverse : ndarray, shape (r, r)
        Inverse modulo p of the first r rows of B.
    p : int
    """
    r, k = B.shape[1], A.shape[1]
    lifting = Lifting(B, inverse, p)
    found = denominator(lifting, B, A)
    if found is None:
        return None
    d, size = found
    parts: list[tuple[Array, int]] = []
    steps = _digits_for(lifting, _largest(A), size, p)
    width = max(1, _DIGITS // max(1, steps * r))
    for start in range(0, k, width):
        part = numerators(lifting, A[:, start : start + width], d, steps)
        if part is None:
            return None
        d = part[1]
        parts.append(part)
    N = np.empty((r, k), dtype=object)
    for start, (numbers, own) in zip(range(0, k, width), parts, strict=True):
        N[:, start : start + width] = numbers if own == d else numbers.astype(object) * (d // own)
    return compact(N), d


def denominator(lifting: Lifting, B: Array, A: Array) -> tuple[int, int] | None:
    """Return a likely common denominator of B^-1 A and the bits of what it is the denominator of.

    None if the rows of B beyond the first r cannot be satisfied.
    """
    p, r, k = lifting.p, lifting.r, A.shape[1]
    rng = np.random.default_rng(1729)
    if k > 1:
        # Object arithmetic only where 64 bits might not hold the sum.
        large = A.dtype == object or _largest(A).bit_length() + k.bit_length() > 54
        weights = rng.integers(1, 128, k)
        A = (A.astype(object) @ weights.astype(object) if large else A @ weights)[:, None]
    columns = lifting.columns(A)
    projection = rng.integers(1, 1024, (r, 1)).astype(np.float64)
    ceiling = _hadamard_bits(lifting.largest, r) + _largest(A).bit_length()
    # Both combinations lengthen the numerator.
    likely = 2 * _determinant_bits(B[:r]) + 2 * _MARGIN + (r * k).bit_length()
    steps = min(8, int(likely / log2(p)) + 1)
    while True:
        if not columns.advance(steps):
            return None
        y = product(columns.digits[:, 0, :].T, projection, adjoint=True)[:, 0]
        found = reconstruct(radix.value([int(x) for x in y], p), p**steps, _MARGIN)
        if found is not None:
            n, d = found
            return d, max(n.bit_length(), d.bit_length())
        bits = steps * log2(p)
        if bits > 2 * ceiling + 4 * _MARGIN:
            raise ArithmeticError("lifting beyond Hadamard's bound showed no denominator")
        if bits < likely:
            steps = min(2 * steps, int(likely / log2(p)) + 1)
        else:
            steps += max(4, steps // 8)


def numerators(lifting: Lifting, A: Array, d: int, steps: int) -> tuple[Array, int] | None:
    """Return N (r, k) and d' a multiple of d with B N = d' A, proved; None: no solution."""
    p, r, k = lifting.p, lifting.r, A.shape[1]
    columns = lifting.columns(A)
    right = columns.largest
    while True:
        if not columns.advance(steps):
            return None
        modulus = p**steps
        while True:
            D = radix.times(columns.digits.reshape(steps, k * r), d, p)
            used = int(np.flatnonzero(D.any(axis=1)).max(initial=-1)) + 1
            # |N| < p^used, so both sides of B N = d A are below half the modulus.
            if 2 * (r * lifting.largest * p**used + d * right) < modulus:
                return radix.to_integers(D[:used], p).reshape(k, r).T, d
            worst = int(np.argmax(D[used - 1] != 0))
            entry = radix.value([int(x) for x in D[:, worst]], p)
            more = reconstruct(entry, modulus, _MARGIN)
            if more is None or more[1] == 1:
                break
            d *= more[1]
        steps += max(4, steps // 4)


def _digits_for(lifting: Lifting, right: int, bits: int, p: int) -> int:
    """Return how many digits prove numerators and denominators of so many bits."""
    largest = max(lifting.r * lifting.largest, right, 1)
    return int((bits + largest.bit_length() + 32) / log2(p)) + 2


def _hadamard_bits(largest: int, r: int) -> float:
    """Return log2 of Hadamard's bound for a determinant of order r, a little rounded up."""
    return float(r * (largest.bit_length() + log2(max(r, 1)) / 2) + 1)


def _determinant_bits(B: Array) -> float:
    """Return about log2 |det B|, by floating-point LU: an estimate, nothing rests on it."""
    r = B.shape[0]
    largest = _largest(B)
    shift = max(0, largest.bit_length() - 60)
    lu, _, _ = scipy.linalg.lapack.dgetrf((B >> shift if shift else B).astype(np.float64))
    diagonal = np.abs(np.diagonal(lu))
    if not diagonal.all():
        return _hadamard_bits(largest, r)
    return float(np.log2(diagonal).sum() + shift * r)


def _largest(A: Array) -> int:
    """Return max |a_ij|."""
    return max(int(A.max(initial=0)), -int(A.min(initial=0))) if A.size else 0


def _slices_of(largest: int, width: int) -> int:
    # Balanced slices hold up to 2^(width - 1), the last one carries at most one more.
    return max(1, -(-(largest.bit_length() + 1) // width))


def _slices(A: Array, width: int, count: int) -> list[Array]:
    """Return A_t, (m, n) doubles below 2^width, with A = sum_t 2^(width t) A_t."""
    parts = []
    half, mask = 1 << (width - 1), (1 << width) - 1
    for _ in range(count - 1):
        low = A & mask
        # Nothing is added to A itself: that might not fit in 64 bits.
        upper = low >= half
        parts.append(low.astype(np.float64) - upper * float(1 << width))
        A = (A >> width) + upper
    return [*parts, A.astype(np.float64)]


def _panels(B: Array) -> Array:
    """Return B (M, r) in panels of 32 rows, zeros below: (ceil(M / 32), r, 32) floats."""
    M, r = B.shape
    panels = -(-M // _PANEL)
    padded = np.zeros((panels * _PANEL, r), np.float32)
    padded[:M] = B
    return np.ascontiguousarray(padded.reshape(panels, _PANEL, r).transpose(0, 2, 1))
