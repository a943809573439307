"""How many rows of a block `max_memory` allows, and whether a block of a source's choice fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.rows.tsqr import memory
from fastsub.streams.source import Source

# Bytes of a block that is read at once: a fraction of the last cache.
_BLOCK_BYTES = 8 << 20


def bytes_of(max_memory: Any) -> int:
    """Return `max_memory` as a number of bytes."""
    try:
        number = 0 if isinstance(max_memory, (str, bytes)) else int(max_memory)
    except (TypeError, ValueError, OverflowError):  # no number; NaN; infinity
        number = 0
    if number <= 0:
        raise ValueError(f"max_memory must be a number of bytes, got {max_memory!r}")
    return number


def rows_of_blocks(source: Source, max_memory: int, slots: int) -> int:
    """Return the rows of a block that the memory allows, `slots` blocks being in memory."""
    columns = source.columns
    if columns is None:
        return 1 << 16
    # A block is copied where it must be converted, weighted or joined with a column.
    row = max(source.row_bytes, 1) * slots + 2 * 16 * (columns + 2)
    fixed = memory(columns + 2, np.float64)
    step = (max_memory - fixed) // row
    if step < 1:
        raise MemoryError(
            f"max_memory={max_memory:,} bytes is too small: the triangle of {columns} "
            f"columns and its workspace take {fixed:,} bytes, and each row of a block {row:,}"
        )
    wanted = max(_BLOCK_BYTES // (8 * max(columns, 1)), 32 * columns)
    return int(max(1, min(step, wanted)))


def check_block(source: Source, X: Array, y: Any, max_memory: int, slots: int) -> None:
    """Raise MemoryError if blocks as large as (X, y), of the source's own choice, do not fit."""
    if source.row_bytes or source.in_memory:
        return
    columns = X.shape[1] + (0 if y is None else np.size(y) // max(1, len(y)))
    fixed, block = memory(columns, np.float64), X.nbytes + getattr(y, "nbytes", 0)
    if fixed + slots * block > max_memory:
        raise MemoryError(
            f"max_memory={max_memory:,} bytes is too small for blocks of {len(X)} rows: "
            f"{slots} of them take {slots * block:,} bytes, the triangle of "
            f"{columns} columns and its workspace {fixed:,}; yield smaller blocks"
        )
