"""Where rows come from: files, arrays, datasets, iterables, as one kind of thing.

A source yields blocks (X, y or None, weights or None) from any row on. Files of numbers are read
by pread into buffers that are used again: mapped pages would count as memory of the process, and
cost a fault each.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.extras import load
from fastsub.factor.arrays import Array

Block = tuple[Any, Any, Any]


class Source:
    """Rows in blocks.

    Attributes
    ----------
    rows, columns : int or None
        None where only the end will tell, or the first block.
    row_bytes : int
        Memory of a row as it is read; 0 where the source chooses the blocks.
    repeatable : bool
        Whether it can be read again.
    mark : str
        What tells it from other sources, without reading it.
    """

    rows: int | None = None
    columns: int | None = None
    row_bytes = 0
    repeatable = True
    mark = "iterable"

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        """Yield the blocks from row `first` on, of `step` rows where the source can choose."""
        raise NotImplementedError

    def recycle(self, block: Block) -> None:
        """Take back a block of which nothing is needed any more."""

    def checksum(self) -> str:
        """Return what changes with the content, where that is in memory."""
        return ""

    def reads(self, first: int, count: int) -> Array:
        """Return these rows."""
        raise NotImplementedError

    @property
    def is_shared(self) -> bool:
        """Whether several threads may call `reads` at once."""
        return False

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
                    waiting.append(np.asarray(block[0]))
                rows = waiting.popleft()
                if len(rows) > count:
                    waiting.appendleft(rows[count:])
                    rows = rows[:count]
                parts.append(rows)
                count -= len(rows)
            return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0)

        return next_rows


class Sliced(Source):
    """What can be sliced by rows: arrays, HDF5 datasets, Zarr arrays."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.rows = int(array.shape[0])
        self.columns = int(array.shape[1]) if len(array.shape) == 2 else None
        width = 1 if len(array.shape) == 1 else int(array.shape[1])
        self.row_bytes = 0 if isinstance(array, np.ndarray) else width * array.dtype.itemsize
        self.mark = f"array {tuple(array.shape)} {array.dtype}"

    def checksum(self) -> str:
        array = np.ascontiguousarray(self._array)
        return f"{zlib.crc32(array.view(np.uint8)):08x}" if array.size else ""

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        assert self.rows is not None
        for i in range(first, max(self.rows, 1 - first), step):
            yield np.asarray(self._array[i : min(i + step, self.rows)]), None, None

    def reads(self, first: int, count: int) -> Array:
        return np.asarray(self._array[first : first + count])

    @property
    def is_shared(self) -> bool:
        return isinstance(self._array, np.ndarray)


class Mapped(Source):
    """A memory-mapped file of rows or columns without gaps, read by pread."""

    def __init__(self, array: Any, offset: int) -> None:
        self._path, self._offset, self._dtype = Path(array.filename), offset, array.dtype
        self._shape = array.shape
        self._by_rows = array.ndim == 1 or array.flags.c_contiguous
        self.rows = int(array.shape[0])
        self.columns = int(array.shape[1]) if array.ndim == 2 else None
        self._width = 1 if array.ndim == 1 else int(array.shape[1])
        self.row_bytes = self._width * array.dtype.itemsize
        status = self._path.stat()
        self.mark = (
            f"file {status.st_size} {status.st_mtime_ns} {offset} {array.shape} {array.dtype}"
        )
        self._idle: deque[Array] = deque()

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        assert self.rows is not None
        with self._path.open("rb", buffering=0) as file:
            for i in range(first, self.rows, step):
                yield self._read(file, i, min(step, self.rows - i)), None, None

    def reads(self, first: int, count: int) -> Array:
        with self._path.open("rb", buffering=0) as file:
            return self._read(file, first, count)

    @property
    def is_shared(self) -> bool:
        return True

    def _read(self, file: Any, first: int, count: int) -> Array:
        size = self._dtype.itemsize
        shape = (count, *self._shape[1:])
        try:
            buffer = self._idle.pop()
        except IndexError:
            buffer = np.empty(0, np.uint8)
        if buffer.nbytes < count * self.row_bytes:
            buffer = np.empty(count * self.row_bytes, np.uint8)
        part = buffer[: count * self.row_bytes]
        if self._by_rows:
            self._fill(file, part, self._offset + first * self.row_bytes, first)
        else:
            assert self.rows is not None
            for j in range(self._width):
                column = part[j * count * size : (j + 1) * count * size]
                self._fill(file, column, self._offset + (j * self.rows + first) * size, first)
        order: Any = "C" if self._by_rows else "F"
        rows: Array = part.view(self._dtype).reshape(shape, order=order)
        return rows

    def _fill(self, file: Any, part: Array, offset: int, row: int) -> None:
        view = memoryview(part)
        while view:
            if hasattr(os, "preadv"):
                count = os.preadv(file.fileno(), [view], offset)
            else:
                file.seek(offset)
                count = file.readinto(view)
            if not count:
                raise ValueError(
                    f"{self._path.name} ends in the block that begins with row {row}: it is "
                    f"shorter than its {self._shape[0]} rows say; the rows before it are kept"
                )
            view, offset = view[count:], offset + count

    def recycle(self, block: Block) -> None:
        X = block[0]
        while isinstance(X.base, np.ndarray):
            X = X.base
        if len(self._idle) < 4:
            self._idle.append(X)


class Blocks(Source):
    """An iterable of blocks, or a function that returns one: pairs (X, y), triples, or X alone."""

    def __init__(self, iterable: Any) -> None:
        self._iterable = iterable
        self.repeatable = callable(iterable) or iter(iterable) is not iterable

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        iterable = self._iterable() if callable(self._iterable) else self._iterable
        for block in iterable:
            parts = tuple(block) if isinstance(block, tuple) else (block,)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    f"a block must be X, (X, y) or (X, y, weights), got {len(parts)} parts"
                )
            count = len(parts[0])
            if first > 0 and count <= first:
                first -= count
                continue
            if first:
                parts = tuple(None if part is None else part[first:] for part in parts)
                first = 0
            yield (*parts, None, None)[:3]


class Delimited(Blocks):
    """A text file of numbers, one row a line; a first line of names is skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        status = path.stat()
        self.mark = f"text {status.st_size} {status.st_mtime_ns}"
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline()
        comma = next((mark for mark in ",;\t" if mark in line), None)
        self._options: dict[str, Any] = {"delimiter": comma, "ndmin": 2}
        self.names = _names(line, comma)
        self.columns = len(line.split(comma))
        # Of numbers; np.loadtxt keeps lines and numbers while it works.
        self.row_bytes = 8 * self.columns
        super().__init__(self._lines)

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        self._step = step
        return super().blocks(first, step)

    def _lines(self) -> Iterator[Array]:
        row = 0
        with self._path.open(encoding="utf-8-sig") as file:
            if self.names is not None:
                file.readline()
            while True:
                lines = [line for _, line in zip(range(self._step), file, strict=False)]
                if not lines:
                    return
                kept = [line for line in lines if line.strip()]
                try:
                    if kept:
                        yield np.loadtxt(kept, **self._options)
                except ValueError as error:
                    raise ValueError(
                        f"{self._path.name}: a block of rows from row {row} on is not a table of "
                        f"{self.columns} numbers a row: {error}"
                    ) from None
                row += len(kept)


class Parquet(Blocks):
    """The row groups of a Parquet file."""

    def __init__(self, file: Any, mark: str) -> None:
        self._file, self.mark = file, mark
        self.rows, self.columns = file.metadata.num_rows, file.metadata.num_columns
        self.names: list[str] | None = list(file.schema_arrow.names)
        self.row_bytes = 8 * self.columns
        super().__init__(self._batches)

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        self._step = step
        return super().blocks(first, step)

    def _batches(self) -> Iterator[Array]:
        for batch in self._file.iter_batches(batch_size=self._step):
            columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
            yield np.column_stack(columns) if columns else np.empty((len(batch), 0))


def open_source(source: Any) -> Source:
    """Return a source of the rows of whatever was given.

    Raises
    ------
    TypeError
        If nothing in it yields rows.
    ImportError
        A Parquet file without the extra ``files``.
    """
    if isinstance(source, Source):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _open_path(Path(source))
    module = type(source).__module__.partition(".")[0]
    if module == "dask":
        raise TypeError("a dask array is no stream: fastsub.dask has the same functions for it")
    if isinstance(source, np.memmap) and (offset := _offset(source)) is not None:
        return Mapped(source, offset)
    if module == "pyarrow" and hasattr(source, "iter_batches"):
        return Parquet(source, f"parquet {source.metadata.num_rows}")
    if hasattr(source, "toarray") or hasattr(source, "matvec"):
        raise TypeError(f"a {type(source).__name__} has no blocks of dense rows to stream")
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        if len(source.shape) not in (1, 2):
            raise ValueError(f"rows must come from a matrix (2-d), got shape {source.shape}")
        return Sliced(source)
    if callable(source) or isinstance(source, Iterable):
        return Blocks(source)
    raise TypeError(
        f"a {type(source).__name__} yields no rows: pass an array, a memory map, an HDF5 dataset, "
        "a Zarr array, the path of a .npy, .parquet or .csv file, or an iterable of row blocks"
    )


def _open_path(path: Path) -> Source:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return open_source(np.load(path, mmap_mode="r", allow_pickle=False))
    if suffix == ".parquet":
        parquet = load("pyarrow.parquet", "files", f"{path}: a Parquet file needs")
        status = path.stat()
        return Parquet(parquet.ParquetFile(path), f"file {status.st_size} {status.st_mtime_ns}")
    if suffix in (".csv", ".tsv", ".txt"):
        return Delimited(path)
    raise TypeError(
        f"no rows can be read from a {suffix or 'nameless'} file by its path; known are .npy, "
        ".parquet, .csv, .tsv and .txt; open an HDF5 or Zarr file and pass its dataset"
    )


def _offset(array: Any) -> int | None:
    """Return where in its file a memory map begins; None if it is not one piece of the file."""
    mapped = getattr(array, "_mmap", None)
    if mapped is None or array.filename is None or array.mode == "c" or not array.size:
        return None
    if array.ndim not in (1, 2) or not (array.flags.c_contiguous or array.flags.f_contiguous):
        return None
    # A view keeps the offset of the whole: ask where it lies in what is mapped.
    start = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    begin = np.frombuffer(mapped, np.uint8).ctypes.data
    return int(start + array.ctypes.data - begin)


def _names(line: str, comma: str | None) -> list[str] | None:
    """Return the names of the columns if the line holds a word that is no number."""
    words = [word.strip().strip('"') for word in line.split(comma)]
    try:
        [complex(word) for word in words]
    except ValueError:
        return words
    return None
