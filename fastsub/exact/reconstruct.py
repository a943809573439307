"""Rational reconstruction: the small fraction behind a residue."""

from __future__ import annotations

from math import gcd


def reconstruct(u: int, modulus: int, margin: int) -> tuple[int, int] | None:
    """Return n, d with n = d u modulo `modulus`, d > 0, if one fraction stands out.

    In Euclid's algorithm for (modulus, u) a fraction with |n| d far below the modulus shows as one
    quotient of about modulus / (|n| d). The first that exceeds 2^margin is taken, as chance allows
    with probability about 2^-margin a step (after Monagan, Maximal quotient rational
    reconstruction, 2004).
    """
    least = 1 << margin
    a, b, s, t = modulus, u % modulus, 0, 1
    while b and a > least:
        q = a // b
        if q > least:
            return ((b, t) if t > 0 else (-b, -t)) if gcd(b, t) == 1 else None
        a, b = b, a - q * b
        s, t = t, s - q * t
    return (0, 1) if b == 0 and t == 1 and modulus > least else None
