"""``python -m fastsub.patch script.py arguments``: run a script with SciPy and NumPy patched."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

from fastsub.patch import calls, patch_map, patch_scipy


def main(arguments: list[str] | None = None) -> None:
    """Run what the command line names as Python would, patched."""
    parser = argparse.ArgumentParser(
        prog="python -m fastsub.patch",
        usage="%(prog)s [--calls] (script.py | -m module) [arguments ...]",
        description="Run a script or a module with functions of scipy.linalg and numpy.linalg "
        "replaced by faster ones. Without a script: list them.",
    )
    parser.add_argument(
        "--calls",
        action="store_true",
        help="print at the end, on stderr, how many calls were served and why others were not",
    )
    # Option and value in one, so that argparse leaves the words after it alone.
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="a module to run")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="a script to run")
    options = parser.parse_args(arguments)
    words = options.module or options.script
    if not words:
        if options.module is not None:
            parser.error("-m needs the name of a module")
        for entry in patch_map().values():
            print(f"{entry.name:30} {entry.answered_by}")
        return
    patch_scipy()
    try:
        sys.argv[:] = words
        if options.module:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(words[0]).resolve().parent)
            runpy.run_path(words[0], run_name="__main__")
    finally:
        if options.calls:
            print_calls()


def print_calls() -> None:
    """Print on stderr who answered."""
    for name, entry in calls().items():
        print(f"{name}: {entry.served} of {entry.total} calls served", file=sys.stderr)
        for reason, number in entry.passed_on.items():
            print(f"    {number} passed on: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
