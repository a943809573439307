"""A matrix that is read block of rows by block of rows, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix
from fastsub.factor.parallel import thread_count
from fastsub.factor.rows.tsqr import memory
from fastsub.html import card
from fastsub.streams import checkpoint as files
from fastsub.streams.prefetch import Prefetch
from fastsub.streams.reducer import Reducer
from fastsub.streams.sources import Block, Mapped, Source, open_source

# Blocks in hand: one is computed with, one is ready, one is being read.
_SLOTS = 3
# Bytes of a block that is read at once: a fraction of the last cache.
_BLOCK_BYTES = 8 << 20
# The same where it is multiplied by whoever read it: of the second-level cache.
_HOT_BYTES = 1 << 20
# Seconds.
_CHECK_EVERY = 30.0

Progress = Callable[[int, int | None], object]


@dataclass(eq=False)
class _Run:
    """One pass: what it reduces, how far it is, and what was read ahead of a generator."""

    b: Any
    intercept: bool
    mark: str
    reducer: Reducer
    ends: tuple[Array, Array] | None = None
    complete: bool = False
    ahead: Prefetch | None = None


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
        if not max_memory > 0:
            raise ValueError(f"max_memory must be a number of bytes, got {max_memory!r}")
        self._source = open_source(source)
        if self._source.columns is None and self._source.rows is not None:
            raise ValueError("rows must come from a matrix (2-d), got a vector")
        self._weights = None if weights is None else open_source(weights)
        self.max_memory = int(max_memory)
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self._every, self._progress = every, progress
        self._slots = _SLOTS if read_ahead else 1
        self._read_ahead = read_ahead
        self._runs: list[_Run] = []
        self._started = False
        self._check_rows(self._weights, "weights")

    @property
    def shape(self) -> tuple[int | None, int | None]:
        rows, columns = self._source.rows, self._source.columns
        for run in self._runs:
            columns = columns or (run.reducer.columns or 0) - run.intercept
            if run.complete:
                rows = run.reducer.rows
        return rows, columns

    @property
    def names(self) -> list[str] | None:
        """Names of the columns, where the source has them."""
        return getattr(self._source, "names", None)

    @property
    def rows_done(self) -> int:
        return self._runs[-1].reducer.rows if self._runs else 0

    def __repr__(self) -> str:
        m, n = ("?" if x is None else x for x in self.shape)
        return f"<Stream of {m} x {n}: {self.rows_done} rows done>"

    def _repr_html_(self) -> str:
        rows = {"rows done": self.rows_done, "memory, at most": f"{self.max_memory} bytes"}
        return card(repr(self), rows | {"columns": self.names})

    def row_blocks(self, first: int = 0) -> Iterator[Array]:
        """Yield the blocks of X from row `first` on; each is good until the next is asked for."""
        self.restartable("reading")
        self._started = True
        for block in self._source.blocks(first, self._step()):
            yield as_matrix(block[0], "a block")
            self._source.recycle(block)

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
        run = self._run_of(b, intercept)
        if run.complete:
            return run.reducer
        try:
            self._go_on(run)
        except BaseException:
            # What a generator yielded cannot be had again; all else can.
            if run.ahead is not None and self._source.repeatable:
                run.ahead.close()
                run.ahead = None
            self._save(run)
            raise
        run.complete = True
        self._save(run)
        return run.reducer

    def _run_of(self, b: Any, intercept: bool) -> _Run:
        b = None if b is None else open_source(b)
        sides = [
            None if side is None else f"{side.mark} {side.checksum()}"
            for side in (b, self._weights)
        ]
        mark = f"{self._source.mark}; b: {sides[0]}; weights: {sides[1]}; ones: {intercept}"
        for run in self._runs:
            same = run.mark == mark and (b is None or b.mark != "iterable")
            if same or (b is None and run.complete and run.intercept == intercept):
                return run
        self._check_rows(b, "b")
        self.restartable("another pass")
        run = _Run(b, intercept, mark, Reducer())
        if self._checkpoint is not None and self._checkpoint.exists():
            self._load(run)
        self._runs.append(run)
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

    def _go_on(self, run: _Run) -> None:
        if run.ahead is None:
            run.ahead = self._ahead(run)
            self._started = True
        last = time.monotonic()
        total = self._source.rows
        while (block := run.ahead.get()) is not None:
            self._reduce_block(run, block)
            run.ahead.done()
            self._source.recycle(block)
            if self._progress is not None:
                self._progress(run.reducer.rows, total)
            if self._checkpoint is not None and time.monotonic() - last >= self._every:
                self._save(run)
                last = time.monotonic()
        run.ahead = None

    def _ahead(self, run: _Run) -> Prefetch:
        """Return the blocks; of a file, each with its Gram matrix, made where it was read.

        Then two threads read and multiply, block by block, while the rows are in their caches.
        """
        source, b, first = self._source, run.b, run.reducer.rows
        simple = self._weights is None and not run.intercept and self._read_ahead
        shared = isinstance(source, Mapped) and (b is None or b.is_shared)
        if not (simple and shared):
            return Prefetch(self._blocks(b, first), self._slots)
        assert source.rows is not None
        assert source.columns is not None
        step = min(self._step(), max(_HOT_BYTES // source.row_bytes, 32 * source.columns, 1))
        rows = source.rows

        def load(row: int) -> tuple[Any, ...]:
            count = min(step, rows - row)
            X = source.reads(row, count)
            y = None if b is None else b.reads(row, count)
            return X, y, None, run.reducer.gram_of(X, y)

        slots = max(self._slots, 2 * thread_count())
        return Prefetch(iter(range(first, rows, step)), slots, load, thread_count())

    def _reduce_block(self, run: _Run, block: Any) -> None:
        X, y, weights, *gram = block
        self._check_block(X, y)
        if len(X) == 0 and run.reducer.columns is not None:
            return
        if run.intercept:
            X = as_matrix(X, "X")
            X = np.concatenate([np.ones((len(X), 1), X.dtype), X], axis=1)
        before = run.reducer.rows
        run.reducer.partial_fit(X, y, weights, _gram=gram[0] if gram else None)
        if len(X):
            first = np.array(X[0]) if before == 0 or run.ends is None else run.ends[0]
            run.ends = first, np.array(X[-1])

    def _blocks(self, b: Source | None, first: int) -> Iterator[Block]:
        """Yield blocks with their parts of b and of the weights."""
        step = self._step()
        takers = [
            None if beside is None else beside.take(first, step) for beside in (b, self._weights)
        ]
        row = first
        for X, *given in self._source.blocks(first, step):
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
            row += len(X)
            yield tuple(parts)
        for name, take in zip(("b", "weights"), takers, strict=True):
            if take is not None and len(take(1)):
                raise ValueError(f"{name} has more rows than the matrix, which has {row}")

    # ---- memory ----

    def _step(self) -> int:
        """Return the rows of a block that the memory allows."""
        columns, row_bytes = self._source.columns, self._source.row_bytes
        if columns is None:
            return 1 << 16
        # A block is copied where it must be converted, weighted or joined with a column.
        row = max(row_bytes, 1) * self._slots + 2 * 16 * (columns + 2)
        fixed = memory(columns + 2, np.float64)
        step = (self.max_memory - fixed) // row
        if step < 1:
            raise MemoryError(
                f"max_memory={self.max_memory:,} bytes is too small: the triangle of {columns} "
                f"columns and its workspace take {fixed:,} bytes, and each row of a block {row:,}"
            )
        wanted = max(_BLOCK_BYTES // (8 * max(columns, 1)), 32 * columns)
        return int(max(1, min(step, wanted)))

    def _check_block(self, X: Any, y: Any) -> None:
        """Check the memory that a block of the source's own choice takes."""
        if self._source.row_bytes or not hasattr(X, "nbytes") or isinstance(X, list):
            return
        if self._source.mark.startswith("array"):
            return
        columns = np.shape(X)[-1] + (0 if y is None else np.size(y) // max(1, len(y)))
        fixed, block = memory(columns, np.float64), X.nbytes + getattr(y, "nbytes", 0)
        if fixed + self._slots * block > self.max_memory:
            raise MemoryError(
                f"max_memory={self.max_memory:,} bytes is too small for blocks of {len(X)} rows: "
                f"{self._slots} of them take {self._slots * block:,} bytes, the triangle of "
                f"{columns} columns and its workspace {fixed:,}; yield smaller blocks"
            )

    # ---- checkpoint ----

    def _save(self, run: _Run) -> None:
        if self._checkpoint is None or not run.reducer.rows:
            return
        arrays = run.reducer.to_arrays()
        assert run.ends is not None
        arrays["first_row"], arrays["last_row"] = run.ends
        files.save(self._checkpoint, arrays, run.mark)

    def _load(self, run: _Run) -> None:
        assert self._checkpoint is not None
        if not self._source.repeatable:
            raise ValueError(
                f"there is a checkpoint, {self._checkpoint}, but a generator yields its rows once: "
                "to resume, pass a function that returns a new one, or a source that can be read "
                "again; to begin anew, delete the file"
            )
        arrays = files.load(self._checkpoint, run.mark)
        run.reducer = Reducer.from_arrays(arrays)
        run.ends = arrays["first_row"], arrays["last_row"]
        done = run.reducer.rows
        # The rows at both ends must be those that were reduced.
        for row, wanted in zip((0, done - 1), run.ends, strict=True):
            found = next(self._source.blocks(row, 1), (None,))[0]
            found = None if found is None else np.asarray(found)[:1]
            if run.intercept and found is not None:
                found = np.concatenate([np.ones((1, 1)), found], axis=1)
            if found is None or not np.array_equal(found.ravel(), wanted):
                raise ValueError(
                    f"the checkpoint {self._checkpoint} does not fit: row {row} of the source is "
                    "not what was reduced; delete it to begin anew"
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
