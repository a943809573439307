"""Rows to a terminal, to JSON, and between the markers of a README: losing ones included."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from fastsub.bench.machine import Machine
from fastsub.bench.runner import Comparison, Row

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
WORST_OF_SWEEP = 5


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def _ratio(row: Row) -> str:
    spread = f" ({row.ratio_min:.3g}-{row.ratio_max:.3g})" if row.pairs > 1 else " (once)"
    return f"{row.ratio:.3g}×{spread}"


def _wanted(row: Row) -> str:
    if row.floor is None:
        return ""
    return f"{row.floor:.2g}×" + ("" if row.floor_met else " missed")


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "function": lambda row: f"{row.group}, {row.title}" if row.title else row.group,
    "shape": lambda row: "×".join(map(str, row.shape)),
    "rank": lambda row: str(row.rank),
    "dtype": lambda row: row.dtype,
    "ours, ms": lambda row: _milliseconds(row.ours_seconds),
    "peer": lambda row: row.peer,
    "ratio (min-max)": _ratio,
    "wanted": _wanted,
    "× gemm": lambda row: "" if row.over_gemm is None else f"{row.over_gemm:.2g}",
    "residual": lambda row: "" if row.residual is None else f"{row.residual:.0e}",
    "decided by": lambda row: row.decided_by or "",
}


def _shown(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of a table: all but those of a sweep that are neither losing nor worst."""
    shown, sweeps = [], dict[str, list[Row]]()
    for row in rows:
        if row.in_sweep:
            sweeps.setdefault(row.group, []).append(row)
        else:
            shown.append(row)
    for swept in sweeps.values():
        swept.sort(key=lambda row: row.ratio)
        losing = sum(row.losing for row in swept)
        shown += swept[: max(losing, WORST_OF_SWEEP)]
    return shown


def remarks(comparison: Comparison) -> list[str]:
    """Return what the table does not say: counts, refusals and what was left out."""
    rows = comparison.rows
    losing = sum(row.losing for row in rows)
    missed = sum(not row.floor_met for row in rows)
    lines = [f"{len(rows)} comparisons: {losing} lost, {missed} below the wanted ratio."]
    for group in dict.fromkeys(row.group for row in rows if row.in_sweep):
        ratios = [row.ratio for row in rows if row.in_sweep and row.group == group]
        lines.append(
            f"Sweep of {group}: {len(ratios)} matrices, ratios from {min(ratios):.3g}× by way of "
            f"{median(ratios):.3g}× to {max(ratios):.3g}×; the lowest are in the table."
        )
    for group in dict.fromkeys(row.group for row in rows if row.decided_by):
        deciders = [row.decided_by for row in rows if row.group == group and row.decided_by]
        share = deciders.count("bounds") / len(deciders)
        lines.append(f"Decided by bounds, {group}: {share:.0%} of {len(deciders)}.")
    lines += [
        f"Refused, {each.case} against {each.peer}: {each.reason}" for each in comparison.refused
    ]
    lines += [f"Left out as slow: {text}." for text in comparison.left_out]
    return lines


def print_table(comparison: Comparison, machine: Machine | None = None) -> None:
    """Print the comparison on the terminal, losing rows in red.

    Raises
    ------
    ModuleNotFoundError
        If rich, of the extra ``bench``, is not installed.
    """
    if importlib.util.find_spec("rich") is None:
        raise ModuleNotFoundError(
            'the table needs rich, which is not installed: pip install "fastsub-linalg[bench]"'
        )
    from rich.console import Console
    from rich.table import Table

    numbers = {"rank", "ours, ms", "ratio (min-max)", "wanted", "× gemm", "residual"}
    table = Table()
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in numbers else "left")
    for row in _shown(comparison.rows):
        style = "red" if row.losing else "" if row.floor_met else "yellow"
        table.add_row(*(cell(row) for cell in _COLUMNS.values()), style=style)
    console = Console()
    # Wide enough for every cell where the output is no terminal, such as a log.
    console = console if console.is_terminal else Console(width=180)
    console.print(table)
    for line in remarks(comparison) + ([str(machine)] if machine else []):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def markdown(comparison: Comparison, machine: Machine | None, command: str) -> str:
    """Return the table and what it needs beside it; losing ratios are set in bold."""

    def cells(row: Row) -> Sequence[str]:
        values = {name: cell(row) for name, cell in _COLUMNS.items()}
        if row.losing:
            values["ratio (min-max)"] = f"**{values['ratio (min-max)']} slower**"
        return list(values.values())

    lines = [list(_COLUMNS), ["---"] * len(_COLUMNS), *map(cells, _shown(comparison.rows))]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    notes = "\n".join(f"- {line}" for line in remarks(comparison))
    where = f"Measured on {machine}. " if machine else ""
    legend = (
        "Median of interleaved pairs; the ratio is the peer's time / ours, × gemm is ours / the "
        "time of a matrix product of the same flop count."
    )
    return f"{table}\n\n{notes}\n\n{where}{legend} Made by `{command}`."


def update_readme(
    path: Path | str, comparison: Comparison, machine: Machine | None, command: str
) -> None:
    """Replace what stands between the markers of a README by this comparison.

    Parameters
    ----------
    path : path
        A text file with a line ``<!-- bench:begin -->`` and, after it, ``<!-- bench:end -->``.
    comparison, machine
        What was measured, and where.
    command : str
        What to type to make the table again.

    Raises
    ------
    ValueError
        If the two markers are not there once each and in this order; the file is left as it was.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or text.count(BEGIN) > 1 or text.count(END) > 1:
        raise ValueError(f"{path.name} must hold {BEGIN} and then {END}, once each")
    table = markdown(comparison, machine, command)
    path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def write_json(path: Path | str, comparison: Comparison, machine: Machine | None = None) -> None:
    """Write everything measured, sweeps in full, as JSON."""
    rows = [
        asdict(row) | {"losing": row.losing, "floor_met": row.floor_met} for row in comparison.rows
    ]
    content = asdict(comparison) | {"rows": rows, "machine": asdict(machine) if machine else None}
    Path(path).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
