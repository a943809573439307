"""A comparison to JSON and back, and into the pages that show it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastsub.bench.machine import Machine
from fastsub.bench.runner import Comparison, Refused, Row
from fastsub.bench.summary import SweepClass
from fastsub.bench.table import brief_markdown, markdown

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
DIGITS = 4


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def write_json(path: Path | str, comparison: Comparison, machine: Machine | None = None) -> None:
    """Write everything measured, a sweep in full, one row a line."""
    content: dict[str, Any] = {"machine": asdict(machine) if machine else None}
    for name, values in vars(comparison).items():
        content[name] = [
            value
            if isinstance(value, str)
            else {key: _rounded(each) for key, each in asdict(value).items()}
            for value in values
        ]
    blocks = []
    for name, value in content.items():
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        if isinstance(value, list) and value:
            lines = [json.dumps(each, allow_nan=False, ensure_ascii=False) for each in value]
            text = "[\n" + ",\n".join(lines) + "\n]"
        blocks.append(f"{json.dumps(name)}: {text}")
    Path(path).write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")


def read_json(path: Path | str) -> tuple[Comparison, Machine | None]:
    """Read what `write_json` wrote."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    machine = None
    if where := content["machine"]:
        lists: Any = {name: tuple(where[name]) for name in ("blas", "versions")}
        machine = Machine(**where | lists)
    comparison = Comparison(
        rows=[Row(**row | {"shape": tuple(row["shape"])}) for row in content["rows"]],
        refused=[Refused(**each) for each in content["refused"]],
        left_out=content["left_out"],
        classes=[SweepClass(**each) for each in content["classes"]],
    )
    return comparison, machine


def without_won(comparison: Comparison) -> Comparison:
    """Return it without the thousands of rows of a sweep that are not lost: `classes` has them."""
    rows = [row for row in comparison.rows if row.part != "sweep" or row.losing]
    return replace(comparison, rows=rows)


def update_page(path: Path | str, text: str) -> None:
    """Replace what stands between the markers of a page.

    Parameters
    ----------
    path : path
        A text file with a line ``<!-- bench:begin -->`` and, after it, ``<!-- bench:end -->``.
    text : str
        What shall stand there.

    Raises
    ------
    ValueError
        If the two markers are not there once each and in this order; the file is left as it was.
    """
    path = Path(path)
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or page.count(BEGIN) > 1 or page.count(END) > 1:
        raise ValueError(f"{path.name} must hold {BEGIN} and then {END}, once each")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def publish(root: Path | str, comparison: Comparison, machine: Machine | None) -> list[Path]:
    """Renew the charts and the tables of a clone; return the files written.

    Parameters
    ----------
    root : path
        The root of the clone, with ``README.md`` and ``docs/benchmarks.md``.
    comparison, machine
        What was measured, and where.
    """
    from fastsub.bench.chart import draw

    root = Path(root)
    page, readme = root / "docs" / "benchmarks.md", root / "README.md"
    update_page(page, markdown(comparison, machine))
    update_page(readme, brief_markdown(comparison, machine))
    return [page, readme, *draw(comparison, root / "docs" / "_static")]
