"""The facts about which parameters a table of data can tell apart."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass
from typing import Any

import fastsub
from fastsub.cli.errors import InputError
from fastsub.cli.facts import Array, Decision, floating


@dataclass(frozen=True, slots=True)
class RelationFacts:
    """One column as a combination of others.

    Attributes
    ----------
    column : str
    equation : str
        As a person reads it.
    coefficients : dict of str to float
        Of the columns that are kept; strings where complex.
    constant : float
        0 unless an intercept was asked for.
    residual : float
        What is left of the column, relative to its norm.
    """

    column: str
    equation: str
    coefficients: dict[str, Any]
    constant: Any
    residual: float


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the data say about one parameter.

    Attributes
    ----------
    name : str
    identified : bool
        Whether every least-squares fit agrees on it.
    vif : float
        Variance inflation factor; infinite where it is not identified.
    group : int or None
        Which group it is tied to, counted from 1.
    drop : bool
        Whether the rest do without it.
    """

    name: str
    identified: bool
    vif: float
    group: int | None
    drop: bool


@dataclass(frozen=True, slots=True)
class IdentifyFacts:
    """What ``fastsub identify`` says about a table.

    Attributes
    ----------
    groups : list of list of str
        Columns tied together: only combinations within such a group are known.
    drop : list of str
        Columns without which the rest are independent and span the same.
    condition : float
        Of the columns, scaled to one length, without the null space.
    near : bool
        Whether some column is nearly a combination of others, in view of the cutoff.
    output : str or None
        The file that the table of parameters was written to.
    """

    matrix: str
    rows: int
    columns: int
    intercept: bool
    rank: int
    nullity: int
    parameters: list[ColumnFacts]
    groups: list[list[str]]
    relations: list[RelationFacts]
    drop: list[str]
    condition: float
    near: bool
    certificate: Decision
    seconds: float
    output: str | None


def identify(
    A: Array,
    name: str,
    names: list[str] | None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    keep: str = "leftmost",
    output: str | None = None,
) -> IdentifyFacts:
    """Return what the columns of A can tell apart.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One column a parameter.
    name : str
        What to call the table.
    names : list of str or None
        Of the columns.
    rtol, intercept, keep
        As in `fastsub.identifiability`.
    output : str, optional
        Where the table of parameters is going to be written.

    Raises
    ------
    InputError
        If the names do not fit.
    """
    A = floating(A)
    if names is not None and len(names) != A.shape[1]:
        raise InputError(f"{name}: {A.shape[1]} columns, but {len(names)} names")
    if names is not None and len(set(names)) != len(names):
        twice = next(each for each in names if names.count(each) > 1)
        raise InputError(f"{name}: two columns are named {twice!r}; name them by --names")
    start = time.perf_counter()
    found = fastsub.identifiability(A, names, rtol=rtol, intercept=intercept, keep=keep)
    seconds = time.perf_counter() - start
    group = {each: i for i, members in enumerate(found.groups, 1) for each in members}
    plain = str if A.dtype.kind == "c" else float
    return IdentifyFacts(
        matrix=name,
        rows=A.shape[0],
        columns=A.shape[1],
        intercept=intercept,
        rank=found.rank,
        nullity=found.nullity,
        parameters=[
            ColumnFacts(each, bool(known), float(vif), group.get(each), each in found.drop)
            for each, known, vif in zip(found.names, found.identified, found.vif, strict=True)
        ],
        groups=found.groups,
        relations=[
            RelationFacts(
                relation.name,
                str(relation),
                {key: plain(value) for key, value in relation.coefficients.items()},
                plain(relation.constant),
                float(relation.residual),
            )
            for relation in found.relations
        ],
        drop=found.drop,
        condition=float(found.condition),
        near=found.is_near,
        certificate=Decision.of(found.certificate),
        seconds=seconds,
        output=output,
    )


def as_csv(facts: IdentifyFacts) -> str:
    """Return one row a parameter, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "identified", "vif", "group", "drop", "relation"])
    equations = {each.column: each.equation for each in facts.relations}
    for each in facts.parameters:
        row = [each.name, each.identified, each.vif, each.group or "", each.drop]
        writer.writerow([*row, equations.get(each.name, "")])
    return text.getvalue()
