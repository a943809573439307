"""A source of the rows of whatever a user gives: arrays, datasets, files, frames, iterables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.factor.arrays import as_array
from fastsub.streams.arrays import Mapped, Sliced, mark_of, offset_of
from fastsub.streams.source import Blocks, Source
from fastsub.streams.tables import Delimited, Parquet


def open_source(source: Any) -> Source:
    """Return a source of the rows of whatever was given.

    Raises
    ------
    TypeError
        If nothing in it yields rows.
    ValueError
        If a file is not what its name says.
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
    if isinstance(source, np.memmap) and (offset := offset_of(source)) is not None:
        return Mapped(source, offset)
    if module == "pyarrow" and hasattr(source, "iter_batches"):
        return Parquet(source)
    if hasattr(source, "toarray") or hasattr(source, "matvec"):
        raise TypeError(f"a {type(source).__name__} has no blocks of dense rows to stream")
    if hasattr(source, "to_numpy"):
        return _Frame(source)
    if getattr(source, "shape", None) is not None and hasattr(source, "dtype"):
        return Sliced(_checked(source))
    if hasattr(source, "keys"):
        names = ", ".join(repr(name) for name in list(source.keys())[:9])
        raise TypeError(
            f"a {type(source).__name__} holds things by name: pass one of them ({names})"
        )
    if callable(source) or (isinstance(source, Iterable) and not hasattr(source, "shape")):
        return Blocks(source)
    raise TypeError(
        f"a {type(source).__name__} yields no rows: pass an array, a memory map, an HDF5 dataset, "
        "a Zarr array, the path of a .npy, .parquet or .csv file, or an iterable of row blocks"
    )


def open_beside(given: Any, name: str) -> Source:
    """Return a source of right-hand sides or weights, which may be lists of numbers, too."""
    if isinstance(given, (list, tuple)) and not any(getattr(part, "shape", ()) for part in given):
        given = as_array(given, name)
    return open_source(given)


class _Frame(Sliced):
    """A data frame, or a column of one."""

    def __init__(self, frame: Any) -> None:
        super().__init__(_checked(frame.to_numpy()))
        self.names = [str(name) for name in frame.columns] if hasattr(frame, "columns") else None


def _checked(array: Any) -> Any:
    if len(array.shape) not in (1, 2):
        raise ValueError(f"rows must come from a matrix (2-d), got shape {array.shape}")
    return array


def _open_path(path: Path) -> Source:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        mark_of(path)
        try:
            array = np.lib.format.open_memmap(path, mode="r")
        except ValueError as error:
            raise ValueError(
                f"{path} is not a whole .npy file of numbers: {error}; write it anew by numpy.save"
            ) from None
        return open_source(array)
    if suffix == ".parquet":
        return Parquet.of_path(path)
    if suffix in (".csv", ".tsv", ".txt"):
        mark_of(path)
        return Delimited(path)
    raise TypeError(
        f"no rows can be read from a {suffix or 'nameless'} file by its path; known are .npy, "
        ".parquet, .csv, .tsv and .txt; open an HDF5 or Zarr file and pass its dataset"
    )
