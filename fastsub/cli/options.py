"""What several commands ask for in the same words."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from fastsub.cli import files

SUFFIXES = " ".join(files.SUFFIXES)
MATRIX = f"The matrix: {SUFFIXES}, or - for standard input."


def check_rtol(rtol: float | None) -> float | None:
    """Return a tolerance that can be one."""
    if rtol is not None and not 0 <= rtol < math.inf:
        raise typer.BadParameter(f"{rtol} is not a finite number >= 0")
    return rtol


def check_format(kind: str | None) -> str | None:
    """Return the suffix that a format stands for."""
    if kind is None:
        return None
    suffix = "." + kind.lower().removeprefix(".")
    if suffix not in files.SUFFIXES:
        known = ", ".join(known[1:] for known in files.SUFFIXES)
        raise typer.BadParameter(f"{kind!r} is none of {known}")
    return suffix


def complete_format(incomplete: str) -> list[str]:
    """Return the formats that begin so, for the shell."""
    return [known[1:] for known in files.SUFFIXES if known[1:].startswith(incomplete)]


Rtol = Annotated[
    float | None,
    typer.Option(
        callback=check_rtol,
        metavar="X",
        show_default=False,
        help="Singular values above X times the largest one count. "
        "Without it X = eps * max(m, n), as in NumPy; rounded data want more, 1e-3 or so.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which array of an .npz or .mat file.", show_default=False),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        callback=check_format,
        autocompletion=complete_format,
        metavar="KIND",
        show_default=False,
        help="What the file is, where its name does not tell: csv, npy, ...",
    ),
]
FormatB = Annotated[
    str | None,
    typer.Option(
        "--format-b",
        callback=check_format,
        autocompletion=complete_format,
        metavar="KIND",
        show_default=False,
        help="The same for B.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
