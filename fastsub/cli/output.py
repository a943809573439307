"""Files that hold results: refused before the work rather than after it, never overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from scipy.sparse import issparse, save_npz

from fastsub.cli.errors import InputError


def check_output(path: Path, force: bool, suffixes: tuple[str, ...] = (".npy",)) -> None:
    """Raise InputError unless ``path`` can be written: said before the work, not after it."""
    if path.suffix.lower() not in suffixes:
        end = suffixes[0]
        raise InputError(f"{path}: the result is written as {end}; give a name that ends in {end}")
    if path.is_dir():
        raise InputError(f"{path}: is a directory")
    if path.exists() and not force:
        raise InputError(f"{path}: exists already; --force overwrites it")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such directory")


def write_array(path: Path, array: Any, force: bool) -> None:
    """Write ``array`` as ``.npy``, a sparse one as ``.npz``.

    Without ``force`` never over a file, however it got there.
    """
    if issparse(array):
        _write(path, force, lambda stream: save_npz(stream, array))
    else:
        _write(path, force, lambda stream: np.save(stream, array, allow_pickle=False))


def write_text(path: Path, text: str, force: bool) -> None:
    """Write ``text`` as UTF-8, over a file only with ``force``."""
    data = text.encode("utf-8", errors="backslashreplace")
    _write(path, force, lambda stream: stream.write(data))


def _write(path: Path, force: bool, write: Callable[[IO[bytes]], Any]) -> None:
    try:
        with path.open("wb" if force else "xb") as stream:
            write(stream)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
