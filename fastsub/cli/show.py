"""The facts, printed for people: plain words and a few tables, legible at 80 columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.sparse import issparse

from fastsub.cli.facts import Array, Decision
from fastsub.cli.null import NullFacts
from fastsub.cli.report import Comparison, MatrixFacts
from fastsub.cli.solve import ColumnFacts, SolveFacts
from fastsub.cli.text import printable

SMALL = 20  # rows, and SMALL // 3 columns, are printed; more belongs into a file

_SUBSPACES = {
    "column_space": ("column space", "every b that some A x equals"),
    "left_null_space": ("left null space", "y with {t} y = 0: dependent rows"),
    "row_space": ("row space", "the part of x that A x depends on"),
    "null_space": ("null space", "x with A x = 0: what A destroys"),
}

_DECIDED = {
    "bounds": "by cheap bounds on both sides of the cutoff; no SVD was needed",
    "svd": "by the singular values of a small factor: cheap bounds could not tell",
    "probabilistic": "by random sampling: not proved",
    "exact": "by exact arithmetic",
}

_KINDS = {
    "unique": ("exactly one solution", "green"),
    "infinite": ("infinitely many solutions", "yellow"),
    "none": ("no solution", "red"),
}


def show_report(console: Console, facts: MatrixFacts) -> None:
    """Print the report on a matrix."""
    dtype = facts.dtype
    if facts.stored_dtype != facts.dtype:
        dtype = f"{facts.stored_dtype}, computed in {facts.dtype}"
    dtype += ", sparse" if facts.sparse else ""
    console.print(title(facts.matrix, facts.rows, facts.columns, dtype))
    if facts.citation:
        console.print(Text(facts.citation, style="dim"))
    console.print()
    console.print(_subspaces(facts))
    console.print()
    table = grid()
    table.add_row("rank", str(facts.rank))
    table.add_row("nullity", str(facts.nullity))
    table.add_row("rank + nullity", _theorem(facts))
    add_decision(table, facts.certificate)
    table.add_row("condition", _condition(facts))
    if facts.null_basis_made:
        table.add_row("residual", _residual(facts.null_residual, facts.null_orthonormality))
        spent = facts.rank_seconds + facts.null_space_seconds
        parts = f"rank {duration(facts.rank_seconds)}, basis {duration(facts.null_space_seconds)}"
        table.add_row("time", f"{duration(spent)} ({parts})")
    else:
        table.add_row("time", duration(facts.rank_seconds))
    console.print(table)
    if facts.comparison is not None:
        console.print()
        console.print(_comparison(facts.comparison))


def show_null(console: Console, facts: NullFacts, N: Any) -> None:
    """Print the facts about a null-space basis; the basis itself if small and not in a file."""
    console.print(title(facts.matrix, facts.rows, facts.columns, facts.dtype))
    console.print()
    table = grid()
    table.add_row("nullity", f"{facts.nullity} = {facts.columns} columns - rank {facts.rank}")
    add_decision(table, facts.certificate)
    table.add_row("residual", _residual(facts.residual, facts.orthonormality))
    table.add_row("time", duration(facts.seconds))
    if facts.output:
        table.add_row("basis", written(N, facts.output))
    console.print(table)
    if not facts.output:
        _show_small(console, "N", N)


def show_solve(console: Console, facts: SolveFacts, x: Array) -> None:
    """Print what kind of solution there is; x itself if small and not in a file."""
    console.print(Text("A = ") + title(facts.matrix, facts.rows, facts.columns, facts.dtype))
    console.print(Text("b = ") + Text(printable(facts.right_hand_side), style="bold"))
    console.print()
    table = grid()
    single = facts.right_hand_sides[0] if len(facts.right_hand_sides) == 1 else None
    if single:
        words, style = _KINDS[single.kind]
        table.add_row("A x = b has", Text(words, style=style))
        table.add_row("residual", f"||b - A x|| = {single.residual_norm:.3g}")
        sign = ">" if single.kind == "none" else "<="
        table.add_row(
            "backward error",
            f"{single.backward_error:.2g} {sign} {facts.tolerance:.2g}: b is "
            f"{'not ' if single.kind == 'none' else ''}in the column space of A",
        )
    table.add_row("freedom", _freedom(facts))
    add_decision(table, facts.certificate)
    table.add_row("x", _which(facts, single))
    table.add_row("time", duration(facts.seconds))
    if facts.output:
        table.add_row("", written(x, facts.output))
    console.print(table)
    if not single:
        console.print()
        console.print(_columns(facts))
    if not facts.output:
        _show_small(console, "x", x)


def title(name: str, rows: int, columns: int, dtype: str) -> Text:
    name = "standard input" if name == "-" else printable(name)
    return Text.assemble((name, "bold"), f"   {rows} x {columns}, {dtype}")


def grid() -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    return table


def add_decision(table: Table, decision: Decision) -> None:
    table.add_row("certificate", Text(decision.explanation))
    table.add_row("decided", f"{_DECIDED[decision.decided_by]} (method: {decision.method})")


def _subspaces(facts: MatrixFacts) -> Table:
    field, transpose = ("C", "A^H") if facts.dtype.startswith("complex") else ("R", "A^T")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("subspace", style="cyan")
    table.add_column("dimension", justify="right")
    table.add_column("lives in")
    table.add_column("which is")
    for key, (name, meaning) in _SUBSPACES.items():
        space = facts.subspaces[key]
        table.add_row(
            name,
            str(space.dimension),
            f"{field}^{space.ambient}",
            meaning.format(t=transpose),
        )
    return table


def _theorem(facts: MatrixFacts) -> Text:
    total = facts.rank + facts.nullity
    if facts.rank_plus_nullity_is_n is None:
        return Text("not checked: a basis of the null space would not fit into the memory")
    if facts.rank_plus_nullity_is_n:
        words = f"{facts.rank} + {facts.nullity} = {total} = n: every column is accounted for"
        return Text(words, style="green")
    words = f"{facts.rank} + {facts.nullity} = {total}, but n = {facts.columns}"
    return Text(words, style="bold red")


def _condition(facts: MatrixFacts) -> str:
    if math.isnan(facts.condition):
        return "none: no singular value is above the cutoff"
    return f"about {facts.condition:.2g} = sigma_1 / sigma_{facts.rank}, of the nonzero part"


def _residual(residual: float, orthonormality: float) -> str:
    rest = "of a sparse basis of unit columns, not orthonormal"
    if not math.isnan(orthonormality):
        rest = f"||N'N - I|| = {orthonormality:.1e}"
    return f"||A N|| / ||A|| = {residual:.1e}, {rest}"


def _freedom(facts: SolveFacts) -> str:
    if not facts.freedom:
        return "0: the columns of A are independent"
    return (
        f"{facts.freedom} = {facts.columns} columns - rank {facts.rank}; "
        "any null-space vector may be added to x"
    )


def _which(facts: SolveFacts, single: ColumnFacts | None) -> str:
    shortest = "; the shortest such x" if facts.freedom else ""
    if single is None:
        return f"one a column, each the least-squares solution{shortest}"
    if single.kind == "none":
        return f"least squares: A x is as near to b as it can be{shortest}"
    return {"unique": "the solution", "infinite": "the shortest solution"}[single.kind] + (
        f", ||x|| = {single.x_norm:.4g}"
    )


def _columns(facts: SolveFacts) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("column of b", "residual", "backward error"):
        table.add_column(heading, justify="right")
    table.add_column("A x = b has")
    for index, column in enumerate(facts.right_hand_sides[:SMALL], start=1):
        words, style = _KINDS[column.kind]
        table.add_row(
            str(index),
            f"{column.residual_norm:.3g}",
            f"{column.backward_error:.2g}",
            Text(words, style=style),
        )
    if len(facts.right_hand_sides) > SMALL:
        counts = ", ".join(f"{_KINDS[kind][0]}: {n}" for kind, n in facts.kinds.items())
        table.caption = f"the first {SMALL} of {len(facts.right_hand_sides)}; in all, {counts}"
    return table


def _comparison(rows: list[Comparison]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("function", style="cyan")
    table.add_column("median time", justify="right")
    table.add_column("rank", justify="right")
    table.add_column("")
    for row in rows:
        runs = f"{row.runs} run{'s' if row.runs > 1 else ''} each"
        table.add_row(row.function, duration(row.seconds), str(row.rank), runs)
        if row.skipped:
            table.add_row(row.peer, "-", "-", Text(f"not run: {row.skipped}"))
        else:
            verdict = verdict_of(row.ratio)
            table.add_row(row.peer, duration(row.peer_seconds), str(row.peer_rank), verdict)
    return table


def verdict_of(ratio: float) -> Text:
    if ratio >= 1.05:
        return Text(f"fastsub is {ratio:.2g} times faster", style="green")
    if ratio <= 0.95:
        return Text(f"fastsub is {1 / ratio:.2g} times slower", style="red")
    return Text("fastsub is as fast")


def duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.{int(seconds < 9.95e-6)}f} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def written(array: Any, output: str) -> Text:
    return Text(f"{_shape(array)}, written to {printable(output)}")


def _shape(array: Any) -> str:
    return " x ".join(map(str, array.shape)) if array.ndim > 1 else f"vector of {array.size}"


def _show_small(console: Console, name: str, array: Any) -> None:
    """Print the array if it is small; else say how to keep it."""
    console.print()
    if issparse(array):
        sizes = f"{_shape(array)} with {array.nnz} entries"
        console.print(Text(f"{name} is {sizes}; -o {name}.npz writes it to a file"))
    elif not array.size:
        console.print(Text(f"{name} is empty ({_shape(array)})"))
    elif array.shape[0] <= SMALL and array.size // len(array) <= SMALL // 3:
        shown = np.array2string(array, precision=6, suppress_small=True, max_line_width=200)
        console.print(Text(f"{name} =\n{shown}"), soft_wrap=True)
    else:
        console.print(Text(f"{name} is {_shape(array)}; -o {name}.npy writes it to a file"))
