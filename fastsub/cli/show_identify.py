"""Which parameters the data can tell apart, on the terminal."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastsub.cli.identify import ColumnFacts, IdentifyFacts
from fastsub.cli.show import add_decision, duration, grid, title
from fastsub.cli.text import printable

_ROWS = 40  # more are in the file, or in the JSON
_HIGH = 10.0  # of a VIF, as textbooks say


def show_identify(console: Console, facts: IdentifyFacts) -> None:
    """Print what is known of each parameter, and why not more."""
    what = "one column a parameter" + (", centred for an intercept" if facts.intercept else "")
    console.print(title(facts.matrix, facts.rows, facts.columns, what))
    console.print()
    table = grid()
    known = sum(each.identified for each in facts.parameters)
    words = f"{known} of {facts.columns} parameters"
    style = "green" if known == facts.columns else "yellow"
    table.add_row("identified", Text(words, style=style))
    table.add_row("rank", f"{facts.rank}, nullity {facts.nullity}")
    for index, group in enumerate(facts.groups, start=1):
        table.add_row(f"group {index}", Text(_joined(group) + ": only combinations are known"))
    for relation in facts.relations:
        table.add_row("relation", Text(printable(relation.equation)))
    if facts.drop:
        table.add_row("drop", Text(_joined(facts.drop) + ": the rest span the same"))
    if not math.isnan(facts.condition):
        table.add_row("condition", f"about {facts.condition:.2g}, of columns of length 1")
    if facts.near:
        table.add_row(
            "beware",
            Text(
                "some column is nearly a combination of others; for data rounded to 3 digits "
                "say --rtol 1e-3",
                style="yellow",
            ),
        )
    add_decision(table, facts.certificate)
    table.add_row("time", duration(facts.seconds))
    if facts.output:
        table.add_row("written", Text(printable(facts.output)))
    console.print(table)
    if facts.parameters:
        console.print()
        console.print(_parameters(facts))


def _joined(names: list[str]) -> str:
    return printable(", ".join(names))


def _parameters(facts: IdentifyFacts) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("parameter", style="cyan", overflow="fold")
    table.add_column("known")
    table.add_column("VIF", justify="right")
    table.add_column("group", justify="right")
    table.add_column("")
    # What is wrong comes first, where not all can be shown.
    rows = facts.parameters
    if len(rows) > _ROWS:
        rows = sorted(rows, key=_how_bad)[:_ROWS]
        table.caption = f"the {_ROWS} least certain of {len(facts.parameters)}"
    for each in rows:
        table.add_row(
            Text(printable(each.name)),
            Text("yes", style="green") if each.identified else Text("no", style="yellow"),
            _vif(each.vif),
            "" if each.group is None else str(each.group),
            "drop" if each.drop else "",
        )
    return table


def _how_bad(each: ColumnFacts) -> tuple[bool, float]:
    return each.identified, -each.vif


def _vif(vif: float) -> Text:
    if not math.isfinite(vif):
        return Text("inf", style="yellow")
    return Text(f"{vif:.4g}", style="yellow" if vif > _HIGH else "")
