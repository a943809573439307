"""The functions of `numpy.linalg`, with NumPy's signatures, defaults, results and their types.

NumPy computes in double precision whatever it is given, and rounds the result to the precision of
the input; tolerances of `matrix_rank` and `pinv` are those of the input's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fastsub
from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import SMALL_ENTRIES
from fastsub.factor.rank.cutoff import EPS
from fastsub.kernels.direct import py_decide
from fastsub.patch.arguments import (
    believe,
    in_double,
    invertible,
    number,
    plain,
    plain_right_hand_side,
    separate,
    tolerance,
)
from fastsub.patch.equations import cutoff_of, solve_with_singular_values
from fastsub.patch.tally import PassOn

_UNSET = getattr(np, "_NoValue", None)


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """As `numpy.linalg.matrix_rank`."""
    A = plain(A)
    if tol is not None and rtol is not None:
        raise PassOn("tolerances that exclude each other")
    if tol is None and rtol is None:
        rtol = max(A.shape[-2:]) * _eps(A)
        if A.ndim == 2 and A.size <= SMALL_ENTRIES and not hermitian:
            return _small_rank(in_double(A), rtol)
    for value in (tol, rtol):
        if value is not None and np.shape(value) not in ((), A.shape[:-2]):
            raise PassOn("a tolerance of another shape")
        if value is not None and not np.all(np.asarray(value) >= 0):
            raise PassOn("a negative or NaN tolerance")
    rank, certificate = fastsub.matrix_rank(
        in_double(A), tol, hermitian, rtol=rtol, full_output=True
    )
    believe(certificate)
    return np.intp(rank) if A.ndim == 2 else rank


def _small_rank(A: Array, rtol: float) -> Any:
    answer = py_decide(whole_strides(A), False, False, False, rtol, 0.0, True)
    if not isinstance(answer, tuple):
        raise PassOn("an SVD that did not converge")
    rank, tol, lower, upper, *_ = answer
    separate(tol, lower, upper)
    return np.intp(rank)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNSET) -> Any:
    """As `numpy.linalg.pinv`."""
    a = plain(a)
    if rcond is not None and rtol is not _UNSET:
        raise PassOn("tolerances that exclude each other")
    if rcond is None:
        if rtol is None and a.dtype.kind in "biu":
            raise PassOn("integers have no eps")
        rcond = 1e-15 if rtol is _UNSET else rtol
    cutoff = max(a.shape[-2:]) * _eps(a) if rcond is None else tolerance(rcond)
    A = in_double(a)
    if hermitian:
        if A.shape[-1] != A.shape[-2]:
            raise PassOn("shapes that do not match")
        A = _from_lower_triangle(A)
    B, certificate = fastsub.pinv(A, rtol=cutoff, full_output=True)
    believe(certificate)
    invertible(certificate, _result_dtype(a))
    return np.asarray(B).astype(_result_dtype(a), copy=False)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """As `numpy.linalg.lstsq`, singular values included."""
    a, b = plain(a), plain_right_hand_side(b)
    if a.ndim > 2 or b.ndim > 2 or len(a) != len(b):
        raise PassOn("shapes that do not match")
    dtype, A, B = a.dtype, a, b
    if not a.dtype == b.dtype == np.float64:
        dtype = np.result_type(_result_dtype(a), _result_dtype(b))
        double = np.result_type(in_double(a[:0]), in_double(b[:0]))
        A, B = a.astype(double, copy=False), b.astype(double, copy=False)
    given = number(rcond)
    if given is None:
        given = EPS["d"] * max(A.shape)
    cutoff = cutoff_of("gelsd", given, np.float64)
    (x, squares, rank), sigma = solve_with_singular_values(A, B, cutoff)
    real = dtype if dtype.kind == "f" else np.empty(0, dtype).real.dtype
    residues = np.empty(0) if squares is None else squares
    return (
        x.astype(dtype, copy=False),
        residues.astype(real, copy=False),
        np.int32(rank),
        sigma.astype(real, copy=False),
    )


def _eps(a: Array) -> float:
    """Return the unit of NumPy's tolerance: integers count as doubles."""
    return EPS.get(a.dtype.char, EPS["d"])


def _result_dtype(a: Array) -> np.dtype[Any]:
    return np.dtype(np.float64) if a.dtype.kind in "biu" else a.dtype


def _from_lower_triangle(A: Array) -> Array:
    """Return the Hermitian matrix of which NumPy reads the lower triangle alone."""
    lower = np.tril(A)
    A = lower + np.tril(A, -1).swapaxes(-1, -2).conj()
    if A.dtype.kind == "c":
        index = np.arange(A.shape[-1])
        A[..., index, index] = A[..., index, index].real
    return A
