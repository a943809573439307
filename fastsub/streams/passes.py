"""One pass over the rows: it can be interrupted between any two instructions, and goes on.

What is reduced, and how far, changes by one assignment (`_Reached`): an interrupt finds a whole
number of blocks reduced. Whoever resumes reads the last row once more: it must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array, as_matrix
from fastsub.factor.parallel import thread_count
from fastsub.streams.prefetch import Prefetch
from fastsub.streams.reducer import Reducer
from fastsub.streams.source import Block, Blocks, Source
from fastsub.streams.units import Unit, Units


@dataclass(frozen=True)
class _Reached:
    """A reducer, the ends of its rows by name, and the blocks of the present reading ahead."""

    reducer: Reducer = field(default_factory=Reducer)
    ends: dict[str, Array] = field(default_factory=dict)
    blocks: int = 0


class Pass:
    """One pass over a source, with what lies beside its rows.

    Parameters
    ----------
    source, b, weights : Source
        The latter two may be None.
    intercept : bool
        Put a column of ones before the others.
    mark : str
        What tells it from passes over other things.
    given : object
        What b was made of.
    """

    def __init__(
        self,
        source: Source,
        b: Source | None,
        weights: Source | None,
        intercept: bool,
        mark: str,
        given: Any,
    ) -> None:
        self.source, self.b, self.weights, self.intercept = source, b, weights, intercept
        self.mark, self.given = mark, given
        self.complete = False
        self._reached = _Reached()
        self._ahead: Prefetch | None = None
        self._units: Units | None = None

    @property
    def reducer(self) -> Reducer:
        return self._reached.reducer

    @property
    def ends(self) -> dict[str, Array]:
        """First and last row, and what was beside the last one."""
        return self._reached.ends

    @property
    def columns(self) -> int | None:
        n = self.reducer.columns
        return None if n is None else n - self.intercept

    def restore(self, arrays: dict[str, Array]) -> None:
        """Go on from what a checkpoint holds."""
        ends = {name: array for name, array in arrays.items() if name.startswith(_ENDS)}
        self._reached = _Reached(Reducer.from_arrays(arrays), ends)

    def to_arrays(self) -> dict[str, Array]:
        """Return what `restore` takes."""
        reached = self._reached
        return reached.reducer.to_arrays() | reached.ends

    def go_on(self, step: int, slots: int, check: Callable[[Any, Any], None]) -> Iterator[int]:
        """Reduce block by block, and yield the number of rows after each.

        Parameters
        ----------
        step : int
            Rows of a block.
        slots : int
            Blocks in memory; 1: nothing is read ahead.
        check : callable
            Says of a block X and its y whether they are too large.
        """
        if self._ahead is None:
            self._reached = _Reached(self.reducer, self.ends)
            self._ahead = self._read_ahead(step, slots)
        while (block := self._ahead.get(self._reached.blocks)) is not None:
            if isinstance(block, Unit):
                self._add_unit(block)
            else:
                self._add(block, check)
                self.source.recycle(block)
            yield self.reducer.rows
        self._ahead = None

    def pause(self) -> None:
        """End the reading ahead; what a generator yielded cannot be had again: all else can."""
        beside = (self.source, self.b, self.weights)
        if all(each is None or each.repeatable for each in beside):
            self.close()

    def close(self) -> None:
        """End the reading ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()

    def _add(self, block: Block, check: Callable[[Any, Any], None]) -> None:
        X, y, weights = block
        X = as_matrix(X, "X")
        check(X, y)
        reached = self._reached
        reducer, ends = copy(reached.reducer), reached.ends
        if len(X) or reducer.columns is None:
            rows = X
            if self.intercept:
                rows = np.concatenate([np.ones((len(X), 1), X.dtype), X], axis=1)
            reducer.partial_fit(rows, y, weights)
        if len(X):
            ends = ends if reducer.rows > len(X) else {"first_row": np.array(X[0])}
            ends = ends | _last(X, y, weights)
        self._reached = _Reached(reducer, ends, reached.blocks + 1)

    def _add_unit(self, unit: Unit) -> None:
        assert self._units is not None
        reached, reducer = self._reached, copy(self.reducer)
        self._units.add(unit, reducer)
        ends = reached.ends if unit.row else {"first_row": unit.first[0][0]}
        ends = ends | _last(*unit.last, None)
        self._reached = _Reached(reducer, ends, reached.blocks + 1)

    def _read_ahead(self, step: int, slots: int) -> Prefetch:
        """Return the blocks; of a file units, multiplied by the threads that read them."""
        source, b, first = self.source, self.b, self.reducer.rows
        shared = source.is_shared and not source.in_memory and (b is None or b.is_shared)
        if self.weights is not None or self.intercept or slots == 1 or not shared:
            return Prefetch(_blocks(source, b, self.weights, step, first, self.ends), slots)
        units = self._units = Units(source, b, step)
        if first:
            _check_same((*units.row(first - 1), None), self.ends, first - 1)
        slots = max(slots, 2 * thread_count())
        return Prefetch(
            iter(units.starts(first)),
            slots,
            lambda row: units.load(row, self.reducer),
            thread_count(),
        )


_ENDS = ("first_row", "last_")


def _last(X: Any, y: Any, weights: Any) -> dict[str, Array]:
    """Return the last row of a block, and what is beside it."""
    parts = {"last_row": X, "last_y": y, "last_weight": weights}
    return {name: np.array(as_array(part)[-1]) for name, part in parts.items() if part is not None}


def _check_same(block: Block, ends: dict[str, Array], row: int) -> None:
    """Raise ValueError if a block does not begin with the last row of what was reduced."""
    found = {} if block[0] is None else _last(*(None if x is None else x[:1] for x in block))
    names = {name for name in ends if name.startswith("last_")}
    if found.keys() != names or not all(np.array_equal(found[name], ends[name]) for name in names):
        raise ValueError(
            f"row {row} of the source, or what is beside it, is not what was reduced: to begin "
            "anew, make a new stream, with no checkpoint or another one"
        )


def _blocks(
    source: Source,
    b: Source | None,
    weights: Source | None,
    step: int,
    done: int,
    ends: dict[str, Array],
) -> Iterator[Block]:
    """Yield blocks with their parts of b and of the weights, after the rows that are done."""
    row = max(0, done - 1)
    takers = [None if beside is None else beside.take(row, step) for beside in (b, weights)]
    blocks = source.blocks(row, step)
    if done and not isinstance(source, Blocks):
        # The blocks to come are those of a pass that was not interrupted: it gives the same bits.
        last = [(X[:1], None, None) for X, _, _ in islice(blocks, 1)]
        blocks = chain(last, source.blocks(done, step))
    for X, *given in blocks:
        parts: list[Any] = [X]
        for name, part, take in zip(("b", "weights"), given, takers, strict=True):
            if take is not None and part is not None:
                raise ValueError(f"the blocks bring their own {name}: do not give it again")
            if take is not None:
                part = take(len(X))
                if len(part) != len(X):
                    raise ValueError(
                        f"{name} has {row + len(part)} rows, the matrix has more; the rows "
                        "before this block are kept"
                    )
            parts.append(part)
        if row < done and len(X):
            _check_same((parts[0], parts[1], parts[2]), ends, row)
            parts = [None if part is None else part[1:] for part in parts]
        row += len(X)
        if row > done or not done:
            yield parts[0], parts[1], parts[2]
    if row < done:
        _check_same((None, None, None), ends, row)
    for name, take in zip(("b", "weights"), takers, strict=True):
        if take is not None and len(take(1)):
            raise ValueError(f"{name} has more rows than the matrix, which has {row}")
