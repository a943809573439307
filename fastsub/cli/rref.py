"""The facts about a reduced row echelon form: in floating point, over the rationals, modulo p."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastsub
from fastsub import exact
from fastsub.cli.errors import InputError
from fastsub.cli.facts import IN_JSON, Array, Decision, entries, floating


@dataclass(frozen=True, slots=True)
class RrefFacts:
    """What ``fastsub rref`` says about the reduced row echelon form R that it made.

    Attributes
    ----------
    arithmetic : str
        A dtype, ``"rational"`` or ``"modulo 7"``.
    pivots, free : list of int
        Columns, counted from 0: the leftmost independent ones, and the others.
    names : list of str or None
        Of the columns, where the file has them.
    ambiguous : list of int
        Columns that a tolerance 10 times larger or smaller would have taken for the opposite;
        none where the arithmetic is exact.
    growth : float or None
        Growth of the elimination; None where the arithmetic is exact.
    certificate : Decision or None
        What singular values say about the rank; None where the arithmetic is exact.
    R : list of list, or None
        Numbers, or strings such as ``"1/3"``; None beyond 10 000 entries.
    output : str or None
        The file that R was written to.
    """

    matrix: str
    rows: int
    columns: int
    arithmetic: str
    rank: int
    nullity: int
    pivots: list[int]
    free: list[int]
    names: list[str] | None
    ambiguous: list[int]
    growth: float | None
    certificate: Decision | None
    seconds: float
    R: list[list[Any]] | None
    output: str | None


def rref(
    A: Any,
    name: str,
    *,
    rational: bool = False,
    mod: int | None = None,
    decimals: bool = False,
    rtol: float | None = None,
    names: list[str] | None = None,
    output: str | None = None,
) -> tuple[RrefFacts, Array]:
    """Return the facts about the reduced row echelon form of A, and the form.

    Parameters
    ----------
    A : ndarray, shape (m, n), or list of lists of str
        The matrix; strings where the arithmetic is to be exact.
    name : str
        What to call it.
    rational, mod, decimals
        The arithmetic, as in `fastsub.exact.rref`; in floating point without them.
    rtol : float, optional
        As in `fastsub.rref`.
    names : list of str, optional
        Of the columns.
    output : str, optional
        Where the form is going to be written.

    Returns
    -------
    facts : RrefFacts
    R : ndarray, shape (m, n)
        Fractions, as objects, over the rationals.

    Raises
    ------
    InputError
        If the arithmetic is exact and the entries are not, or the modulus is no prime.
    """
    ambiguous: list[int] = []
    growth = certificate = None
    start = time.perf_counter()
    if rational or mod is not None:
        try:
            R, pivots = exact.rref(A, mod=mod, decimals=decimals)
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}: {error}") from error
        seconds = time.perf_counter() - start
        arithmetic = "rational" if mod is None else f"modulo {mod}"
    else:
        A = floating(A)
        echelon = fastsub.rref(A, rtol=rtol)
        R, pivots = echelon
        seconds = time.perf_counter() - start
        arithmetic, growth = str(A.dtype), float(echelon.growth)
        ambiguous = [int(j) for j in echelon.ambiguous]
        certificate = Decision.of(echelon.certificate)
    m, n = R.shape
    facts = RrefFacts(
        matrix=name,
        rows=m,
        columns=n,
        arithmetic=arithmetic,
        rank=len(pivots),
        nullity=n - len(pivots),
        pivots=[int(j) for j in pivots],
        free=sorted(set(range(n)) - set(pivots)),
        names=names,
        ambiguous=ambiguous,
        growth=growth,
        certificate=certificate,
        seconds=seconds,
        R=entries(R) if R.size <= IN_JSON else None,
        output=output,
    )
    return facts, R


def as_csv(R: Array) -> str:
    """Return R as a table of text that ``fastsub rref --exact`` reads again."""
    return "".join(",".join(str(x) for x in row) + "\n" for row in R)


def as_text(R: Array, digits: int = 6) -> list[list[str]]:
    """Return the entries as a person reads them."""
    if R.dtype.kind in "fc":
        R = np.where(np.abs(R) < 0.5 * 10.0**-digits, 0, R)
        return [[f"{x:.{digits}g}" for x in row] for row in R]
    return [[str(x) for x in row] for row in R]
