"""What is plain enough to be served; everything else raises PassOn with the reason.

The peers take far more than arrays of numbers: masked arrays, subclasses that wrap results, arrays
of other libraries, half and long double precision. None of it is worth a second implementation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.blas import find_best_blas_type

from fastsub.factor.arrays import Array
from fastsub.factor.rank.certificate import Certificate
from fastsub.patch.tally import PassOn

_PRECISIONS = frozenset("fdFD")


def plain(a: Any) -> Array:
    """Return `a` as an ndarray of numbers, not empty, of two or more dimensions, native bytes."""
    if type(a) is not np.ndarray:
        if type(a) not in (list, tuple):
            raise PassOn(f"a {type(a).__name__}, not an array")
        a = np.asarray(a)
    if a.ndim < 2:
        raise PassOn("not a matrix")
    return filled(a)


def plain_right_hand_side(b: Any) -> Array:
    """Return `b` as an ndarray of numbers, not empty, of one or more dimensions."""
    if type(b) is not np.ndarray:
        if type(b) not in (list, tuple):
            raise PassOn(f"a {type(b).__name__}, not an array")
        b = np.asarray(b)
    if b.ndim < 1:
        raise PassOn("not a matrix")
    return filled(b)


def filled(a: Array) -> Array:
    """Return `a` in native byte order, if it holds numbers, and some."""
    if a.dtype.char not in _PRECISIONS and a.dtype.kind not in "biu":
        raise PassOn(f"dtype {a.dtype}")
    if not a.size:
        raise PassOn("an empty array")
    return a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))


def in_lapack_precision(*arrays: Array) -> list[Array]:
    """Return the arrays in the precision that SciPy chooses: single for short integers, too."""
    dtype = find_best_blas_type(arrays)[1]
    return [a.astype(dtype, copy=False) for a in arrays]


def in_one_precision(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the arrays in the precision that `lstsq` of SciPy 1.18 chooses: integers in double."""
    dtype = np.result_type(a, b)
    dtype = dtype if dtype.kind in "fc" else np.dtype(np.float64)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=False)


def in_double(a: Array) -> Array:
    """Return `a` in the precision in which NumPy computes."""
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64, copy=False)


def number(value: Any) -> float | None:
    """Return a tolerance as a float, None as None."""
    if value is None:
        return None
    if np.ndim(value):
        raise PassOn("a tolerance for each matrix")
    return float(value)


def tolerance(value: Any) -> float | None:
    """Return a tolerance as a nonnegative float, None as None."""
    if type(value) is float and value >= 0:
        return value
    tol = number(value)
    if tol is not None and not tol >= 0:
        raise PassOn("a negative or NaN tolerance")
    return tol


def separate(tol: Any, lower: Any, upper: Any, factor: float = 1.0) -> None:
    """Pass on unless both sides of the cutoff are proved, by `factor` from below.

    A singular value nearer to the cutoff than rounding errors may fall on either side of it: there
    the peer's own errors decide, and nobody else can know how.
    """
    if isinstance(tol, float):
        proved = upper <= tol and factor * tol < lower
    else:
        proved = bool(np.all((upper <= tol) & (factor * tol < lower)))
    if not proved:
        raise PassOn("a singular value too near the cutoff")


def believe(certificate: Certificate, factor: float = 1.0) -> None:
    """Pass on unless the certificate separates the two sides."""
    c = certificate
    separate(c.tol, c.sigma_r_lower, c.sigma_next_upper, factor)


def invertible(certificate: Certificate, dtype: np.dtype[Any]) -> None:
    """Pass on where the inverse of a singular value may overflow: the peer warns of it."""
    if np.any(certificate.sigma_r_lower < 4 / np.finfo(dtype).max):
        raise PassOn("an inverse that overflows")


def over_stack(core: Any, arrays: tuple[Array, ...], container: type | None) -> Any:
    """Apply `core` to matrices, or to each of a stack: a tuple becomes a container of stacks.

    A vector among the arrays serves every matrix. SciPy 1.16 and 1.17 make lists, and of one
    result no list at all; None: stacks are not taken.
    """
    if all(a.ndim <= 2 for a in arrays):
        return core(*arrays)
    if container is None:
        raise PassOn("a stack, which this SciPy does not take")
    shape = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    stacks = [np.broadcast_to(a, shape + a.shape[-2:]) if a.ndim > 1 else a for a in arrays]
    results = [
        core(*(s[index] if s.ndim > 1 else s for s in stacks)) for index in np.ndindex(shape)
    ]
    if not isinstance(results[0], tuple):
        return _stacked(results, shape)
    parts = [_stacked(part, shape) for part in zip(*results, strict=True)]
    return container(parts) if len(parts) > 1 or container is tuple else parts[0]


def _stacked(parts: Any, shape: tuple[int, ...]) -> Array | None:
    if parts[0] is None:
        return None
    stack = np.stack(parts)  # ValueError where ranks differ: SciPy is left to say so
    return stack.reshape(shape + stack.shape[1:])
