"""Primes below 2^64: tests that prove, and neighbours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# They prove primality below 3.3e24: Sorenson & Webster, Strong pseudoprimes to twelve prime bases,
# Math. Comp. 86 (2017).
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_LIMIT = 2**63


def is_prime(p: int) -> bool:
    """Whether p < 2**64 is a prime, by twelve Miller-Rabin tests that prove it.

    Examples
    --------
    >>> from fastsub.factor.modular.primes import is_prime
    >>> is_prime(2**61 - 1), is_prime(3215031751)
    (True, False)
    """
    p = int(p)
    if p < 2:
        return False
    for q in _WITNESSES:
        if p % q == 0:
            return p == q
    odd, twos = p - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for a in _WITNESSES:
        x = pow(a, odd, p)
        if x in (1, p - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % p
            if x == p - 1:
                break
        else:
            return False
    return True


def next_prime(n: int) -> int:
    """Return the least prime above n.

    Examples
    --------
    >>> from fastsub.factor.modular.primes import next_prime
    >>> next_prime(2**22)
    4194319
    """
    n = int(n) + 1
    if n <= 2:
        return 2
    n += n % 2 == 0
    while not is_prime(n):
        n += 2
    return n


def previous_prime(n: int) -> int:
    """Return the greatest prime below n.

    Raises
    ------
    ValueError
        If n <= 2: there is none.

    Examples
    --------
    >>> from fastsub.factor.modular.primes import previous_prime
    >>> previous_prime(2**23)
    8388593
    """
    n = int(n) - 1
    if n < 2:
        raise ValueError(f"no prime is below {n + 1}")
    if n == 2:
        return 2
    n -= n % 2 == 0
    while not is_prime(n):
        n -= 2
    return n


# Whoever computes modulo a prime does so many times.
_proved = lru_cache(maxsize=64)(is_prime)


def check_prime(p: Any, name: str = "p") -> int:
    """Return the modulus as an int.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is not a prime below 2**63.
    """
    try:
        modulus = p.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name} must be an integer, got {p!r}") from None
    if not 2 <= modulus < _LIMIT or not _proved(modulus):
        raise ValueError(f"{name} must be a prime below 2**63, got {modulus}")
    return int(modulus)
