"""What the workers do: functions of arrays and reducers, which know nothing of dask."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix
from fastsub.factor.products import product
from fastsub.streams.range import divide
from fastsub.streams.reduced import Reduced
from fastsub.streams.reducer import Reducer


def reduce_block(X: Any, y: Any, number: int, row: float, shape: tuple[float, float]) -> Reducer:
    """Return the reducer of block `number`, which begins with `row` and has `shape`, if known."""
    try:
        _check_shape(X, shape)
        return Reducer().partial_fit(X, y)
    except ValueError as error:
        begin = "" if math.isnan(row) else f", which begins with row {row}"
        raise ValueError(f"in block {number} of the rows{begin}: {error}") from None


def merge(reducers: list[Reducer]) -> Reducer:
    """Return the reducer of all rows of some."""
    total = Reducer()
    for reducer in reducers:
        total.merge(reducer)
    return total


def finish(reducer: Reducer, rtol: float | None, tol: float | None) -> Reduced:
    """Return what the triangle of all rows says."""
    return reducer.result(rtol, tol=tol)


def times(X: Any, transform: Array) -> Array:
    """Return a block of rows times a matrix."""
    X = as_matrix(X, "X")
    _check_shape(X, (math.nan, len(transform)))
    return product(X.astype(transform.dtype, copy=False), transform)


def divided(X: Any, transform: Array, K: Array) -> Array:
    """Return (X transform) K^-1."""
    return divide(times(X, transform), K)


def total(parts: list[Array]) -> Array:
    """Return the sum of some arrays."""
    return sum(parts[1:], parts[0])


def at_least_1d(x: Any) -> Array:
    """Return a number as an array."""
    return np.atleast_1d(x)


def _check_shape(X: Any, shape: tuple[float, float]) -> None:
    found = getattr(X, "shape", shape)
    for have, want in zip(found, shape, strict=False):
        if not math.isnan(want) and have != want:
            raise ValueError(f"it has shape {found}, its dask array says {shape}")
