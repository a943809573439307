"""The commands that came after `report`, `null` and `solve`: `rref`, `identify`, `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scipy.sparse import issparse

from fastsub.cli import benchmark, files
from fastsub.cli import identify as identifying
from fastsub.cli import output as output_files
from fastsub.cli import rref as reducing
from fastsub.cli.errors import InputError
from fastsub.cli.facts import to_json
from fastsub.cli.memory import dense
from fastsub.cli.options import MATRIX, Force, Format, Json, Key, Rtol
from fastsub.cli.progress import factoring, working
from fastsub.cli.show_identify import show_identify
from fastsub.cli.show_rref import show_rref

File = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help=MATRIX)]


def console() -> Console:
    """Return what the answers are printed on."""
    return Console(highlight=False, soft_wrap=False)


def rref(
    file: File,
    rational: Annotated[
        bool, typer.Option("--exact", help="Over the rationals: nothing is rounded.")
    ] = False,
    mod: Annotated[
        int | None,
        typer.Option(metavar="P", show_default=False, help="Modulo a prime below 2**63."),
    ] = None,
    decimals: Annotated[
        bool,
        typer.Option(
            "--decimals",
            help="With --exact or --mod: 0.1 in a binary file is 1/10. Text always is.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="R.npy", help="Where to write R; .csv if --exact."),
    ] = None,
    force: Force = False,
    json: Json = False,
    rtol: Rtol = None,
    key: Key = None,
    kind: Format = None,
) -> None:
    """Make the reduced row echelon form R: which columns depend on those to their left, and how.

    In floating point, or exactly with --exact or --mod.
    """
    exact = rational or mod is not None
    if rational and mod is not None:
        raise typer.BadParameter("--exact is over the rationals; leave one of the two out")
    if exact and rtol is not None:
        raise typer.BadParameter("exact arithmetic has no tolerance", param_hint="--rtol")
    if output:
        output_files.check_output(output, force, (".csv",) if rational else (".npy",))
    with working(f"reading {file.name}"):
        if exact:
            A, written = files.read_exactly(file, key, kind, sparse=True)
        else:
            A, written = files.read_matrix(file, key, kind, sparse=True), False
        if issparse(A):
            A = dense(
                A, str(file), ", and its echelon form is dense, too: see fastsub report and null"
            )
        names = files.read_names(file, kind)
    with working("eliminating", None if exact else factoring(A)):
        facts, R = reducing.rref(
            A,
            str(file),
            rational=rational,
            mod=mod,
            decimals=decimals or written,
            rtol=rtol,
            names=names,
            output=str(output) if output else None,
        )
    if output and rational:
        output_files.write_text(output, reducing.as_csv(R), force)
    elif output:
        output_files.write_array(output, R, force)
    if json:
        print(to_json(facts))
    else:
        show_rref(console(), facts, R)


def identify(
    file: File,
    names: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", show_default=False, help="Names of the columns."),
    ] = None,
    intercept: Annotated[
        bool, typer.Option("--intercept", help="The model has a constant term: centre the columns.")
    ] = False,
    keep: Annotated[
        str,
        typer.Option(
            metavar="WHICH",
            help="Columns to keep: the leftmost independent ones, or those that make the "
            "relations moderate: pivoted.",
        ),
    ] = "leftmost",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT.csv", help="Where to write the table."),
    ] = None,
    force: Force = False,
    json: Json = False,
    rtol: Rtol = None,
    key: Key = None,
    kind: Format = None,
) -> None:
    """Say which parameters a table of data can tell apart, and why not the others.

    One column a parameter: a design matrix, or the Jacobian of a model.
    """
    if keep not in ("leftmost", "pivoted"):
        raise typer.BadParameter(f"{keep!r} is neither leftmost nor pivoted", param_hint="--keep")
    if output:
        output_files.check_output(output, force, (".csv",))
    with working(f"reading {file.name}"):
        A = files.read_matrix(file, key, kind)
        given = files.read_names(file, kind) if names is None else names.split(",")
    with working(f"analysing {A.shape[0]} x {A.shape[1]}", factoring(A)):
        facts = identifying.identify(
            A,
            str(file),
            None if given is None else [name.strip() for name in given],
            rtol=rtol,
            intercept=intercept,
            keep=keep,
            output=str(output) if output else None,
        )
    if output:
        output_files.write_text(output, identifying.as_csv(facts), force)
    if json:
        print(to_json(facts))
    else:
        show_identify(console(), facts)


def _complete_group(incomplete: str) -> list[str]:
    from fastsub.bench import GROUPS

    return [group for group in GROUPS if group.startswith(incomplete)]


def bench(
    groups: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FUNCTION",
            show_default=False,
            autocompletion=_complete_group,
            help="null_space, orth, rank, lstsq, ...; all without it.",
        ),
    ] = None,
    largest: Annotated[
        int, typer.Option(metavar="N", min=1, help="No matrix with a side longer than this.")
    ] = 150,
    budget: Annotated[
        float, typer.Option(metavar="S", min=0, help="Seconds of timing for each comparison.")
    ] = 0.1,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.svg", help="The chart; .png will do.")
    ] = Path("fastsub-bench.svg"),
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Draw no chart.")] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Measure fastsub beside SciPy and NumPy on this machine: a table and a chart.

    Runs alternate, answers are checked before anything is timed, and losing cases are shown, too.
    """
    if not no_chart:
        output_files.check_output(output, force, (".svg", ".png"))
    try:
        facts = benchmark.measure(groups or [], largest=largest, budget=budget)
        if not no_chart:
            benchmark.draw(facts, output)
    except ModuleNotFoundError as error:  # its message names the extra
        raise InputError(str(error)) from error
    if json:
        print(to_json(facts))
        return
    benchmark.show(console(), facts)
    if not no_chart:
        console().print(f"\nchart: {output}", markup=False)
