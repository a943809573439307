"""Fastsub beside its peers on this machine, by `fastsub.bench`, shown in a narrow table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastsub.bench import GROUPS, Comparison, Progress, Row, cases, compare, machine
from fastsub.bench.progress import seconds_of_case
from fastsub.cli.show import duration

_BAR = 10  # characters for a factor of a thousand


@dataclass(frozen=True, slots=True)
class BenchFacts:
    """What ``fastsub bench`` measured.

    Attributes
    ----------
    machine : str
        Processor, threads, BLAS and versions, without which no figure means anything.
    rows : list of Row
        One a case and peer; see `fastsub.bench.Row`.
    refused, left_out : list of str
        Comparisons that yield no time, and why.
    """

    machine: str
    rows: list[Row]
    refused: list[str]
    left_out: list[str]


def measure(groups: list[str], *, largest: int, budget: float) -> BenchFacts:
    """Compare with the peers, showing the time left where somebody is looking.

    Raises
    ------
    typer.BadParameter
        If there is no such group, or no case that small.
    ModuleNotFoundError
        Without the extra ``bench``.
    """
    for group in groups:
        if group not in GROUPS:
            raise typer.BadParameter(f"no function {group!r}; there are {', '.join(GROUPS)}")
    where = machine()
    wanted = [case for case in cases(groups or GROUPS) if max(case.shape) <= largest]
    if not wanted:
        raise typer.BadParameter(f"no case has sides up to {largest}", param_hint="--largest")
    with _status() as say:
        progress = Progress(say)
        plan = progress.follow(
            wanted, lambda case: seconds_of_case(case, budget), lambda case: case.name
        )
        found: Comparison = compare(plan, budget=budget)
    refused = [f"{each.case} against {each.peer}: {each.reason}" for each in found.refused]
    return BenchFacts(str(where), found.rows, refused, found.left_out)


@contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """Yield what shows a line on stderr, in place of the last one, if that is a terminal."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield lambda line: None
        return
    with console.status("") as status:
        yield lambda line: status.update(Text(" ".join(line.split())))


def draw(facts: BenchFacts, path: Path) -> None:
    """Draw the ratios into a file.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib, of the extra ``bench``.
    """
    from fastsub.bench.ratios import draw as draw_ratios

    draw_ratios(facts.rows, path, facts.machine)


def show(console: Console, facts: BenchFacts) -> None:
    """Print a row for each comparison, and what they come to."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("function", style="cyan")
    table.add_column("shape", justify="right", no_wrap=True)
    table.add_column("rank", justify="right")
    table.add_column("fastsub", justify="right", no_wrap=True)
    table.add_column("beside")
    table.add_column("takes", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    bars = console.width >= 100
    if bars:
        table.add_column("")
    last = None
    for row in facts.rows:
        style = "red" if row.losing else "green"
        case = (row.group, row.title, row.shape, row.rank)
        named = (
            f"{row.group}, {row.title}" if row.title else row.group,
            "x".join(map(str, row.shape)),
            str(row.rank),
        )
        table.add_row(
            *(("", "", "") if case == last else named),
            duration(row.ours_seconds),
            row.peer,
            duration(row.peer_seconds),
            Text(_factor(row.ratio), style=style),
            *([Text(_bar(row.ratio), style=style)] if bars else []),
        )
        last = case
    console.print(table)
    console.print()
    lost = sum(row.losing for row in facts.rows)
    middle = sorted(row.ratio for row in facts.rows)[len(facts.rows) // 2] if facts.rows else 0.0
    console.print(
        f"{len(facts.rows)} comparisons: {len(facts.rows) - lost} won, {lost} lost; "
        f"in the middle {_factor(middle)} times as fast."
    )
    for line in [f"Refused, {line}" for line in facts.refused] + facts.left_out:
        console.print(Text(line))
    console.print(Text(facts.machine, style="dim"))


def _factor(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _bar(ratio: float) -> str:
    """Return a bar as long as the logarithm of the ratio; nothing where the peer is faster."""
    length = min(2 * _BAR, round(_BAR * math.log10(max(ratio, 1.0)) / 3 * 2))
    return "█" * length
