"""The state of a reduction in a file: replaced as a whole, checked when read, without pickle."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array

_VERSION = "fastsub stream 3"


def save(path: Path, arrays: dict[str, Array], mark: str) -> None:
    """Write the arrays of a state; whoever reads meanwhile, or after a crash, sees old or new."""
    content: dict[str, Any] = {**arrays, "mark": np.array(mark), "version": np.array(_VERSION)}
    content["digest"] = np.array(_digest(content))
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez(file, **content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def check(path: Path) -> None:
    """Raise OSError if `save` could not write there; better now than hours later."""
    part = path.with_name(path.name + ".part")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        part.open("wb").close()
        part.unlink()
    except OSError as error:
        raise type(error)(
            error.errno,
            f"no checkpoint can be written ({error.strerror}): name another file",
            str(path),
        ) from None


def load(path: Path, mark: str) -> dict[str, Array]:
    """Return the arrays that `save` wrote.

    Raises
    ------
    ValueError
        If the file is damaged, or belongs to another source.
    """
    instead = "delete it to begin anew, or name another file"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            content: dict[str, Any] = {name: file[name] for name in file.files}
        digest = str(content.pop("digest"))
        sound = digest == _digest(content)
    except Exception as error:  # damaged bytes make the reader of an archive raise anything
        raise ValueError(f"the checkpoint {path} cannot be read ({error}); {instead}") from None
    if not sound:
        raise ValueError(f"the checkpoint {path} is damaged: its checksum is wrong; {instead}")
    if (found := str(content.pop("version", ""))) != _VERSION:
        raise ValueError(
            f"the checkpoint {path} has the format {found!r}, this release writes {_VERSION!r}; "
            + instead
        )
    if (found := str(content.pop("mark"))) != mark:
        raise ValueError(
            f"the checkpoint {path} is of another source or call ({found!r}, not {mark!r}); "
            + instead
        )
    return content


def _digest(content: dict[str, Array]) -> str:
    total = hashlib.sha256()
    for name in sorted(content):
        array = np.ascontiguousarray(content[name])
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()
