"""Answers: a rational matrix over one denominator, and the reduced echelon form as one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.extras import load
from fastsub.html import card

Array = NDArray[Any]


class RationalMatrix:
    """Integers over one common denominator.

    Parameters
    ----------
    numerators : ndarray
        int64 where all of them fit, Python integers otherwise.
    denominator : int
        Positive, without a factor common to all numerators.

    Examples
    --------
    >>> from fastsub import exact
    >>> X = exact.inverse([[2, 1], [1, 3]])
    >>> X.numerators, X.denominator
    (array([[ 3, -1],
           [-1,  2]]), 5)
    >>> X.to_fractions()[0, 1]
    Fraction(-1, 5)
    """

    __slots__ = ("denominator", "numerators")

    def __init__(self, numerators: Array, denominator: int) -> None:
        self.numerators = numerators
        self.denominator = denominator

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the numerators."""
        return self.numerators.shape

    def to_fractions(self) -> Array:
        """Return an object array of `fractions.Fraction`."""
        return to_fractions(self.numerators, self.denominator)

    def to_sympy(self) -> Any:
        """Return an immutable SymPy matrix; needs SymPy."""
        return to_sympy(self.numerators, self.denominator)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the nearest floating-point numbers."""
        if copy is False:
            raise ValueError("a rational matrix has no floating-point entries without a copy")
        quotients = [int(x) / self.denominator for x in self.numerators.flat]
        return np.array(quotients, dtype or np.float64).reshape(self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalMatrix):
            return NotImplemented
        return self.denominator == other.denominator and np.array_equal(
            self.numerators, other.numerators
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(self._fields(), state, strict=True):
            setattr(self, name, value)

    @classmethod
    def _fields(cls) -> list[str]:
        return [name for base in cls.__mro__ for name in getattr(base, "__slots__", ())]

    def __repr__(self) -> str:
        size = "×".join(map(str, self.shape))
        return f"<{type(self).__name__} {size}, denominator {_short(self.denominator)}>"

    def _repr_html_(self) -> str:
        small = self.numerators.size <= 64 and max(self.shape, default=0) <= 8
        return card(repr(self), {"entries": self.to_fractions() if small else "not shown"})


class RationalEchelon(RationalMatrix):
    """The reduced row echelon form over the rationals; unpacks as ``R, pivots``.

    Attributes
    ----------
    numerators : ndarray, shape (m, n)
        ``R * denominator``.
    denominator : int
    pivots : tuple of int
        The leftmost independent columns.

    Examples
    --------
    >>> from fastsub import exact
    >>> E = exact.rref([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    >>> E
    <RationalEchelon 3×3, denominator 1, rank 2>
    >>> R, pivots = E
    >>> pivots
    (0, 1)
    >>> E.numerators
    array([[ 1,  0, -1],
           [ 0,  1,  2],
           [ 0,  0,  0]])
    """

    __slots__ = ("pivots",)

    def __init__(self, numerators: Array, denominator: int, pivots: tuple[int, ...]) -> None:
        self.numerators = numerators
        self.denominator = denominator
        self.pivots = pivots

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return len(self.pivots)

    @property
    def free(self) -> tuple[int, ...]:
        """Columns without a pivot."""
        return tuple(sorted(set(range(self.shape[1])) - set(self.pivots)))

    def __iter__(self) -> Iterator[Any]:
        """Yield R in Fractions, then the pivots."""
        yield self.to_fractions()
        yield self.pivots

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalEchelon):
            return NotImplemented
        return self.pivots == other.pivots and RationalMatrix.__eq__(self, other)

    __hash__ = None

    def __repr__(self) -> str:
        return f"{RationalMatrix.__repr__(self)[:-1]}, rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {"pivot columns": str(self.pivots), "free columns": str(self.free)}
        small = max(self.shape) <= 8
        return card(repr(self), {"R": self.to_fractions() if small else "not shown", **rows})


def to_fractions(numerators: Any, denominator: int = 1) -> Array:
    """Return an object array of `fractions.Fraction`.

    Parameters
    ----------
    numerators : array_like of int
        A basis, for instance.
    denominator : int, default: 1

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.to_fractions([[1, 2]], 2)[0].tolist()
    [Fraction(1, 2), Fraction(1, 1)]
    """
    numerators = np.asarray(numerators)
    fractions = np.empty(numerators.size, dtype=object)
    fractions[:] = [Fraction(int(x), denominator) for x in numerators.flat]
    return fractions.reshape(numerators.shape)


def to_sympy(numerators: Any, denominator: int = 1) -> Any:
    """Return an immutable SymPy matrix.

    Parameters
    ----------
    numerators : array_like of int, shape (m, n) or (m,)
        A vector becomes a column.
    denominator : int, default: 1

    Raises
    ------
    ImportError
        If SymPy is not installed.
    """
    sympy = load("sympy", "exact", "SymPy's matrices need")
    numerators = np.asarray(numerators)
    if numerators.ndim == 1:
        numerators = numerators[:, None]
    m, n = numerators.shape
    entries = [sympy.Rational(int(x), denominator) for x in numerators.flat]
    return sympy.ImmutableMatrix(m, n, entries)


def _short(number: int) -> str:
    return str(number) if number.bit_length() < 64 else f"of {number.bit_length()} bits"
