"""A reduced row echelon form on the terminal: its pivots, and itself where it fits."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fastsub.cli.facts import Array
from fastsub.cli.rref import RrefFacts, as_text
from fastsub.cli.show import duration, grid, title, written
from fastsub.cli.text import printable

_ROWS = 30  # more belong into a file
_LISTED = 20  # columns named in a line


def show_rref(console: Console, facts: RrefFacts, R: Array) -> None:
    """Print the facts about a reduced row echelon form; the form itself if it fits."""
    console.print(title(facts.matrix, facts.rows, facts.columns, facts.arithmetic))
    console.print()
    table = grid()
    table.add_row("rank", str(facts.rank))
    table.add_row("pivots", _columns(facts.pivots, facts.names))
    table.add_row("free", _columns(facts.free, facts.names))
    if facts.ambiguous:
        doubt = f"{_columns(facts.ambiguous, facts.names)}: near the tolerance"
        table.add_row("in doubt", Text(doubt, style="yellow"))
    if facts.certificate is not None:
        rank = facts.certificate.rank
        if rank != facts.rank:
            text = f"singular values say rank {rank}: elimination decides column by column"
            table.add_row("but", Text(text, style="yellow"))
        table.add_row("certificate", Text(facts.certificate.explanation))
    else:
        table.add_row("certificate", "exact arithmetic: nothing was rounded")
    table.add_row("time", duration(facts.seconds))
    if facts.output:
        table.add_row("R", written(R, facts.output))
    console.print(table)
    if not facts.output:
        console.print()
        _show(console, R, facts)


def _columns(numbers: list[int], names: list[str] | None) -> str:
    """Return columns by name, else by number, counted from 1."""
    if not numbers:
        return "none"
    shown = [printable(names[j]) if names else str(j + 1) for j in numbers[:_LISTED]]
    more = f", and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    word = "" if names else "column " if len(numbers) == 1 else "columns "
    return word + ", ".join(shown) + more


def _show(console: Console, R: Array, facts: RrefFacts) -> None:
    """Print R in right-aligned columns, pivots in bold, if it fits; else say how to keep it."""
    suffix = ".csv" if facts.arithmetic == "rational" else ".npy"
    too_large = f"R is {facts.rows} x {facts.columns}; -o R{suffix} writes it to a file"
    if not R.size or facts.rows > _ROWS or 2 * facts.columns > console.width:
        console.print(Text(too_large if R.size else f"R is empty ({facts.rows} x {facts.columns})"))
        return
    cells = as_text(R)
    widths = [max(len(row[j]) for row in cells) for j in range(facts.columns)]
    if sum(widths) + 2 * facts.columns > console.width:
        console.print(Text(too_large))
        return
    lines = Text("R =")
    pivots = set(facts.pivots)
    for i, row in enumerate(cells):
        lines.append("\n")
        for j, (cell, width) in enumerate(zip(row, widths, strict=True)):
            is_pivot = j in pivots and i == facts.pivots.index(j)
            style = "bold green" if is_pivot else "dim" if cell == "0" else ""
            lines.append("  " + cell.rjust(width), style=style)
    console.print(lines)
