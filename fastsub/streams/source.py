"""What a stream reads: blocks (X, y or None, weights or None) of rows, from any row on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array

Block = tuple[Any, Any, Any]


class Source(ABC):
    """Rows in blocks.

    Attributes
    ----------
    rows, columns : int or None
        None where only the end will tell, or the first block.
    row_bytes : int
        Memory of a row as it is read; 0 where the source chooses the blocks.
    repeatable : bool
        Whether it can be read again.
    is_shared : bool
        Whether several threads may call `reads` at once.
    by_columns : bool
        Whether a block takes a read for every column.
    in_memory : bool
        Whether its rows take memory that was taken before.
    """

    rows: int | None = None
    columns: int | None = None
    row_bytes = 0
    repeatable = True
    is_shared = False
    by_columns = False
    in_memory = False

    def mark(self) -> str:
        """Return what tells it from other sources, and from itself once changed, unread."""
        return "iterable"

    @abstractmethod
    def blocks(self, first: int, step: int) -> Iterator[Block]:
        """Yield the blocks from row `first` on, of `step` rows where the source can choose."""

    def recycle(self, block: Block) -> None:  # noqa: B027  (most sources have nothing to do)
        """Take back a block of which nothing is needed any more."""

    def checksum(self) -> str:
        """Return what changes with the content, where that is in memory."""
        return ""

    def reads(self, first: int, count: int) -> Array:
        """Return these rows; asked of none but a source that `is_shared`."""
        raise NotImplementedError(f"{type(self).__name__} is not shared: read its blocks")

    def take(self, first: int, step: int) -> Callable[[int], Array]:
        """Return a function of a number of rows: the next rows, fewer only at the end."""
        waiting: deque[Array] = deque()
        blocks = self.blocks(first, step)

        def next_rows(count: int) -> Array:
            parts: list[Array] = []
            while count or not parts:
                if not waiting:
                    block = next(blocks, None)
                    if block is None:
                        break
                    waiting.append(as_array(block[0], "a block beside the rows"))
                rows = waiting.popleft()
                if parts and rows.shape[1:] != parts[0].shape[1:]:
                    raise ValueError(
                        "blocks beside the rows must have one width, got shapes "
                        f"{parts[0].shape} and {rows.shape}"
                    )
                if len(rows) > count:
                    waiting.appendleft(rows[count:])
                    rows = rows[:count]
                parts.append(rows)
                count -= len(rows)
            return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0)

        return next_rows


class Blocks(Source):
    """An iterable of blocks, or a function that returns one: pairs (X, y), triples, or X alone."""

    def __init__(self, iterable: Any) -> None:
        self._iterable = iterable
        self.repeatable = callable(iterable) or iter(iterable) is not iterable

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        iterable = self._iterable() if callable(self._iterable) else self._iterable
        if not isinstance(iterable, Iterable) or isinstance(iterable, Mapping):
            raise TypeError(
                "the function that a stream is made of must return an iterable of blocks, got "
                f"a {type(iterable).__name__}"
            )
        for block in iterable:
            parts = block if isinstance(block, tuple) else (block,)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    f"a block must be X, (X, y) or (X, y, weights), got {len(parts)} parts"
                )
            count = _height(parts[0])
            if first > 0 and count <= first:
                first -= count
                continue
            if first:
                parts = tuple(None if part is None else part[first:] for part in parts)
                first = 0
            yield (*parts, None, None)[:3]


def _height(X: Any) -> int:
    """Return the rows of a block."""
    if hasattr(X, "toarray"):
        as_array(X, "a block")  # says what to do with a sparse one
    try:
        return int(X.shape[0]) if hasattr(X, "shape") else len(X)
    except (TypeError, IndexError):
        raise TypeError(
            f"a block must be a matrix of rows, (X, y) or (X, y, weights), got a {type(X).__name__}"
        ) from None
