"""Reading a matrix modulo a prime: integers, whole floats, fractions, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.entries import as_array, ratio
from fastsub.factor.memory import check_memory

Array = NDArray[Any]

_INT64 = np.dtype(np.int64)
# Whole floats up to here are the integers that they look like.
_WHOLE = 2.0**53


def residues(A: Any, p: int, name: str = "A", ndims: tuple[int, ...] = (2,)) -> Array:
    """Return integers, or fractions, modulo p as an array that `factor.modular` takes.

    Parameters
    ----------
    A : array_like or scipy.sparse
        Integers of any size, whole floats, and fractions, decimals and strings whose denominators
        are prime to p.
    p : int
        A prime below 2**63.
    name : str
        How errors call it.
    ndims : tuple of int
        The numbers of dimensions that are allowed.

    Returns
    -------
    ndarray
        int64 or uint64 as given, for small integers (bool, int8, uint8) and p = 2 as given too;
        what else comes is reduced to int64 in 0..p-1.

    Raises
    ------
    TypeError
        For what is not a rational number.
    ValueError
        For another number of dimensions, floats that are not whole, and denominators that p
        divides.
    """
    if type(A) is np.ndarray and A.dtype is _INT64 and A.ndim in ndims:
        return A
    array = as_array(_from_sparse(A, p, name) if hasattr(A, "tocoo") else A, name)
    if array.ndim not in ndims:
        wanted = "a matrix (2-d)" if ndims == (2,) else "a vector or a matrix"
        raise ValueError(f"{name} must be {wanted}, got {array.ndim}-d of shape {array.shape}")
    array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f":
        _check_whole(array, name)
        small = float(np.abs(array).max(initial=0)) < _WHOLE
        array = array.astype(np.int64 if small else object)
    if array.dtype.kind in "bui":
        keep = array.dtype.itemsize == 8 or (p == 2 and array.dtype.itemsize == 1)
        return array if keep else array.astype(np.int64)
    if array.dtype.kind in "UT":
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise TypeError(f"{name} must hold integers, got dtype {array.dtype}")
    flat = [_residue(x, p, name) for x in array.flat]
    return np.array(flat, dtype=np.int64).reshape(array.shape)


def _check_whole(array: Array, name: str) -> None:
    whole = np.isfinite(array) & (np.rint(array) == array)
    if not whole.all():
        raise ValueError(
            f"{name} must hold whole numbers, got {array[~whole].flat[0]}; pass fractions.Fraction "
            "or decimals=True to mean a quotient modulo p"
        )


def _residue(x: Any, p: int, name: str) -> int:
    if type(x) is int:
        return x % p
    if isinstance(x, (float, np.floating)):
        _check_whole(np.asarray(x), name)
    numerator, denominator = ratio(x, name)
    if denominator == 1:
        return numerator % p
    if denominator % p == 0:
        raise ValueError(f"{name} holds {x}, whose denominator is zero modulo {p}")
    return numerator * pow(denominator, -1, p) % p


def _from_sparse(A: Any, p: int, name: str) -> Array:
    """Entries modulo p at their places; duplicates are added as residues, where none overflows."""
    if A.ndim == 1:
        row: Array = _from_sparse(A.reshape(1, -1), p, name)[0]
        return row
    check_memory(A.shape, np.int64, "modulo a prime sparse matrices are taken as dense ones")
    coordinates = A.tocoo()
    values = residues(coordinates.data, p, name, (1,))
    if values.dtype != np.uint64:  # True modulo 2, as bool, is False
        values = values.astype(np.int64)
    values = np.mod(values, values.dtype.type(p)).astype(np.int64)
    i, j = coordinates.row.astype(np.int64), coordinates.col.astype(np.int64)
    dense = np.zeros(A.shape, np.int64)
    _, first = np.unique(i * dense.shape[1] + j, return_index=True)
    dense[i[first], j[first]] = values[first]
    for k in np.setdiff1d(np.arange(len(values)), first):
        dense[i[k], j[k]] = (int(dense[i[k], j[k]]) + int(values[k])) % p
    return dense
