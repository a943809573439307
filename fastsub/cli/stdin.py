"""Standard input as a file: read once, kept while the process lasts, its kind told by its bytes."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import tempfile
from pathlib import Path

from fastsub.cli.errors import InputError

_MAGIC = {
    b"\x93NUMPY": ".npy",
    b"PK\x03\x04": ".npz",
    b"%%MatrixMarket": ".mtx",
    b"\x1f\x8b": ".mtx.gz",
    b"MATLAB": ".mat",
    b"PAR1": ".parquet",
}


@functools.cache
def spooled(suffix: str | None = None) -> Path:
    """Return a temporary file that holds standard input; its suffix tells the kind.

    Raises
    ------
    InputError
        If nothing is piped in, or nothing comes.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("standard input is the keyboard; pipe a matrix in, or name a file")
    data = sys.stdin.buffer.read()
    if not data:
        raise InputError("standard input is empty")
    handle, name = tempfile.mkstemp(suffix=suffix or sniff(data), prefix="fastsub-")
    atexit.register(Path(name).unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    return Path(name)


def sniff(data: bytes) -> str:
    """Return the suffix of what the bytes are: a table of text where nothing else is known."""
    for magic, suffix in _MAGIC.items():
        if data.startswith(magic):
            return suffix
    for line in data.splitlines()[:100]:
        if line.strip() and not line.lstrip().startswith(b"#"):
            return ".tsv" if b"\t" in line else ".csv"
    return ".csv"
