"""Rational reconstruction: the small fraction behind a residue."""

from __future__ import annotations

from math import gcd


def reconstruct(u: int, modulus: int, margin: int) -> tuple[int, int] | None:
    """Return n, d with n = d u modulo `modulus`, d > 0, if one fraction stands out.

    In Euclid's algorithm for (modulus, u) a fraction with |n| d far below the modulus shows as one
    quotient of about modulus / (|n| d); it is taken if that exceeds 2^margin, as chance allows with
    probability about 2^-margin a step (Monagan, Maximal quotient rational reconstruction, 2004).
    """
    least = 1 << margin
    a, b, s, t = modulus, u % modulus, 0, 1
    if b == 0:
        return (0, 1) if modulus > least else None
    best = None
    # Once a is below the best quotient no larger one can come.
    while b and a > least:
        q = a // b
        if q > least:
            least, best = q, (b, t)
        a, b = b, a - q * b
        s, t = t, s - q * t
    if best is None or gcd(*best) != 1:
        return None
    n, d = best
    return (n, d) if d > 0 else (-n, -d)
