"""Ratios to the peers, charts of them, and whether the thresholds choose right.

``python -m bench compare null_space orth rank rrqr`` prints three things: the rows with their
wanted ratios (5 minutes on two cores), the same at shapes 7 % smaller and larger (5 minutes), and
the sweep of every shape from 1×1 to 2000×2000, rank and order (15 minutes), of which it shows a
summary and every losing case. ``--publish`` measures the curves of the charts too (2 minutes) and
renews the tables and charts of README.md and docs/.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from fastsub.bench import (
    GROUPS,
    Case,
    Progress,
    accuracy,
    cases,
    compare,
    compare_sweep,
    growth,
    machine,
    print_table,
    publish,
    read_json,
    sweep,
    write_json,
)
from fastsub.bench.audit import audit, unasked
from fastsub.bench.pages import without_won
from fastsub.bench.progress import seconds_of_batch, seconds_of_case
from fastsub.bench.questions import QUESTIONS

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "docs" / "benchmarks.json"
SCALES = (0.93, 1.07)
QUICK_SIZE = 150


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "compare", help="interleave our runs with the peers' and print the ratios"
    )
    command.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    part = command.add_mutually_exclusive_group()
    part.add_argument("--rows-only", action="store_true", help="no other shapes, no sweep")
    part.add_argument("--sweep-only", action="store_true", help="the sweep alone")
    command.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    command.add_argument("--quick", action="store_true", help="up to 150×150, briefly: 2 minutes")
    command.add_argument("--slow", action="store_true", help="call peers that take a minute, too")
    command.add_argument(
        "--budget", type=float, metavar="SECONDS", help="of timing a comparison; 2 unless --quick"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    command.add_argument(
        "--publish", action="store_true", help="measure the curves too, renew README.md and docs/"
    )
    command = commands.add_parser("publish", help="draw and write the pages again from a JSON file")
    command.add_argument("file", nargs="?", type=Path, default=PUBLISHED)
    command = commands.add_parser(
        "audit", help="time both sides of each threshold of fastsub/factor/choose.py (5 minutes)"
    )
    command.add_argument("--only", default="", metavar="TEXT", help="constants that hold TEXT")
    command.add_argument("--budget", type=float, default=1.0, metavar="SECONDS")
    command = commands.add_parser(
        "backward", help="backward error of least squares against the condition (1 minute)"
    )
    command.add_argument("--publish", action="store_true", help="draw the chart of docs/")
    return top


def say(line: str) -> None:
    """Report progress, away from the tables."""
    print(line, file=sys.stderr, flush=True)


def run_compare(options: argparse.Namespace) -> int:
    """Measure and print; return 1 if an answer was refused."""
    groups = options.groups or GROUPS
    if unknown := [group for group in groups if group not in GROUPS]:
        parser().error(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}")
    where = machine()  # before minutes of timing: it fails if an extra is missing
    budget = options.budget if options.budget is not None else 0.1 if options.quick else 2.0

    def wanted(case: Case) -> bool:
        return options.only in case.name and not (options.quick and max(case.shape) > QUICK_SIZE)

    progress = Progress(say)

    def plan(every: Iterable[Case], seconds: float) -> Iterable[Case]:
        return progress.follow(
            filter(wanted, every), lambda case: seconds_of_case(case, seconds), lambda c: c.name
        )

    # Planned at once, so that the time left counts all of them.
    rows = plan([] if options.sweep_only else cases(groups), budget)
    alone = options.rows_only or options.sweep_only
    scaled = plan(
        [case for scale in SCALES for case in ([] if alone else cases(groups, scale=scale))],
        budget / 2,
    )
    batches = [[] if options.rows_only else [*filter(wanted, batch)] for batch in sweep(groups)]
    swept = progress.follow(
        [batch for batch in batches if batch],
        seconds_of_batch,
        lambda batch: f"sweep, {batch[0].group} {'×'.join(map(str, batch[0].shape))}",
    )
    curves = plan(growth() if options.publish else [], budget / 2)

    found = compare(rows, budget=budget, slow=options.slow)
    found += compare(scaled, budget=budget / 2, slow=options.slow)
    found += compare_sweep(swept, budget=budget, again=lambda name: say(f"once more: {name}"))
    found += compare(curves, budget=budget / 2)
    print_table(found, where)
    if options.json:
        write_json(options.json, found, where)
    if options.publish:
        write_json(PUBLISHED, without_won(found), where)
        renew(PUBLISHED)
    return 1 if found.refused else 0


def renew(file: Path) -> None:
    """Write the pages from what the file holds, so that they say the same."""
    for path in publish(ROOT, *read_json(file)):
        say(f"wrote {path.relative_to(ROOT)}")


def run_audit(options: argparse.Namespace) -> int:
    """Print what wins on either side of each threshold."""
    questions = [each for each in QUESTIONS if options.only in each.constant]
    print("Times relative to the best alternative; * marks what is chosen now.")
    last, wrong = None, 0
    for finding in audit(questions, budget=options.budget):
        if finding.question is not last:
            last = finding.question
            print(f"\n{last.constant}: {last.text} ({last.function}, {last.vary})")
        print(finding, flush=True)
        wrong += finding.is_wrong
    print(f"\n{wrong} wrong." + "".join(f" {name} is not audited." for name in unasked()))
    return 0


def run_backward(options: argparse.Namespace) -> int:
    """Print the worst backward errors and who answered; return 1 if ours are 10 x Householder's."""
    points = list(accuracy.backward_errors())
    print(accuracy.report(points))
    if options.publish:
        say(f"wrote {accuracy.draw(points, ROOT / 'docs' / '_static').relative_to(ROOT)}")
    return int(any(accuracy.is_worse(point) for point in points))


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().parse_args(arguments)
    if options.command == "publish":
        renew(options.file)
        return 0
    if options.command == "backward":
        return run_backward(options)
    return run_audit(options) if options.command == "audit" else run_compare(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
