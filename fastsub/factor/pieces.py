"""Where the matrices of a stack lie, and the loop over them in fixed pieces for threads of our own.

A piece takes its matrices one after the other without the GIL. Pieces are chosen by shape alone, so
the same stack gives the same bits on any number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.parallel import map_pieces

T = TypeVar("T")

# Flops of a piece, about 0.3 ms of them: a thread's start costs a tenth of that.
_PIECE = 3e6
# More pieces than that only cost.
_MOST_PIECES = 128


def places(A: Array, shape: tuple[int, ...] | None = None) -> Array:
    """Return where each matrix of a stack begins, in entries from the first, in C order.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        Of whole strides.
    shape : tuple of int, optional
        A broader stack that this one is broadcast to.
    """
    if shape is not None and shape != A.shape[:-2]:
        A = np.broadcast_to(A, shape + A.shape[-2:])
    if A.ndim == 3:
        return A.strides[0] // A.itemsize * np.arange(len(A), dtype=np.intp)
    at = np.zeros(A.shape[:-2], np.intp)
    for axis in range(at.ndim):
        step = A.strides[axis] // A.itemsize * np.arange(at.shape[axis], dtype=np.intp)
        at += step.reshape(-1, *[1] * (at.ndim - axis - 1))
    return at.ravel()


def for_each(function: Callable[[Array], T], A: Array) -> list[T]:
    """Return ``[function(M) for M in A]``; matrices without entries are all alike: one call then.

    Parameters
    ----------
    function : callable
    A : ndarray, shape (N, m, n)
    """
    if len(A) and not A.size:
        return [function(A[0])] * len(A)
    return [function(M) for M in A]


def in_pieces(work: Callable[[int, int], Any], count: int, m: int, n: int, k: int = 0) -> None:
    """Call ``work(first, last)`` for pieces of `count` matrices of shape (m, n), in threads.

    Parameters
    ----------
    k : int
        How many columns are worked on besides: of a basis, or right-hand sides.
    """
    flops = 4.0 * m * n * (min(m, n) + k) + 40.0 * m * n + 1000.0
    size = max(math.ceil(_PIECE / flops), math.ceil(count / _MOST_PIECES))
    size = 16 * math.ceil(size / 16)  # full vectors
    map_pieces(
        lambda i: work(i * size, min(count, (i + 1) * size)), max(1, math.ceil(count / size))
    )
