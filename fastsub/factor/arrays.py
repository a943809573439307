"""Validation of what users pass, and the one working copy that the kernels factor in place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.factor.memory import empty
from fastsub.kernels import layout

Array = NDArray[Any]

_DTYPES = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))
# Largest exponents of max|a_ij| at which sums of squares, and of squares of the inverse of a factor
# as ill-conditioned as 1/u, neither overflow nor underflow (norms are accumulated in double).
_SAFE_EXPONENT = {"f": 40, "F": 40, "d": 200, "D": 200}
# Powers of two that the dtype holds: entries beyond are subnormal, or are halved a little less.
_LARGEST_EXPONENT = {"f": 120, "F": 120, "d": 1000, "D": 1000}


def as_array(a: Any, name: str = "A") -> Array:
    """Return `a` as a plain ndarray of one of the four dtypes, without a copy where possible.

    Raises
    ------
    TypeError
        For strings, objects that are not numbers, masked entries, sparse, dask and other lazy
        arrays: the message names the way out.
    """
    kind = type(a).__module__.partition(".")[0]
    if kind == "dask":
        raise TypeError(
            f"{name} is a dask array; fastsub.dask has functions for it, or compute it first: "
            f"{name}.compute()"
        )
    if hasattr(a, "toarray") or hasattr(a, "matvec"):
        dense = f"{name}.toarray()" if hasattr(a, "toarray") else f"{name} @ numpy.eye(n)"
        raise TypeError(
            f"{name} is a {type(a).__name__}; fastsub works on dense arrays here: pass {dense}, or "
            "use scipy.sparse.linalg where it is too large for that"
        )
    if isinstance(a, np.ma.MaskedArray) and np.ma.is_masked(a):
        raise TypeError(f"{name} has masked entries; fill or drop them first: {name}.filled(value)")
    try:
        array = np.asarray(a)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from None
    if array.dtype.kind not in "biufcO":
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    if array.dtype.kind == "O":
        array = _from_objects(array, name)
    native = array.dtype.newbyteorder("=")
    wanted = native if native in _DTYPES else _working_dtype(native)
    return array if array.dtype == wanted else array.astype(wanted)


def _from_objects(array: Array, name: str) -> Array:
    for dtype in (np.float64, np.complex128):
        if any(x is None or isinstance(x, (str, bytes)) for x in array.flat):
            break
        try:
            return array.astype(dtype)
        except (TypeError, ValueError):
            continue
        except OverflowError as error:
            raise ValueError(f"{name} holds a number too large for a float: {error}") from None
    raise TypeError(f"{name} must hold numbers, got objects that do not convert to them")


def _working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that SciPy's linear algebra would use: integers become float64."""
    if dtype == np.float16:
        return np.dtype(np.float32)
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def as_matrix(a: Any, name: str = "A") -> Array:
    """Return `a` as a 2-d ndarray of one of the four dtypes.

    Raises
    ------
    ValueError
        If it has another number of dimensions.
    """
    array = as_array(a, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must be a matrix (2-d), got {array.ndim}-d of shape {array.shape}"
        )
    return array


def check_tolerance(value: Any, name: str) -> float | None:
    """Return a tolerance as a float; None stays None.

    Raises
    ------
    ValueError
        If it is negative, NaN, or not a scalar.
    """
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a nonnegative number, got {value!r}") from None
    if not number >= 0:
        raise ValueError(f"{name} must be a nonnegative number, got {value!r}")
    return number


def check_weights(weights: Any, m: int, name: str = "weights") -> Array:
    """Return the weights of m rows as a double array, shape (m,).

    Raises
    ------
    ValueError
        If there are not m of them, or one is negative, NaN or infinite.
    """
    array = as_array(weights, name)
    if array.shape != (m,):
        raise ValueError(f"{name} must have shape ({m},), one a row; got {array.shape}")
    if array.dtype.kind == "c" or not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError(f"{name} must be nonnegative and finite")
    return array.astype(np.float64)


def check_finite_magnitude(array: Array, name: str) -> float:
    """Return max |a_ij|.

    Raises
    ------
    ValueError
        If the array holds a NaN or an infinity.
    """
    largest = magnitude(array)
    if not math.isfinite(largest):
        where = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{name} must be finite, got {array[tuple(where)]} at {tuple(int(i) for i in where)}; "
            "drop or impute such entries"
        )
    return largest


def magnitude(array: Array) -> float:
    """Return max |a_ij| (of the parts, where complex); NaN or inf if there is one."""
    matrix = array.reshape(-1, array.shape[-1]) if array.ndim != 2 else array
    return layout.py_magnitude(whole_strides(matrix))


def whole_strides(array: Array) -> Array:
    """Return `array`, or a copy if its strides are not whole elements (a field of a record)."""
    if any(stride % array.itemsize for stride in array.strides) or not array.flags.aligned:
        return array.copy()
    return array


def is_safe(norm: float, dtype: np.dtype[Any]) -> bool:
    """Whether a matrix of that norm, finite and not zero, and its Gram matrix need no scaling."""
    return 0 < norm < math.inf and 2 * abs(math.frexp(norm)[1]) <= _SAFE_EXPONENT[dtype.char]


@dataclass(slots=True)
class Working:
    """The column-major array that is factored in place.

    Attributes
    ----------
    W : ndarray, shape (M, N)
        A, or its conjugate transpose, times ``2**exponent``.
    exponent : int
        0 unless the entries were so large or small that squares of them would be lost.
    """

    W: Array
    exponent: int


def working_copy(
    A: Array,
    name: str,
    *,
    adjoint: bool = False,
    overwrite: bool = False,
    check_finite: bool = True,
) -> Working:
    """Return A or its conjugate transpose in Fortran order, scaled if need be, by a single copy.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides.
    name : str
        How errors call it.
    adjoint : bool
        Whether the conjugate transpose is wanted.
    overwrite : bool
        Use the memory of A itself where its layout allows.
    check_finite : bool
        Whether NaN and infinity raise ValueError.
    """
    largest = check_finite_magnitude(A, name) if check_finite else magnitude(A)
    source = A.T if adjoint else A
    conjugate = adjoint and A.dtype.kind == "c"
    exponent = 0
    if math.isfinite(largest) and largest > 0:
        actual = math.frexp(largest)[1]
        if abs(actual) > _SAFE_EXPONENT[A.dtype.char]:
            limit = _LARGEST_EXPONENT[A.dtype.char]
            exponent = max(-limit, min(limit, -actual))
    in_place = (
        overwrite and source.flags.f_contiguous and source.flags.writeable and source.flags.aligned
    )
    if in_place:
        W = source
        if exponent == 0 and not conjugate:
            return Working(W, 0)
    else:
        W = empty(source.shape, A.dtype)
    layout.py_copy(whole_strides(source), W, math.ldexp(1.0, exponent), conjugate)
    return Working(W, exponent)


def upper(A: Array, k: int) -> Array:
    """Return the first k rows of the upper trapezoid of a Fortran-ordered A, with zeros below."""
    R = empty((k, A.shape[1]), A.dtype)
    layout.py_upper(A, R)
    return R


def unscale(array: Array, exponent: int) -> None:
    """Divide by ``2**exponent`` in place: exact, but for what leaves the range of the dtype."""
    if exponent:
        with np.errstate(over="ignore", under="ignore"):
            for part in (array.real, array.imag) if array.dtype.kind == "c" else (array,):
                np.ldexp(part, -exponent, out=part)
