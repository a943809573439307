"""The ``fastsub`` command: what a matrix file destroys and what it reaches, from a terminal.

``main`` reads the command line; ``app`` and ``commands`` hold the commands, ``files`` reads
matrices, ``output`` writes results; ``report``, ``null``, ``solve``, ``rref``, ``identify`` and
``benchmark`` compute plain facts, the modules ``show`` print them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ``fastsub`` command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``fastsub``; by default those of this process.

    Returns
    -------
    int
        The exit status: 0, 2 after bad input (one line on stderr says what was wrong), 130 after
        Ctrl-C.

    Examples
    --------
    >>> from fastsub.cli import main
    >>> main(["null", "no-such-file.npy"])
    2
    """
    try:
        from fastsub.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        print(
            f"fastsub: the command needs {error.name}, which is not installed: "
            'pip install "fastsub-linalg[cli]"',
            file=sys.stderr,
        )
        return 2
    return run(arguments)
