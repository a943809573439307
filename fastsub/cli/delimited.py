"""Matrices from text with one row a line; a bad cell is named by its line and field."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.cli.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# An exponent of five digits is a slip, and a number of as many kilobytes.
_RATIONAL = re.compile(r"[+-]?(\d+/0*[1-9]\d*|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?)", re.ASCII)
ENCODING = "utf-8-sig"  # UTF-8, with the byte-order mark that spreadsheets write or without


def read_delimited(path: Path, delimiter: str) -> np.ndarray[Any, Any]:
    """Read a table of numbers, real or complex (``1+2j``).

    The first row is a header if none of its fields is a number. ``#`` begins a comment.

    Parameters
    ----------
    path : Path
        The file.
    delimiter : str
        What separates two fields.

    Returns
    -------
    ndarray, shape (m, n), float64 or complex128

    Raises
    ------
    InputError
        If a cell is not a number, naming its line and field, or if rows differ in length.
    """
    try:
        skip = _header_lines(path, delimiter)
        try:
            return _load(path, delimiter, skip, np.float64)
        except ValueError:
            return _load(path, delimiter, skip, np.complex128)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except (ValueError, csv.Error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: {_first_fault(path, delimiter) or error}") from error


def header(path: Path, delimiter: str) -> list[str] | None:
    """Return the fields of the header, stripped, if the table that was read has one."""
    _, fields = next(_rows(path, delimiter))
    return None if any(map(_is_number, fields)) else [field.strip() for field in fields]


def read_cells(path: Path, delimiter: str) -> list[list[str]]:
    """Read a table of rational numbers as they are written: ``3``, ``0.1``, ``1e-3``, ``1/3``.

    Raises
    ------
    InputError
        If a cell is no rational number, naming its line and field, or if rows differ in length.
    """
    cells: list[list[str]] = []
    try:
        rows = [(line, [*map(str.strip, fields)]) for line, fields in _rows(path, delimiter)]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from error
    for index, (line, fields) in enumerate(rows):
        wrong = [at for at, field in enumerate(fields) if not _is_rational(field)]
        if index == 0 and len(wrong) == len(fields):
            continue  # the header
        if wrong:
            raise InputError(
                f"{path}: line {line}, field {wrong[0] + 1}: {fields[wrong[0]][:40]!r} is not a "
                "rational number"
            )
        if cells and len(fields) != len(cells[0]):
            raise InputError(
                f"{path}: line {line} has {len(fields)} fields; the lines above have "
                f"{len(cells[0])}"
            )
        cells.append(fields)
    if not cells:
        raise InputError(f"{path}: holds no numbers")
    return cells


def _is_rational(field: str) -> bool:
    return _RATIONAL.fullmatch(field) is not None


def _load(
    path: Path, delimiter: str, skip: int, dtype: type[np.float64] | type[np.complex128]
) -> np.ndarray[Any, Any]:
    return np.loadtxt(
        path,
        dtype,
        delimiter=delimiter,
        skiprows=skip,
        quotechar='"',
        ndmin=2,
        encoding=ENCODING,
    )


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that holds something, and its fields."""
    with path.open(encoding=ENCODING, newline="") as stream:
        reader = csv.reader((line.split("#", 1)[0] for line in stream), delimiter=delimiter)
        for fields in reader:
            if fields:
                yield reader.line_num, fields


def _header_lines(path: Path, delimiter: str) -> int:
    """Return how many lines the header takes, 0 if there is none; raise if no numbers follow."""
    rows = _rows(path, delimiter)
    line, fields = next(rows, (0, []))
    if not fields:
        raise InputError(f"{path}: holds no numbers")
    if any(_is_number(field) for field in fields):
        return 0
    if next(rows, None) is None:
        raise InputError(f"{path}: line {line} holds no numbers, and no row follows it")
    if len(fields) > 1 and not fields[0].strip():
        raise InputError(
            f"{path}: line {line}, field 1 is empty, as above a column of row names; "
            "remove that column (or name it, if it belongs to the matrix)"
        )
    return line


def _first_fault(path: Path, delimiter: str) -> str | None:
    """Return where the first bad cell or row is, in words."""
    width = 0
    for index, (line, fields) in enumerate(_rows(path, delimiter)):
        numbers = [_is_number(field) for field in fields]
        if index == 0 and not any(numbers):
            continue  # the header
        if not all(numbers):
            at = numbers.index(False)
            cell = fields[at].strip()
            fault = f"{cell[:40]!r} is not a number" if cell else "empty, where a number belongs"
            return f"line {line}, field {at + 1}: {fault}"
        if width and len(fields) != width:
            return f"line {line} has {len(fields)} fields; the lines above have {width}"
        width = len(fields)
    return None


def _is_number(field: str) -> bool:
    """Tell whether NumPy takes ``field`` for a number; Python alone reads ``1_000``."""
    try:
        complex(field)
    except ValueError:
        return False
    return "_" not in field
