"""What is a rational number: integers, fractions, decimals, strings, floats; arrays of them."""

from __future__ import annotations

import math
import numbers
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

INT64 = 2**63 - 1
# Integers that a double holds one by one.
_WHOLE = 2.0**53


def as_array(A: Any, name: str) -> Array:
    """Return an ndarray with the entries as they are.

    Raises
    ------
    TypeError
        For masked entries, for what has no entries in memory, and for what is no array.
    ValueError
        For rows of different lengths.
    """
    if type(A).__module__.partition(".")[0] == "dask":
        raise TypeError(
            f"{name} is a dask array, and exact arithmetic is done in memory; compute it first: "
            f"{name}.compute()"
        )
    if hasattr(A, "matvec") or hasattr(A, "row_blocks"):
        raise TypeError(
            f"{name} is a {type(A).__name__}; exact arithmetic needs its entries in memory"
        )
    if isinstance(A, np.ma.MaskedArray) and np.ma.is_masked(A):
        raise TypeError(f"{name} has masked entries; fill or drop them first: {name}.filled(value)")
    if hasattr(A, "tolist") and not hasattr(A, "__array__"):  # matrices of FLINT
        A = A.tolist()
    try:
        # NumPy would turn a list of large integers, or of integers and floats, into floats.
        array = np.asarray(A) if hasattr(A, "__array__") else np.array(A, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from None
    if array.dtype == object and any(isinstance(x, (list, tuple)) for x in array.flat):
        raise ValueError(f"{name} must be a rectangular array of numbers, got rows of two lengths")
    if array.dtype == object and array.ndim == 0 and not isinstance(A, numbers.Number):
        raise TypeError(f"{name} must be an array of numbers, got {type(A).__name__}")
    return array


def as_numbers(A: Any, name: str) -> Array:
    """Return an ndarray of integers (int64 where it can), floats, or objects.

    Raises
    ------
    TypeError
        For complex numbers, and as `as_array`.
    """
    array = as_array(A, name)
    kind = array.dtype.kind
    if kind in "bi" or (kind == "u" and array.dtype.itemsize < 8):
        return compact(array.astype(np.int64, copy=False))
    if kind in "UT":
        return array.astype(object)
    if kind == "O":
        if array.size and all(type(x) is int for x in array.flat):
            return compact(array)
        return array if array.size else array.astype(np.int64)
    if kind not in "uf":
        raise TypeError(f"{name} must hold rational numbers, got dtype {array.dtype}")
    return array.astype(object) if kind == "u" else array


def compact(integers: Array) -> Array:
    """Return integers as int64 where all of them fit, as Python integers otherwise."""
    try:
        fitting = integers.astype(np.int64, copy=False)
    except OverflowError:
        return integers
    # The one number whose negative does not fit.
    if fitting.size and fitting.min() == -INT64 - 1:
        return integers.astype(object)
    return fitting


def ratios(array: Array, name: str, decimals: bool) -> tuple[Array, Array | None]:
    """Numerators and denominators, entry by entry; no denominators where all of them are 1."""
    if array.dtype == np.int64:
        return array, None
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name} must be finite, got {array[where]} at {where}")
        if float(np.abs(array).max(initial=0)) < _WHOLE and (np.rint(array) == array).all():
            return array.astype(np.int64), None
        # The same few decimals over and over, in data: each is converted once.
        values, inverse = np.unique(array, return_inverse=True)
        one = _decimal_ratio if decimals else _binary_ratio
        pairs = [one(x) for x in values]
    else:
        inverse = np.arange(array.size)
        pairs = [ratio(x, name, decimals) for x in array.flat]
    both = np.array(pairs, dtype=object).reshape(-1, 2)[inverse.reshape(-1)]
    numerators, denominators = both[:, 0].reshape(array.shape), both[:, 1].reshape(array.shape)
    return numerators, None if (denominators == 1).all() else denominators


def as_decimals(A: Any, name: str = "A") -> Array:
    """Return an array of Fractions: of floats, the decimals that they print as."""
    array = as_numbers(A.toarray() if hasattr(A, "toarray") else A, name)
    numerators, denominators = ratios(array, name, True)
    if denominators is None:
        return numerators
    pairs = zip(numerators.flat, denominators.flat, strict=True)
    fractions = np.array([Fraction(int(x), int(y)) for x, y in pairs], dtype=object)
    return fractions.reshape(array.shape)


def ratio(x: Any, name: str, decimals: bool = False) -> tuple[int, int]:
    """Return numerator and denominator of anything that is a rational number."""
    if isinstance(x, numbers.Rational):
        return int(x.numerator), int(x.denominator)
    if isinstance(x, (float, np.floating)):
        if not math.isfinite(x):
            raise ValueError(f"{name} must be finite, got {x}")
        return _decimal_ratio(x) if decimals else _binary_ratio(x)
    if hasattr(x, "p") and hasattr(x, "q"):  # the rationals of SymPy and FLINT
        return int(x.p), int(x.q)
    if isinstance(x, (bool, np.bool_)) or hasattr(x, "__index__"):
        return int(x), 1
    if isinstance(x, str) or hasattr(x, "as_integer_ratio"):
        try:
            return Fraction(x).as_integer_ratio()
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise ValueError(f"{name} must hold rational numbers, got {x!r}: {error}") from None
    raise TypeError(
        f"{name} must hold rational numbers (int, Fraction, Decimal, decimal strings, floats), "
        f"got {type(x).__name__}"
    )


def _binary_ratio(x: Any) -> tuple[int, int]:
    numerator, denominator = x.as_integer_ratio()
    return numerator, denominator


def _decimal_ratio(x: Any) -> tuple[int, int]:
    # str(numpy scalar) is the shortest decimal that rounds to it in its own precision.
    return Fraction(str(x)).as_integer_ratio()
