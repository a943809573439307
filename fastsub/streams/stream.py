"""A matrix that is read block of rows by block of rows, once."""

from __future__ import annotations

import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix, check_tolerance
from fastsub.html import card
from fastsub.streams import budget
from fastsub.streams import checkpoint as files
from fastsub.streams.passes import Pass
from fastsub.streams.reducer import Reducer
from fastsub.streams.source import Source
from fastsub.streams.sources import open_beside, open_source

# Blocks in hand: one is computed with, one is ready, one is being read.
_SLOTS = 3
# Seconds.
_CHECK_EVERY = 30.0

Progress = Callable[[int, int | None], object]


class Stream:
    """Rows of a matrix that need not fit in memory; made by `fastsub.stream`.

    Attributes
    ----------
    shape : tuple of int or None
        None where only the end will tell, or the first block.
    rows_done : int
        Rows that the last pass has reduced.
    max_memory : int
    """

    def __init__(
        self,
        source: Any,
        max_memory: int,
        weights: Any,
        checkpoint: Any,
        every: float,
        progress: Progress | None,
        read_ahead: bool,
    ) -> None:
        self.max_memory = budget.bytes_of(max_memory)
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be a function of rows done and rows, got {progress!r}")
        self._source = open_source(source)
        if self._source.columns is None and self._source.rows is not None:
            raise ValueError("rows must come from a matrix (2-d), got a vector")
        self._weights = None if weights is None else open_beside(weights, "weights")
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self._every = check_tolerance(every, "checkpoint_every") or 0.0
        self._progress = progress
        self._slots = _SLOTS if read_ahead else 1
        self._passes: list[Pass] = []
        self._started = False
        self._mark: str | None = None
        self._check_rows(self._weights, "weights")

    @property
    def shape(self) -> tuple[int | None, int | None]:
        rows, columns = self._source.rows, self._source.columns
        for run in self._passes:
            columns = run.columns if columns is None else columns
            if run.complete:
                rows = run.reducer.rows
        return rows, columns

    @property
    def names(self) -> list[str] | None:
        """Names of the columns, where the source has them."""
        return getattr(self._source, "names", None)

    @property
    def rows_done(self) -> int:
        return self._passes[-1].reducer.rows if self._passes else 0

    def __repr__(self) -> str:
        m, n = ("?" if x is None else x for x in self.shape)
        return f"<Stream of {m} x {n}: {self.rows_done} rows done>"

    def _repr_html_(self) -> str:
        rows = {"rows done": self.rows_done, "memory, at most": f"{self.max_memory} bytes"}
        return card(repr(self), rows | {"columns": self.names})

    def row_blocks(self, first: int = 0) -> Iterator[Array]:
        """Yield the blocks of X from row `first` on; each is good until the next is asked for.

        Raises
        ------
        ValueError
            Rows that are weighted; other rows than those of a pass before.
        """
        self.restartable("reading")
        self._check_unchanged()
        self._started = True
        (m, n), row = self.shape, first
        ends = next((run.ends for run in self._passes if run.complete), {})
        wanted: dict[int, Any] = {0: ends.get("first_row"), (m or 0) - 1: ends.get("last_row")}
        for block in self._source.blocks(first, self._step()):
            X = as_matrix(block[0], "a block")
            if self._weights is not None or block[2] is not None:
                raise ValueError(
                    "the column side of rows with weights is not read: multiply the rows "
                    "themselves by the roots of the weights"
                )
            n = X.shape[1] if n is None else n
            for at, end in wanted.items():
                if row <= at < row + len(X) and end is not None:
                    _check_rows(X[at - row].shape == end.shape and (X[at - row] == end).all(), m, n)
            row += len(X)
            _check_rows((not len(X) or X.shape[1] == n) and (m is None or row <= m), m, n)
            yield X
            self._source.recycle(block)
        _check_rows(m is None or row == m, m, n)
        self._check_unchanged()

    # ---- one pass ----

    def reduce(self, b: Any = None, *, intercept: bool = False) -> Reducer:
        """Return the reducer of all rows, of pass after pass the same object.

        Parameters
        ----------
        b : array_like or source, optional
            Right-hand sides, where the blocks do not bring them.
        intercept : bool
            Put a column of ones before the others.

        Raises
        ------
        KeyboardInterrupt, and whatever the source raises
            What was reduced until then is kept, here and in the checkpoint: the next call goes on.
        """
        run = self._pass_of(b, intercept)
        if run.complete:
            return run.reducer
        saved, total = time.monotonic(), self._source.rows
        try:
            self._check_unchanged()
            self._started = True
            for rows in run.go_on(self._step(), self._slots, self._check_block):
                if self._progress is not None:
                    self._progress(rows, total)
                if self._checkpoint is not None and time.monotonic() - saved >= self._every:
                    self._save(run)
                    saved = time.monotonic()
            self._check_unchanged()
        except BaseException:  # Ctrl-C, and whatever a source raises: what is done is kept
            run.pause()
            self._save(run)
            raise
        self._check_agreement(run)
        run.complete = True
        self._save(run)
        return run.reducer

    def _pass_of(self, b: Any, intercept: bool) -> Pass:
        """Return the pass that has reduced the same, or has begun to."""
        for run in self._passes:
            if b is None and run.complete and run.intercept == intercept:
                return run
        given, b = b, None if b is None else open_beside(b, "b")
        sides = [
            None if side is None else f"{side.mark()} {side.checksum()}"
            for side in (b, self._weights)
        ]
        mark = f"{self._source.mark()}; b: {sides[0]}; weights: {sides[1]}; ones: {intercept}"
        for run in self._passes:
            kept = b is None or b.mark() != "iterable" or run.given is given
            if kept and run.mark == mark:
                return run
        self._check_rows(b, "b")
        self.restartable("another pass")
        run = Pass(self._source, b, self._weights, intercept, mark, given)
        if self._checkpoint is not None:
            files.check(self._checkpoint)
            if self._checkpoint.exists():
                self._restore(run)
        self._passes.append(run)
        # Threads that wait for a slot hold blocks, and would for ever.
        weakref.finalize(self, run.close).atexit = False
        return run

    def restartable(self, what: str) -> None:
        """Raise ValueError if rows are needed again that can be had once."""
        if self._started and not self._source.repeatable:
            raise ValueError(
                f"{what} needs the rows once more, but a generator yields them once: pass a "
                "function that returns a new one, or a source that can be read again"
            )

    def _check_rows(self, beside: Source | None, name: str) -> None:
        rows = self._source.rows
        if beside is not None and None not in (rows, beside.rows) and rows != beside.rows:
            raise ValueError(
                f"{name} must have a row for each of the {rows} rows, got {beside.rows}"
            )

    def _check_unchanged(self) -> None:
        """Raise ValueError if the source, unread, is not what it was when it was read first."""
        mark = self._source.mark()
        if self._mark is None:
            self._mark = mark
        if mark != self._mark:
            raise ValueError(
                f"the source has changed since it was read first ({self._mark!r}, now {mark!r}): "
                "make a new stream of it"
            )

    def _check_agreement(self, run: Pass) -> None:
        """Raise ValueError if a pass has seen other rows than one before."""
        for other in self._passes:
            if other.complete:
                same = run.reducer.rows == other.reducer.rows and all(
                    np.array_equal(run.ends.get(end, ()), other.ends.get(end, ()))
                    for end in ("first_row", "last_row")
                )
                _check_rows(same, other.reducer.rows, other.columns)

    def _step(self) -> int:
        return budget.rows_of_blocks(self._source, self.max_memory, self._slots)

    def _check_block(self, X: Any, y: Any) -> None:
        budget.check_block(self._source, X, y, self.max_memory, self._slots)

    # ---- checkpoint ----

    def _save(self, run: Pass) -> None:
        if self._checkpoint is None or not run.reducer.rows:
            return
        try:
            files.save(self._checkpoint, run.to_arrays(), run.mark)
        except OSError as error:
            # Hours of work are not given up for want of space: they are still here.
            warnings.warn(
                f"the checkpoint {self._checkpoint} could not be written ({error}); the "
                f"{run.reducer.rows} rows that are done are kept by the stream alone",
                RuntimeWarning,
                stacklevel=4,
            )

    def _restore(self, run: Pass) -> None:
        assert self._checkpoint is not None
        if not self._source.repeatable:
            raise ValueError(
                f"there is a checkpoint, {self._checkpoint}, but a generator yields its rows once: "
                "to resume, pass a function that returns a new one, or a source that can be read "
                "again; to begin anew, delete the file"
            )
        run.restore(files.load(self._checkpoint, run.mark))
        # The last row is compared by whoever reads on.
        first = next(self._source.blocks(0, self._step()), (None,))[0]
        if first is None or not np.array_equal(
            np.asarray(first)[:1].ravel(), run.ends["first_row"]
        ):
            raise ValueError(
                f"the checkpoint {self._checkpoint} does not fit: row 0 of the source is "
                "not what was reduced; delete it to begin anew"
            )


def _check_rows(same: Any, m: int | None, n: int | None) -> None:
    if not same:
        raise ValueError(
            f"the source does not yield the {m} rows of {n} numbers that it yielded before: what "
            "is read twice must be the same both times"
        )


def stream(
    source: Any,
    *,
    max_memory: int = 1 << 28,
    weights: Any = None,
    checkpoint: Any = None,
    checkpoint_every: float = _CHECK_EVERY,
    progress: Progress | None = None,
    read_ahead: bool = True,
) -> Stream:
    """Return a matrix that is read in blocks of rows, for functions that need one pass over it.

    Parameters
    ----------
    source : array, path, dataset, iterable or callable
        An array or memory map, an HDF5 dataset or a Zarr array, shape (m, n); the path of a
        ``.npy``, ``.parquet``, ``.csv`` or ``.tsv`` file; an iterable of blocks X, (X, y) or
        (X, y, weights), or a function that returns such an iterable.
    max_memory : int, default 256 MiB
        Bytes that blocks, the triangle and its workspace may take, beyond the interpreter.
    weights : array_like or source, shape (m,), optional
        Of the rows.
    checkpoint : path, optional
        A file (``.npz``) that the state is written to, every so often and when anything interrupts;
        if it exists, reading goes on where it ended.
    checkpoint_every : float, default 30
        Seconds.
    progress : callable, optional
        Called after every block with the rows done and all rows, None where these are not known.
    read_ahead : bool, default True
        Let a thread read blocks while others are computed with.

    Returns
    -------
    Stream
        For `matrix_rank`, `null_space`, `row_space`, `orth`, `lstsq`, `rref`, `identifiability` and
        `fundamental_subspaces`. It remembers what it read: a second question costs no second pass.

    Raises
    ------
    TypeError
        If nothing yields rows.
    ValueError
        A vector, weights that do not fit. Reading raises it for NaN and infinity (naming the row),
        blocks that do not fit, a file that is too short, a checkpoint of something else; what was
        reduced before is kept.
    MemoryError
        Where `max_memory` is too small for a triangle and a block; the message says the sizes.

    See Also
    --------
    Reducer : the same, driven by another engine.

    Notes
    -----
    Cost: one pass over the rows, m n^2 to 2 m n^2 flops, and O(n^2) memory beside the blocks. The
    backward error is that of Householder QR, whatever the blocks [1]_. Not for matrices with more
    columns than fit as a square.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and
       LU factorizations, SIAM J. Sci. Comput. 34 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> blocks = [np.array([[1, 2], [3, 6]]), np.array([[4, 8]])]
    >>> A = fastsub.stream(blocks)
    >>> fastsub.matrix_rank(A), fastsub.null_space(A).shape
    (1, (2, 1))
    """
    return Stream(source, max_memory, weights, checkpoint, checkpoint_every, progress, read_ahead)
