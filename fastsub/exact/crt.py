"""Chinese remainders: one integer from its residues modulo many primes."""

from __future__ import annotations


class Residues:
    """An integer known modulo a growing product of primes.

    Attributes
    ----------
    modulus : int
        The product so far.

    Examples
    --------
    >>> from fastsub.exact.crt import Residues
    >>> x = Residues()
    >>> for p in (97, 101):
    ...     x.add(-1234 % p, p)
    >>> x.balanced()
    -1234
    """

    __slots__ = ("_value", "modulus")

    def __init__(self) -> None:
        self.modulus, self._value = 1, 0

    def add(self, residue: int, p: int) -> None:
        """Learn the integer modulo a prime that does not divide `modulus` (Garner 1959)."""
        digit = (residue - self._value) * pow(self.modulus, -1, p) % p
        self._value += digit * self.modulus
        self.modulus *= p

    def balanced(self) -> int:
        """Return the integer of least magnitude with these residues."""
        half = self.modulus // 2
        return (self._value + half) % self.modulus - half
