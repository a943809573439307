"""Sources with named columns: tables as text, and Parquet files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.extras import load
from fastsub.factor.arrays import Array
from fastsub.streams.arrays import mark_of
from fastsub.streams.source import Block, Source

# Bytes that are read of a column of a Parquet file at once.
_BUFFER = 1 << 18


class Delimited(Source):
    """A text file of numbers, one row a line; ``#`` begins a comment.

    The first line is one of names if none of its fields is a number.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names: list[str] | None = None
        fields: list[str] = []
        delimiter = None
        for _, (line,) in self._blocks_of_lines(1):
            if not (text := line.partition("#")[0].strip()):
                continue
            bare = re.sub('"[^"]*"', "", text)
            delimiter = next((mark for mark in ",;\t" if mark in bare), None)
            fields = next(csv.reader([text], delimiter=delimiter)) if delimiter else text.split()
            if not any(map(_is_number, fields)):
                self.names = [field.strip() for field in fields]
            break
        self._options: dict[str, Any] = {"delimiter": delimiter, "ndmin": 2, "quotechar": '"'}
        self.columns = len(fields) or None
        # Of numbers; np.loadtxt keeps lines and numbers while it works.
        self.row_bytes = 8 * len(fields)

    def mark(self) -> str:
        return f"text {mark_of(self._path)}"

    def _blocks_of_lines(self, step: int) -> Iterator[tuple[int, list[str]]]:
        """Yield lines, a number of them at once, with the number of the first, from 1 on."""
        number = 1
        try:
            with self._path.open(encoding="utf-8-sig") as file:
                while lines := list(islice(file, step)):
                    yield number, lines
                    number += len(lines)
        except UnicodeDecodeError as error:
            raise ValueError(f"{self._path.name} is not UTF-8 text: {error}") from None

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        if self.columns is None:
            return
        skip, none = first + (self.names is not None), first == 0
        for number, lines in self._blocks_of_lines(step):
            kept = [line for line in lines if (text := line.lstrip()) and text[0] != "#"]
            if len(kept) > skip:
                yield self._numbers(kept[skip:], number, lines), None, None
                none = False
            skip = max(0, skip - len(kept))
        if none:
            yield np.empty((0, self.columns)), None, None

    def _numbers(self, kept: list[str], number: int, lines: list[str]) -> Array:
        try:
            X: Array = np.loadtxt(kept, **self._options)
            if X.shape[1] == self.columns:
                return X
        except ValueError:
            while len(kept) > 1:
                half = len(kept) // 2
                kept = kept[:half] if self._is_wrong(kept[:half]) else kept[half:]
        number += next(i for i, line in enumerate(lines) if line is kept[0])
        raise ValueError(
            f"{self._path.name}, line {number}: {kept[0].strip()[:60]!r} is not a row of "
            f"{self.columns} numbers, as the first line has fields; the rows before this block "
            "are kept"
        )

    def _is_wrong(self, lines: list[str]) -> bool:
        try:
            return bool(np.loadtxt(lines, **self._options).shape[1] != self.columns)
        except ValueError:
            return True


def _is_number(field: str) -> bool:
    try:
        complex(field)
    except ValueError:
        return False
    return True


class Parquet(Source):
    """The row groups of a Parquet file."""

    def __init__(self, file: Any, path: Path | None = None) -> None:
        self._file, self._path = file, path
        self.names: list[str] | None = list(file.schema_arrow.names)
        self.rows, self.columns = file.metadata.num_rows, len(self.names)
        self.row_bytes = 8 * self.columns
        for field in file.schema_arrow:
            if not _holds_numbers(field.type):
                raise TypeError(
                    f"the column {field.name!r} holds {field.type}, not numbers: encode it, or "
                    "write the file without it"
                )

    @classmethod
    def of_path(cls, path: Path) -> Parquet:
        """Return that of a file."""
        parquet = load("pyarrow.parquet", "files", f"{path}: a Parquet file needs")
        arrow = load("pyarrow", "files", f"{path}: a Parquet file needs")
        options = {"buffer_size": _BUFFER, "page_checksum_verification": True}
        mark_of(path)
        try:
            return cls(parquet.ParquetFile(path, **options), path)
        except arrow.ArrowInvalid as error:
            raise ValueError(f"{path} is not a whole Parquet file: {error}") from None

    def mark(self) -> str:
        where = f"parquet {self.rows} {self.columns}"
        return where if self._path is None else f"{where} {mark_of(self._path)}"

    def blocks(self, first: int, step: int) -> Iterator[Block]:
        groups = list(range(self._file.num_row_groups))
        while groups and first >= (rows := self._file.metadata.row_group(groups[0]).num_rows):
            first -= rows
            groups.pop(0)
        if not self.rows:
            yield np.empty((0, self.columns or 0)), None, None
            return
        row = self.rows - sum(self._file.metadata.row_group(group).num_rows for group in groups)
        batches = self._file.iter_batches(batch_size=step, row_groups=groups)
        while True:
            try:
                batch = next(batches, None)
                X = None if batch is None else _matrix(batch)
            except Exception as error:
                error.add_note(f"in the block that begins with row {row}; those before it are kept")
                raise
            if X is None:
                return
            row += len(X)
            if len(X) > first:
                yield X[first:], None, None
            first = max(0, first - len(X))


def _holds_numbers(kind: Any) -> bool:
    kind = getattr(kind, "value_type", kind) if "dictionary" in str(kind) else kind
    name = str(kind)
    return name.startswith(("int", "uint", "float", "halffloat", "double", "bool", "decimal"))


def _matrix(batch: Any) -> Array:
    columns = []
    for column in batch.columns:
        if hasattr(column, "dictionary_decode"):
            column = column.dictionary_decode()
        if str(column.type).startswith(("bool", "decimal")):
            column = column.cast("float64")
        columns.append(column.to_numpy(zero_copy_only=False))
    return np.column_stack(columns) if columns else np.empty((len(batch), 0))
