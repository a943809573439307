"""Trees of tasks: blocks of whole rows, a reducer for each, merged a few at a time.

Every task is pure, which makes its key one of its inputs: the same call on the same array is the
same task.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastsub.dask import tasks
from fastsub.extras import load
from fastsub.factor.arrays import as_array
from fastsub.factor.gram import gram_matrix
from fastsub.streams.range import cholesky_of, to_orthonormal

# What is lazy has no types that a checker could follow.
da: Any = load("dask.array", "dask", "fastsub.dask needs")
dask: Any = load("dask", "dask", "fastsub.dask needs")
delayed: Any = partial(dask.delayed, pure=True)
clone: Any = load("dask.graph_manipulation", "dask", "fastsub.dask needs").clone

# Triangles that one task merges.
_FAN = 8


def rows_of(A: Any, name: str) -> Any:
    """Return A in blocks of whole rows, of no more bytes than its largest chunk has."""
    if not isinstance(A, da.Array):
        way = "fastsub itself has the same functions for arrays"
        if hasattr(A, "to_dask_array"):
            way = f"pass {name}.to_dask_array(lengths=True)"
        raise TypeError(f"{name} must be a dask array, got {type(A).__name__}; {way}")
    if A.ndim != 2:
        raise ValueError(f"{name} must be a matrix (2-d), got {A.ndim}-d of shape {A.shape}")
    if A.numblocks[1] > 1 and is_unknown(A):
        A = A.rechunk({1: -1})
    elif A.numblocks[1] > 1:
        most = max(A.chunks[0]) * max(A.chunks[1]) // max(1, A.shape[1])
        A = A.rechunk({0: max(1, min(most, max(A.chunks[0]))), 1: -1})
    return A


def beside(b: Any, A: Any) -> Any:
    """Return right-hand sides in the blocks of rows that A has."""
    if not isinstance(b, da.Array):
        b = as_array(b, "b")
    if b.ndim not in (1, 2):
        raise ValueError(f"b must be a vector or a matrix, got {b.ndim}-d")
    if is_unknown(A) or (isinstance(b, da.Array) and is_unknown(b)):
        if not isinstance(b, da.Array) or b.numblocks[0] != A.numblocks[0]:
            raise ValueError(
                "the rows of a and b are in blocks of unknown sizes, not as many of one as of the "
                "other: call compute_chunk_sizes() on dask arrays first"
            )
        return b.rechunk({1: -1}) if b.ndim == 2 else b
    if A.shape[0] != b.shape[0]:
        raise ValueError(
            f"a and b must have the same number of rows, got {A.shape[0]} and {b.shape[0]}"
        )
    chunks = (A.chunks[0], *((-1,) if b.ndim == 2 else ()))
    return b.rechunk(chunks) if isinstance(b, da.Array) else da.from_array(b, chunks=chunks)


def is_unknown(A: Any) -> bool:
    """Whether dask does not know how many rows the blocks have."""
    return any(map(math.isnan, A.chunks[0]))


def working_type(A: Any) -> Any:
    """Return the dtype of what is computed with A."""
    return as_array(np.empty(0, A.dtype)).dtype


def reducer_of(A: Any, b: Any = None) -> Any:
    """Return the reducer of all rows as a Delayed."""
    blocks = blocks_of(A)
    sides = [None] * len(blocks) if b is None else b.to_delayed().reshape(-1).tolist()
    row, parts = 0, []
    for number, (block, side) in enumerate(zip(blocks, sides, strict=True)):
        rows = A.chunks[0][number]
        shape = rows, A.shape[1]
        parts.append(delayed(tasks.reduce_block)(block, side, number, row, shape))
        row += rows
    return _fold(parts, tasks.merge)


def result_of(A: Any, b: Any, rtol: float | None, tol: float | None) -> Any:
    """Return what the triangle of all rows says, a Delayed."""
    return delayed(tasks.finish)(reducer_of(A, b), rtol, tol)


def orthonormal(A: Any, result: Any) -> Any:
    """Return a basis of the column space, a dask array in the blocks of A.

    Each time, the blocks are other tasks than before: else the scheduler would keep all of them
    for the next time.
    """
    transform = delayed(to_orthonormal)(result)
    # Optimised first: cloning loses tasks of slices that nobody needs.
    (plain,) = dask.optimize(A)
    second, third = (blocks_of(clone(plain, seed=f"fastsub {time}")) for time in (2, 3))
    squares = [delayed(_gram)(block, transform) for block in second]
    K = delayed(cholesky_of)(_fold(squares, tasks.total))
    parts = [
        da.from_delayed(
            delayed(tasks.divided)(block, transform, K), (rows, math.nan), working_type(A)
        )
        for block, rows in zip(third, A.chunks[0], strict=True)
    ]
    return da.concatenate(parts, axis=0, allow_unknown_chunksizes=True)


def blocks_of(A: Any) -> list[Any]:
    """Return the blocks of rows, Delayed."""
    blocks: list[Any] = A.to_delayed()[:, 0].tolist()
    return blocks


def _gram(X: Any, transform: Any) -> Any:
    return gram_matrix(tasks.times(X, transform))


def _fold(parts: list[Any], join: Callable[[list[Any]], Any]) -> Any:
    """Combine Delayed objects as a tree."""
    while len(parts) > 1:
        parts = [delayed(join)(parts[i : i + _FAN]) for i in range(0, len(parts), _FAN)]
    return parts[0]
