"""Arrays of big integers as digits, so that their arithmetic is matrix products in doubles.

    x = sum_s p^s D[s]        D (count, n) for n integers, digits balanced: |D[s]| <= p/2

Multiplying all of them by one integer is a triangular Toeplitz matrix times D, changing to base
2^16 a table of the powers of p times D. Every product stays below 2^53, so it is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.factor.products import product
from fastsub.kernels.padic import py_carry

Array = NDArray[Any]

# Rows of a triangular table taken together: what is zero above them is skipped.
_BLOCK = 96
_LIMB = 16
_INT64_BITS = 62


def value(digits: list[int], p: int) -> int:
    """Return sum_s p^s digits[s], by halves."""
    while len(digits) > 1:
        if len(digits) % 2:
            digits.append(0)
        digits = [low + high * p for low, high in zip(digits[::2], digits[1::2], strict=True)]
        p *= p
    return digits[0] if digits else 0


def digits_of(x: int, p: int, count: int) -> Array:
    """Return the balanced digits of x modulo p^count, (count,) doubles."""
    found = np.zeros(count)
    half = p // 2
    for s in range(count):
        if not x:
            break
        digit = (x + half) % p - half
        found[s] = digit
        x = (x - digit) // p
    return found


def times(D: Array, x: int, p: int) -> Array:
    """Return the balanced digits of x times each integer, modulo p^count: like D, (count, n)."""
    count, n = D.shape
    factor = digits_of(x, p, count)
    if not factor[1:].any():
        C = D * factor[0] if count else D.copy()
        py_carry(C, p, True, np.empty(n))
        return C
    # Sums of so many products of two digits are below 2^52.
    block = max(1, min(_BLOCK, 2**52 // (p // 2 + 1) ** 2))
    shifted = np.concatenate([np.zeros(count - 1), factor])
    toeplitz = np.lib.stride_tricks.sliding_window_view(shifted, count)[:, ::-1]
    C = np.zeros((count, n))
    top = np.empty(n)
    for s in range(0, count, block):
        part = np.ascontiguousarray(toeplitz[s:, s : s + block])
        C[s:] += product(D[s : s + block].T, part.T).T
        py_carry(C[s:], p, True, top)
    return C


def to_integers(D: Array, p: int) -> Array:
    """Return the n integers with digits D (count, n): int64 where they must fit, else Python's."""
    count, n = D.shape
    powers = [1]
    for _ in range(1, count):
        powers.append(powers[-1] * p)
    bits = (powers[-1] * p).bit_length() + 1
    if bits <= _INT64_BITS:
        x = np.zeros(n, np.int64)
        for digit, power in zip(D, powers, strict=False):
            x += digit.astype(np.int64) * power
        return x
    limbs = bits // _LIMB + 1
    table = b"".join(power.to_bytes(limbs * _LIMB // 8, "little") for power in powers)
    P = np.frombuffer(table, "<u2").reshape(count, limbs).astype(np.float64)
    C = np.zeros((limbs, n))
    for s in range(0, count, _BLOCK):
        last = min(count, s + _BLOCK)
        used = powers[last - 1].bit_length() // _LIMB + 1
        part = np.asfortranarray(P[s:last, :used])
        C[:used] += product(D[s:last].T, part).T
    py_carry(C, 2.0**_LIMB, False, np.empty(n))
    size = limbs * _LIMB // 8
    packed = np.ascontiguousarray(C.astype("<u2").T).tobytes()
    integers = np.empty(n, dtype=object)
    integers[:] = [
        int.from_bytes(packed[k : k + size], "little", signed=True)
        for k in range(0, n * size, size)
    ]
    return integers
