"""Rows of a file as units, known by their Gram matrices: read and multiplied by the same threads.

A unit is read piece by piece, each of which stays in the cache of the thread that multiplies it,
and nobody sees its rows again. They are read once more where the Gram matrix will not do, or is one
in other coordinates than the state has come to meanwhile: then whoever adds the unit makes it anew,
of the same pieces, so that the bits do not depend on who was faster.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastsub.factor.arrays import Array, as_array
from fastsub.factor.rows.block_gram import UNIT
from fastsub.streams.reducer import Gram, Reducer
from fastsub.streams.source import Source

# Bytes of a piece, of the second-level cache; most pieces of a unit: as rows/block_gram.py allows.
_PIECE_BYTES, _PIECES = 1 << 20, 8
# The least rows of a piece where every column is a read of its own.
_RUN = 1 << 12


class Unit(NamedTuple):
    """Rows from `row` on: their Gram matrix, or themselves where none was asked for."""

    row: int
    height: int
    gram: Gram | None
    X: Array | None
    y: Array | None
    first: tuple[Array, Array | None]
    last: tuple[Array, Array | None]


class Units:
    """The units of a source and right-hand sides, both of which threads may share.

    Parameters
    ----------
    source, b : Source
        The latter may be None.
    step : int
        The most rows of a unit.
    """

    def __init__(self, source: Source, b: Source | None, step: int) -> None:
        assert source.rows is not None
        self._source, self._b = source, b
        self._rows, self._step = source.rows, min(step, UNIT)
        least = _RUN if source.by_columns else 1
        piece = max(_PIECE_BYTES // max(source.row_bytes, 1), -(-self._step // _PIECES), least)
        self._piece = piece

    def starts(self, first: int) -> range:
        """Return where the units from a row on begin."""
        return range(first, self._rows, self._step)

    def row(self, at: int) -> tuple[Array, Array | None]:
        """Return one row, and what is beside it."""
        X, y = self._read(at, 1)
        row = X.copy(), y
        self._source.recycle((X, None, None))
        return row

    def load(self, row: int, reducer: Reducer) -> Unit:
        """Return the unit that begins with a row, for a state like that of the reducer."""
        height = min(self._step, self._rows - row)
        gram = self._gram(reducer, row, height, None, None)
        X, y = (None, None) if gram is not None else self._read(row, height)
        return Unit(row, height, gram, X, y, self.row(row), self.row(row + height - 1))

    def add(self, unit: Unit, reducer: Reducer) -> None:
        """Add the rows of a unit to those of a reducer."""
        row, height, gram, X, y, like, _ = unit
        if gram is None or gram[1] is not reducer.coordinates:
            gram = self._gram(reducer, row, height, X, y)
        if gram is None or not reducer.take(gram, *_converted(*like), height):
            if X is None:
                X, y = self._read(row, height)
            reducer.partial_fit(X, y, _gram=gram)
        if X is not None:
            self._source.recycle((X, None, None))

    def _gram(
        self, reducer: Reducer, row: int, height: int, X: Array | None, y: Array | None
    ) -> Gram | None:
        """Return the Gram matrix of a unit, if the reducer asks for it; X and y where known."""
        total = None
        for at in range(0, height, self._piece):
            end = min(at + self._piece, height)
            if X is None:
                part, side = self._read(row + at, end - at)
            else:
                part, side = X[at:end], None if y is None else y[at:end]
            gram = reducer.gram_of(*_converted(part, side), height)
            if X is None:
                self._source.recycle((part, None, None))
            if gram is None:
                return None
            total = gram if total is None else (np.add(total[0], gram[0], out=gram[0]), gram[1])
        return total

    def _read(self, first: int, count: int) -> tuple[Array, Array | None]:
        b: Any = self._b
        return self._source.reads(first, count), None if b is None else b.reads(first, count)


def _converted(X: Array, y: Array | None) -> tuple[Array, Array | None]:
    """Return both in the dtype that is computed with."""
    X = as_array(X)
    if y is None:
        return X, None
    y = as_array(y)
    dtype = np.result_type(X, y)
    return X.astype(dtype, copy=False), y.astype(dtype, copy=False)
