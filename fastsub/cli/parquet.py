"""Matrices from Parquet files: one column of numbers each; by pyarrow, the extra ``files``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fastsub.cli.errors import InputError
from fastsub.extras import load


def read_parquet(path: Path) -> np.ndarray[Any, Any]:
    """Read a table of numbers.

    Raises
    ------
    InputError
        Without pyarrow; if a column does not hold numbers, or misses one.
    """
    table = _pyarrow(path).read_table(path)
    if not table.num_columns:
        raise InputError(f"{path}: holds no columns")
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            raise InputError(
                f"{path}: column {name!r} misses {column.null_count} of {len(column)} values; "
                "drop or fill those rows"
            )
        array = column.to_numpy()
        if array.dtype.kind not in "biuf":
            raise InputError(
                f"{path}: column {name!r} holds {column.type}, not numbers; encode or drop it"
            )
        columns.append(array)
    return np.column_stack(columns)


def parquet_names(path: Path) -> list[str]:
    """Return the names of the columns."""
    return list(_pyarrow(path).read_schema(path).names)


def _pyarrow(path: Path) -> Any:
    try:
        return load("pyarrow.parquet", "files", f"{path}: .parquet files need")
    except ModuleNotFoundError as error:
        raise InputError(str(error)) from error
