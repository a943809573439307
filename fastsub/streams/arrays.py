"""Sources that are cut by rows: arrays, datasets, and memory-mapped files, read by pread.

Files are read into buffers that are used again: mapped pages would count as memory of the process,
and cost a fault each.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.streams.source import Block, Source


class Sliced(Source):
    """What can be sliced by rows: arrays, HDF5 datasets, Zarr arrays."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.rows = int(array.shape[0])
        self.columns = int(array.shape[1]) if len(array.shape) == 2 else None
        self.is_shared = self.in_memory = isinstance(array, np.ndarray)
        width = 1 if len(array.shape) == 1 else int(array.shape[1])
        self.row_bytes = 0 if self.in_memory else width * array.dtype.itemsize

    def mark(self) -> str:
        return f"array {tuple(self._array.shape)} {self._array.dtype}"

    def checksum(self) -> str:
        array = np.ascontiguousarray(self._array)
        return f"{zlib.crc32(array.view(np.uint8)):08x}" if array.size else ""

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        assert self.rows is not None
        for i in range(first, max(self.rows, 1 - first), step):
            yield self.reads(i, min(step, self.rows - i)), None, None

    def reads(self, first: int, count: int) -> Array:
        try:
            rows = self._array[first : first + count]
            # A masked array stays one: whoever takes it asks for its mask.
            rows = rows if isinstance(rows, np.ndarray) else np.asarray(rows)
        except Exception as error:
            error.add_note(
                f"in the block that begins with row {first} of a {type(self._array).__name__}; "
                "the rows before it are kept"
            )
            raise
        if len(rows) != count:
            raise ValueError(
                f"the source had {self.rows} rows when the stream was made, and ends now in the "
                f"block that begins with row {first}: make a new stream"
            )
        return rows


class Mapped(Source):
    """A memory-mapped file of rows or columns without gaps, read by pread."""

    is_shared = True

    def __init__(self, array: Any, offset: int) -> None:
        self._path, self._offset, self._dtype = Path(array.filename), offset, array.dtype
        self._shape = array.shape
        self.by_columns = array.ndim == 2 and not array.flags.c_contiguous
        self.rows = int(array.shape[0])
        self.columns = int(array.shape[1]) if array.ndim == 2 else None
        self._width = 1 if array.ndim == 1 else int(array.shape[1])
        self.row_bytes = self._width * array.dtype.itemsize
        self._idle: deque[Array] = deque()

    def mark(self) -> str:
        return f"{mark_of(self._path)} {self._offset} {self._shape} {self._dtype}"

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        assert self.rows is not None
        with self._path.open("rb", buffering=0) as file:
            for i in range(first, self.rows, step):
                yield self._read(file, i, min(step, self.rows - i)), None, None

    def reads(self, first: int, count: int) -> Array:
        with self._path.open("rb", buffering=0) as file:
            return self._read(file, first, count)

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
        if not self.by_columns:
            self._fill(file, part, self._offset + first * self.row_bytes, first)
        else:
            assert self.rows is not None
            for j in range(self._width):
                column = part[j * count * size : (j + 1) * count * size]
                self._fill(file, column, self._offset + (j * self.rows + first) * size, first)
        order: Any = "F" if self.by_columns else "C"
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


def mark_of(path: Path) -> str:
    """Return what changes when a file is written to, or is another."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno, "there is no such file (any more) to read rows from", str(path)
        ) from None
    return f"file {status.st_size} {status.st_mtime_ns}"


def offset_of(array: Any) -> int | None:
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
