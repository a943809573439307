"""The commands, read from their type hints by typer, and what becomes of their errors."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.console import Console

import fastsub
from fastsub.cli import commands, files, show
from fastsub.cli import output as output_files
from fastsub.cli.errors import InputError
from fastsub.cli.facts import to_json
from fastsub.cli.memory import dense
from fastsub.cli.null import null as null_facts
from fastsub.cli.options import MATRIX, Force, Format, FormatB, Json, Key, Rtol
from fastsub.cli.progress import factoring, working
from fastsub.cli.report import MatrixFacts, analyse
from fastsub.cli.solve import solve as solve_facts
from fastsub.cli.text import printable
from fastsub.data import ecoli_core

ECOLI = (
    "Core metabolism of E. coli: stoichiometric matrix, metabolites x reactions.\n"
    "Orth, Fleming, Palsson 2010, EcoSal Plus, doi:10.1128/ecosalplus.10.2.1"
)

# Typer names only the leaves of its usage errors, and older ones take them from click.
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; every complaint is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may hold what the stream cannot
            stream.reconfigure(errors="backslashreplace")
    try:
        with np.errstate(all="ignore"):  # what an overflow spoils is said in the facts
            status = app(arguments, prog_name="fastsub", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except (InputError, _UsageError, np.linalg.LinAlgError) as error:
        message = getattr(error, "format_message", error.__str__)()
        return _complain(message)
    except MemoryError as error:
        return _complain(str(error) or "the memory of this machine does not suffice")
    if status == 130:
        _complain("interrupted")
    return int(status or 0)


def _complain(message: str) -> int:
    """Print one line, whatever characters a file name brings into it; return the status 2."""
    print(f"fastsub: {printable(message)[:1000]}", file=sys.stderr)
    return 2


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"fastsub {fastsub.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _fastsub(
    context: typer.Context,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Say what a matrix destroys (its null space) and what it can reach (its image).

    As fast as QR, as trustworthy as the SVD: every answer says who decided the rank.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    epilog="Examples:\n\nfastsub report measurements.csv --compare\n\n"
    "fastsub report measurements.csv --html measurements.html"
)
def report(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help=f"{MATRIX} Without it: a metabolic network that is bundled.",
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Time SciPy and NumPy on the same matrix.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.html",
            show_default=False,
            help="Write one page with pictures, bases and the certificate; it needs no network.",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    rtol: Rtol = None,
    key: Key = None,
    kind: Format = None,
) -> None:
    """Report on a matrix: rank, the four subspaces, and who decided."""
    if html:
        output_files.check_output(html, force, (".html", ".htm"))
    names = None
    if file is None:
        if key is not None:
            raise typer.BadParameter("the bundled matrix has no name", param_hint="--key")
        A, name, citation = ecoli_core(), "ecoli_core", ECOLI
    else:
        with working(f"reading {file.name}"):
            A, name, citation = files.read_matrix(file, key, kind, sparse=True), str(file), None
            names = files.read_names(file, kind)
    with working(f"analysing {A.shape[0]} x {A.shape[1]}", factoring(A)):
        facts = analyse(A, name, citation=citation, rtol=rtol, compare=compare)
    if html:
        with working("drawing the page"):
            A = dense(A, name, "; the page is drawn of dense matrices: leave --html out")
            text = _page(A, facts, names, rtol)
        output_files.write_text(html, text, force)
    if json:
        print(to_json(facts))
    else:
        show.show_report(_console(), facts)
        if html:
            print(f"\npage: {printable(str(html))}")


@app.command(
    epilog="Examples:\n\nfastsub null measurements.csv -o N.npy\n\n"
    "cat A.mtx | fastsub null - --json"
)
def null(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", show_default=False, help=MATRIX),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="N.npy", help="Where to write the basis N."),
    ] = None,
    sparse: Annotated[
        bool,
        typer.Option("--sparse", help="Make a sparse basis, not an orthonormal one; for .npz."),
    ] = False,
    force: Force = False,
    json: Json = False,
    rtol: Rtol = None,
    key: Key = None,
    kind: Format = None,
) -> None:
    """Make an orthonormal basis N of the null space: A N = 0."""
    if output:
        output_files.check_output(output, force, (".npz",) if sparse else (".npy",))
    with working(f"reading {file.name}"):
        A = files.read_matrix(file, key, kind, sparse=True)
    with working(f"null space of {A.shape[0]} x {A.shape[1]}", factoring(A)):
        facts, N = null_facts(
            A, str(file), rtol=rtol, output=str(output) if output else None, sparse=sparse
        )
    if output:
        output_files.write_array(output, N, force)
    if json:
        print(to_json(facts))
    else:
        show.show_null(_console(), facts, N)


@app.command(
    epilog="Examples:\n\nfastsub solve A.npy b.npy -o x.npy\n\n"
    "fastsub solve system.mat system.mat --key A --key-b b"
)
def solve(
    file: Annotated[
        Path,
        typer.Argument(metavar="A", show_default=False, help=MATRIX),
    ],
    right_hand_side: Annotated[
        Path,
        typer.Argument(
            metavar="B", show_default=False, help="One right-hand side b, or one a column."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="x.npy", help="Where to write x."),
    ] = None,
    force: Force = False,
    json: Json = False,
    rtol: Rtol = None,
    key: Key = None,
    key_b: Annotated[
        str | None, typer.Option(metavar="NAME", help="The same for B.", show_default=False)
    ] = None,
    kind: Format = None,
    kind_b: FormatB = None,
) -> None:
    """Solve A x = b: say whether there is a solution, whether only one, and find the shortest.

    Where there is none, x is the least-squares solution.

    With --rtol X, b counts as reached up to a backward error of X, too.
    """
    if str(file) == str(right_hand_side) == "-":
        raise typer.BadParameter("A and B cannot both come from standard input")
    if output:
        output_files.check_output(output, force)
    with working("reading"):
        A = files.read_matrix(file, key, kind, sparse=True)
        b = files.read_right_hand_side(right_hand_side, key_b, kind_b)
    with working(f"solving {A.shape[0]} x {A.shape[1]}", factoring(A)):
        facts, x = solve_facts(
            A,
            b,
            (str(file), str(right_hand_side)),
            rtol=rtol,
            output=str(output) if output else None,
        )
    if output:
        output_files.write_array(output, x, force)
    if json:
        print(to_json(facts))
    else:
        show.show_solve(_console(), facts, x)


app.command(
    epilog="Examples:\n\nfastsub rref table.csv --exact\n\nfastsub rref code.npy --mod 2 -o R.npy"
)(commands.rref)
app.command(
    epilog="Examples:\n\nfastsub identify longley.csv --intercept\n\n"
    "fastsub identify jacobian.npy --names k1,k2,k3"
)(commands.identify)
app.command(epilog="Examples:\n\nfastsub bench\n\nfastsub bench null_space rank --largest 1000")(
    commands.bench
)


def _page(
    A: np.ndarray[Any, Any], facts: MatrixFacts, names: list[str] | None, rtol: float | None
) -> str:
    from fastsub.cli.page import page

    try:
        return page(A, facts, names, rtol)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise InputError(str(error)) from None


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False)
