"""The functions of `scipy.linalg`, with SciPy's signatures, defaults, results and their types.

`overwrite_a` permits, it does not oblige: no input is overwritten here. Inputs are always checked
to be finite; the peer is asked about those that are not, whether it shall check or not.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import numpy as np
import scipy
import scipy.linalg

import fastsub
from fastsub.factor.arrays import Array
from fastsub.factor.choose import choose
from fastsub.factor.rank.cutoff import EPS
from fastsub.patch.arguments import (
    believe,
    in_lapack_precision,
    in_one_precision,
    invertible,
    number,
    over_stack,
    plain,
    plain_right_hand_side,
    tolerance,
)
from fastsub.patch.equations import cutoff_of, solve, solve_with_singular_values
from fastsub.patch.tally import PassOn
from fastsub.subspace.angles import principal_angles

_VERSION = tuple(map(int, scipy.__version__.split(".")[:2]))
_COMPILED = _VERSION >= (1, 18)  # stacks, too: results have other types
_CONTAINER = None if _VERSION < (1, 16) else tuple if _COMPILED else list

# What it is where it is not given: SciPy 1.18 warns of every other value.
_LWORK = inspect.signature(scipy.linalg.qr).parameters["lwork"].default

# What LAPACK's gelsy compares are estimates of singular values, within a factor like this one.
_GELSY = 100.0


def null_space(
    A: Any,
    rcond: Any = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """As `scipy.linalg.null_space`."""
    rtol = tolerance(rcond)

    def core(A: Array) -> Array:
        (A,) = in_lapack_precision(A)
        N, certificate = fastsub.null_space(A, rtol, lapack_driver=lapack_driver, full_output=True)
        believe(certificate)
        return np.asarray(N)

    return over_stack(core, (plain(A),), _CONTAINER)


def orth(A: Any, rcond: Any = None) -> Any:
    """As `scipy.linalg.orth`."""
    return over_stack(partial(_orth, rtol=tolerance(rcond)), (plain(A),), _CONTAINER)


def _orth(A: Array, rtol: float | None = None) -> Array:
    (A,) = in_lapack_precision(A)
    Q, certificate = fastsub.orth(A, rtol, full_output=True)
    believe(certificate)
    return np.asarray(Q)


def subspace_angles(A: Any, B: Any) -> Any:
    """As `scipy.linalg.subspace_angles`."""

    def core(A: Array, B: Array) -> Array:
        if len(A) != len(B):
            raise PassOn("shapes that do not match")
        X, Y = _orth(A), _orth(B)
        dtype = np.result_type(X, Y)
        X, Y = (np.asfortranarray(Z, dtype) for Z in (X, Y))
        return principal_angles(X, Y)

    return over_stack(core, (plain(A), plain(B)), _CONTAINER)


def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> Any:
    """As `scipy.linalg.lstsq`, singular values included unless the driver is gelsy."""
    driver = lapack_driver or getattr(scipy.linalg.lstsq, "default_lapack_driver", "gelsd")
    if driver not in ("gelsd", "gelss", "gelsy"):
        raise PassOn("an unknown driver")
    rcond = number(cond)
    as_rank = np.int64 if _COMPILED else int

    def core(a: Array, b: Array) -> tuple[Any, ...]:
        if len(a) != len(b):
            raise PassOn("shapes that do not match")
        a, b = in_one_precision(a, b) if _COMPILED else in_lapack_precision(a, b)
        eps = EPS[a.dtype.char]
        cutoff = cutoff_of(driver, eps if rcond is None else rcond, a.dtype)
        if driver == "gelsy":
            x, _, rank = solve(a, b, cutoff, _GELSY)
            return x, np.array([], x.dtype), as_rank(rank), None
        (x, squares, rank), sigma = solve_with_singular_values(a, b, cutoff)
        if _COMPILED and squares is None and len(a) > a.shape[1]:
            squares = np.full(x.shape[1:], np.nan)  # LAPACK promises nothing about them
        if squares is None:
            return x, np.asarray([], x.dtype), as_rank(rank), sigma
        squares = squares.astype(x.dtype if _COMPILED else sigma.dtype, copy=False)
        squares = squares.reshape(x.shape[1:])
        return x, squares if _COMPILED else squares[()], as_rank(rank), sigma

    return over_stack(core, (plain(a), plain_right_hand_side(b)), _CONTAINER)


def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """As `scipy.linalg.pinv`."""
    absolute, relative = tolerance(atol), tolerance(rtol)

    def core(a: Array) -> Any:
        (a,) = in_lapack_precision(a)
        (B, rank), certificate = fastsub.pinv(
            a, atol=absolute, rtol=relative, return_rank=True, full_output=True
        )
        believe(certificate)
        invertible(certificate, a.dtype)
        return (B, np.intp(rank)) if return_rank else B

    return over_stack(core, (plain(a),), _CONTAINER)


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = _LWORK,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """As `scipy.linalg.qr`."""
    if lwork is not _LWORK and (_COMPILED or lwork != -1):
        raise PassOn("a workspace of a given size")
    if overwrite_a:
        raise PassOn("overwrite_a, which spares SciPy a copy")

    def core(a: Array) -> tuple[Any, ...]:
        (a,) = in_lapack_precision(a)
        if pivoting and choose(a.shape[0], a.shape[1], a.dtype, want="qr").reduce:
            raise PassOn("a tall matrix to be pivoted: signs would differ")
        answer: tuple[Any, ...] = fastsub.qr(a, mode=mode, pivoting=pivoting)
        return answer

    return over_stack(core, (plain(a),), _CONTAINER)
