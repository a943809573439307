"""``python -m bench compare null_space orth rank lstsq rrqr``: print the ratios to the peers."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from fastsub.bench import (
    GROUPS,
    cases,
    compare,
    machine,
    print_table,
    sweep,
    update_readme,
    write_json,
)

QUICK_FLOPS = 3e8
QUICK_BUDGET = 0.1


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    command = top.add_subparsers(required=True).add_parser(
        "compare", help="interleave our runs with the peers' and print the ratios"
    )
    command.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    command.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    command.add_argument(
        "--quick", action="store_true", help="small cases, a tenth of a second each"
    )
    command.add_argument("--slow", action="store_true", help="call peers that take a minute, too")
    command.add_argument("--sweep", action="store_true", help="every shape, rank and order as well")
    command.add_argument("--scale", type=float, default=1.0, help="multiply every dimension")
    command.add_argument("--budget", type=float, metavar="SECONDS", help="of timing a comparison")
    command.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    command.add_argument("--readme", type=Path, metavar="FILE", help="renew the table in FILE")
    return top


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 1 if an answer was refused."""
    options = parser().parse_args(arguments)
    groups = options.groups or GROUPS
    if unknown := [group for group in groups if group not in GROUPS]:
        parser().error(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}")
    where = machine()  # before minutes of timing: it fails if an extra is missing
    chosen = chain(cases(groups, scale=options.scale), sweep(groups) if options.sweep else ())
    comparison = compare(
        (
            case
            for case in chosen
            if options.only in case.name and not (options.quick and case.flops > QUICK_FLOPS)
        ),
        budget=options.budget or (QUICK_BUDGET if options.quick else 2.0),
        slow=options.slow,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print_table(comparison, where)
    if options.json:
        write_json(options.json, comparison, where)
    if options.readme:
        files = {str(options.readme), str(options.json)}  # their folders are nobody's business
        words = [Path(word).name if word in files else word for word in arguments]
        command = "python -m bench " + shlex.join(words)
        update_readme(options.readme, comparison, where, command)
    return 1 if comparison.refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
