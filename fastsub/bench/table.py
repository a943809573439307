"""Rows to a terminal and to Markdown: losing ones included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from fastsub.bench.accuracy import family
from fastsub.bench.builders import UNDECIDED
from fastsub.bench.machine import Machine
from fastsub.bench.runner import Comparison, Row
from fastsub.bench.summary import SweepClass
from fastsub.extras import load

PARTS = {
    "rows": "The rows",
    "scaled": "The same at shapes 7 % smaller and larger",
    "sweep": "Losing cases of the sweep",
}
LEGEND = (
    "Median of interleaved pairs. The ratio is the peer's time / ours: above 1 fastsub is faster. "
    "gemm is the time of a matrix product of as many operations as the answer needs, × gemm is our "
    "time / that: 1 is the limit. Memory is the peak beyond input and output, in inputs."
)


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def _spread(row: Row) -> str:
    return f" ({row.ratio_min:.3g}-{row.ratio_max:.3g})" if row.pairs > 1 else " (once)"


def _wanted(row: Row) -> str:
    if row.floor is None:
        return ""
    return f"{row.floor:.2g}×" + ("" if row.floor_met else " missed")


def _optional(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "function": lambda row: f"{row.group}, {row.title}" if row.title else row.group,
    "shape": lambda row: "×".join(map(str, row.shape)),
    "rank": lambda row: str(row.rank),
    "dtype": lambda row: row.dtype,
    "ours, ms": lambda row: _milliseconds(row.ours_seconds),
    "gemm, ms": lambda row: _milliseconds(row.gemm_seconds),
    "× gemm": lambda row: _optional(row.over_gemm, ".2g"),
    "peer": lambda row: row.peer,
    "ratio (min-max)": lambda row: f"{row.ratio:.3g}×{_spread(row)}",
    "wanted": _wanted,
    "residual": lambda row: _optional(row.residual, ".0e"),
    "memory": lambda row: _optional(row.memory, ".2f"),
    "decided by": lambda row: row.decided_by or "",
}
_BRIEF = ("function", "shape", "rank", "ours, ms", "× gemm", "peer", "ratio (min-max)", "wanted")
_OF_CLASS: dict[str, Callable[[SweepClass], str]] = {
    "function": lambda each: each.group,
    "largest dimension": lambda each: each.sizes,
    "aspect": lambda each: each.aspect,
    "matrices": lambda each: str(each.count),
    "lost": lambda each: str(each.lost),
    "least ratio": lambda each: f"{each.least:.3g}×",
    "median": lambda each: f"{each.middle:.3g}×",
    "largest": lambda each: f"{each.largest:.3g}×",
    "the least at": lambda each: each.worst,
}
_LEFT = {"function", "shape", "dtype", "peer", "decided by", "aspect", "the least at"}


def _shown(comparison: Comparison) -> dict[str, list[Row]]:
    """Return the rows of each part's table; of a sweep, the losing ones."""
    shown: dict[str, list[Row]] = {part: [] for part in PARTS}
    for row in comparison.rows:
        if row.part in shown and (row.part != "sweep" or row.losing):
            shown[row.part].append(row)
    return shown


def _counts(comparison: Comparison) -> list[str]:
    """Return how many comparisons each part has, and how many are lost."""
    lines = []
    for part, title in PARTS.items():
        rows = [row for row in comparison.rows if row.part == part]
        if rows and part != "sweep":
            losing = sum(row.losing for row in rows)
            missed = sum(not row.floor_met for row in rows)
            lines.append(
                f"{title}: {len(rows)} comparisons, {losing} lost, {missed} below the wanted ratio."
            )
    if comparison.classes:
        count = sum(each.count for each in comparison.classes)
        lost = sum(each.lost for each in comparison.classes)
        lines.append(f"The sweep: {count} comparisons, {lost} lost.")
    return lines


def remarks(comparison: Comparison) -> list[str]:
    """Return what the tables do not say: counts, refusals and what was left out."""
    lines = _counts(comparison)
    deciders: dict[str, list[str]] = {}
    for row in comparison.rows:
        if row.decided_by and UNDECIDED not in row.title:
            deciders.setdefault(row.group, []).append(row.decided_by)
    for group, found in deciders.items():
        share = found.count("bounds") / len(found)
        lines.append(f"Decided by bounds where there is a gap, {group}: {share:.0%}.")
    # A matrix meets many peers, and its method is counted once.
    methods = {
        (row.shape, row.rank, row.dtype, row.title): row.method
        for row in comparison.rows
        if row.group == "lstsq" and row.method
    }
    counts = Counter(map(family, methods.values()))
    if counts:
        by = ", ".join(f"{name} {n / len(methods):.0%}" for name, n in counts.most_common())
        lines.append(f"Answers by method, lstsq: {by}.")
    lines += [
        f"Refused, {each.case} against {each.peer}: {each.reason}" for each in comparison.refused
    ]
    lines += [f"Left out: {text}." for text in comparison.left_out]
    return lines


def print_table(comparison: Comparison, machine: Machine | None = None) -> None:
    """Print the comparison on the terminal, losing rows in red.

    Raises
    ------
    ModuleNotFoundError
        If rich, of the extra ``bench``, is not installed.
    """
    load("rich", "bench", "the table needs")
    from rich.console import Console
    from rich.table import Table

    console = Console()
    # Wide enough for every cell where the output is no terminal, such as a log.
    console = console if console.is_terminal else Console(width=200)

    def show(title: str, columns: Sequence[str], rows: list[tuple[list[str], str]]) -> None:
        table = Table(title=title, title_justify="left")
        for name in columns:
            table.add_column(name, justify="left" if name in _LEFT else "right")
        for cells, style in rows:
            table.add_row(*cells, style=style)
        console.print(table)

    def style(row: Row) -> str:
        return "red" if row.losing else "" if row.floor_met else "yellow"

    for part, rows in _shown(comparison).items():
        if rows:
            cells = [([cell(row) for cell in _COLUMNS.values()], style(row)) for row in rows]
            show(PARTS[part], list(_COLUMNS), cells)
    if comparison.classes:
        summary = [
            ([cell(each) for cell in _OF_CLASS.values()], "red" if each.lost else "")
            for each in comparison.classes
        ]
        show("The sweep", list(_OF_CLASS), summary)
    for line in [*remarks(comparison), LEGEND, *([str(machine)] if machine else [])]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _markdown_table(columns: Sequence[str], rows: list[list[str]]) -> str:
    lines = [list(columns), ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _markdown_rows(rows: list[Row], columns: Sequence[str]) -> str:
    def cell(row: Row, name: str) -> str:
        text = _COLUMNS[name](row)
        return f"**{text} slower**" if name == "ratio (min-max)" and row.losing else text

    return _markdown_table(columns, [[cell(row, name) for name in columns] for row in rows])


def markdown(comparison: Comparison, machine: Machine | None) -> str:
    """Return the tables and what they need beside them; losing ratios are set in bold."""
    blocks = []
    for part, rows in _shown(comparison).items():
        if rows:
            blocks += [f"## {PARTS[part]}", _markdown_rows(rows, tuple(_COLUMNS))]
    if comparison.classes:
        summary = [[cell(each) for cell in _OF_CLASS.values()] for each in comparison.classes]
        blocks += ["## The sweep", _markdown_table(tuple(_OF_CLASS), summary)]
    blocks += ["\n".join(f"- {line}" for line in remarks(comparison)), _where(machine) + LEGEND]
    return "\n\n".join(blocks)


def brief_markdown(comparison: Comparison, machine: Machine | None) -> str:
    """Return the table of the main rows, and how many lost or missed in all."""
    main = [row for row in comparison.rows if row.main and row.floor and row.part == "rows"]
    counts = "\n".join(f"- {line}" for line in _counts(comparison))
    return "\n\n".join([_markdown_rows(main, _BRIEF), counts, _where(machine).strip()])


def _where(machine: Machine | None) -> str:
    return f"Measured on {machine}. " if machine else ""
