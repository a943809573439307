"""What the page says: a section each for the subspaces, the rank, dependent columns, bases."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import fastsub
from fastsub.cli.facts import Array
from fastsub.cli.page.embedded import data_url, figure
from fastsub.cli.report import MatrixFacts
from fastsub.cli.text import printable
from fastsub.factor.rank.certificate import Certificate
from fastsub.html import Html, facts, grid, tag
from fastsub.solution.fundamental import FundamentalSubspaces

LIMIT = 1_000_000  # bytes of a basis that the page carries
_MOST_WORK = 2e10  # flops of an SVD up to which a picture may ask for one
_MOST_EQUATIONS = 6  # coordinates up to which equations are written out

_SPACES = {
    "null_space": ("null space", "what the matrix destroys: every x with A x = 0"),
    "column_space": ("column space", "what it can reach: every b that is some A x"),
    "row_space": ("row space", "the part of x that A x depends on"),
    "left_null_space": ("left null space", "what it never reaches: dependences between rows"),
}
_DECIDED = {
    "bounds": "Inexpensive bounds on both sides of the cutoff prove it; no singular value "
    "decomposition was needed.",
    "svd": "Bounds could not separate the two sides, so the singular values of a small factor "
    "decided.",
    "probabilistic": "It rests on random samples: probable, not proved.",
    "exact": "Exact arithmetic proves it.",
}

Section = tuple[str, str, Html | Sequence[Html | None]]


def all_of(
    A: Array, found: MatrixFacts, names: Sequence[str] | None, rtol: float | None
) -> list[Section]:
    """Return (key, heading, content) of each section that suits the matrix."""
    F = fastsub.fundamental_subspaces(A, rtol)
    sections: list[Section] = [
        ("summary", "Summary", _summary(found)),
        ("subspaces", "The four subspaces", _subspaces(found, F)),
        ("rank", "Who decided the rank", _rank(A, found)),
    ]
    if A.dtype.kind != "c" and set(A.shape) <= {2, 3}:
        sections.append(("map", "The map", _map(A, rtol)))
    if A.shape[1] and 2 * A.size * min(A.shape) <= _MOST_WORK:
        sections.append(("columns", "Columns that depend on others", _columns(A, names, rtol)))
    return [*sections, ("bases", "Bases", _bases(F, found))]


def _summary(found: MatrixFacts) -> list[Html]:
    r, k, m, n = found.rank, found.nullity, found.rows, found.columns
    sentences = [
        f"The matrix takes {n} input{_s(n)} to {m} output{_s(m)}. Of the {n} dimension{_s(n)} of "
        f"the input {r} {_is(r)} passed on and {k} {_is(k)} destroyed: {r} + {k} = {n}.",
        "Different inputs have different outputs."
        if k == 0
        else "Whole families of inputs share one output, so A x = b never has exactly one "
        "solution.",
        "Every output can be reached: A x = b has a solution for every b."
        if r == m
        else f"Not every output can be reached: A x = b has a solution only if b satisfies "
        f"{m - r} condition{_s(m - r)}.",
    ]
    condition = None if math.isnan(found.condition) else f"about {found.condition:.2g}"
    return [
        tag("p", " ".join(sentences)),
        tag(
            "div",
            facts(
                {
                    "rank": r,
                    "nullity": k,
                    "condition of the nonzero part": condition,
                    "computed in": found.dtype,
                },
                "In numbers",
            ),
            class_="wide",
        ),
    ]


def _subspaces(found: MatrixFacts, F: FundamentalSubspaces) -> list[Html]:
    spaces = [found.subspaces[key] for key in _SPACES]
    table = grid(
        {
            "subspace": [name for name, _ in _SPACES.values()],
            "dimension": [f"{space.dimension} of {space.ambient}" for space in spaces],
            "meaning": [meaning for _, meaning in _SPACES.values()],
        },
        "Dimensions of the four subspaces",
    )
    r, m, n = found.rank, found.rows, found.columns
    return [
        tag("div", table, class_="wide"),
        figure(
            partial(fastsub.plot.four_subspaces, F),
            f"Diagram. Inputs: row space of dimension {r} and null space of dimension {n - r}, at "
            f"a right angle. Outputs: column space of dimension {r} and left null space of "
            f"dimension {m - r}, at a right angle. The row space goes to the column space one to "
            "one, the null space to 0.",
            "Each pair of squares meets at a right angle and fills its space.",
            size=(5.0, 4.4),
        ),
    ]


def _rank(A: Array, found: MatrixFacts) -> list[Html | None]:
    proof = found.certificate
    rows = {
        "rank": proof.rank,
        "cutoff": f"{proof.tol:.2e}: singular values above it count",
        f"singular value {proof.rank}": f"at least {proof.sigma_r_lower:.2e}"
        if proof.rank
        else None,
        f"singular value {proof.rank + 1}": f"at most {proof.sigma_next_upper:.2e}"
        if proof.sigma_next_upper > 0
        else None,
        "method": proof.method,
    }
    parts: list[Html | None] = [
        tag(
            "p",
            "A singular value says how much the matrix stretches in one direction; the rank counts "
            "those that are more than rounding noise. ",
            _DECIDED[proof.decided_by],
        ),
        tag("p", proof.explanation),
        tag("div", facts(rows, "The certificate"), class_="wide"),
    ]
    if not A.size:
        return parts
    if A.size * min(A.shape) * 4 > _MOST_WORK:
        words = "The singular values are not drawn: to compute all of them would take too long."
        return [*parts, tag("p", words)]
    certificate = Certificate(
        proof.rank,
        proof.tol,
        proof.sigma_r_lower,
        proof.sigma_next_upper,
        proof.decided_by,
        proof.method,
    )
    k = min(A.shape)
    picture = figure(
        partial(fastsub.plot.rank_spectrum, A, certificate=certificate),
        f"Chart of the {k} singular values on a logarithmic scale; {proof.rank} of them above the "
        f"cutoff of {proof.tol:.2e}.",
        "Dots count, crosses are noise; the triangles are the proved bounds.",
        size=(4.8, 5.0),
    )
    return [*parts, picture]


def _map(A: Array, rtol: float | None) -> Html:
    return figure(
        partial(fastsub.plot.plane_map, A, rtol=rtol),
        "Two charts. Left the inputs with the null space, which is crushed to 0; right the outputs "
        "with the column space, which is all that is reached.",
        "Inputs of one number fall on the output of the same number.",
        size=(4.8, 11.6),
        kinds=f"{A.shape[1]}{A.shape[0]}",
    )


def _columns(A: Array, names: Sequence[str] | None, rtol: float | None) -> list[Html]:
    found = fastsub.identifiability(A, _distinct(names, A.shape[1]), rtol=rtol)
    if not found.nullity:
        return [tag("p", "None: no column is a combination of others, after scaling each.")]
    count, most = len(found.relations), 30
    parts = [
        tag(
            "p",
            f"{found.nullity} column{_s(found.nullity)} of {len(found.names)} can be written by "
            "others, after scaling each column to length 1. In a model these are parameters that "
            "the data cannot tell apart.",
        ),
        tag(
            "ul",
            [tag("li", _cut(printable(str(relation)))) for relation in found.relations[:most]],
            tag("li", f"and {count - most} more") if count > most else None,
            class_="relations",
        ),
    ]
    if A.dtype.kind != "c":
        parts.append(
            figure(
                partial(fastsub.plot.identifiability, found),
                "Table of colours: a row for each column of the matrix, and a column for each "
                "change that leaves A x as it is. The list above says the same in words.",
                "Add any multiple of such a change to x: A x does not notice.",
                size=(4.8, 2.5 + 0.32 * min(40, len(found.names))),
            )
        )
    return parts


def _bases(F: FundamentalSubspaces, found: MatrixFacts) -> list[Html]:
    intro = tag(
        "p",
        "Orthonormal bases, one vector a column. This page carries those of at most "
        f"{LIMIT // 1000} kB; ",
        tag("code", "fastsub null FILE -o N.npy"),
        " writes a null space of any size.",
    )
    return [intro, *(_basis(F, key, found.dtype) for key in _SPACES)]


def _basis(F: FundamentalSubspaces, key: str, dtype: str) -> Html:
    name, meaning = _SPACES[key]
    V = getattr(F, key)
    n, k = V.ambient_dim, V.dim
    size = n * k * np.dtype(dtype).itemsize
    rows: dict[str, Any] = {"dimension": f"{k} of {n}", "which is": meaning}
    links: Html | None = None
    if k == 0:
        rows["basis"] = "empty: the zero vector alone"
    elif k == n:
        rows["basis"] = "not needed: it is the whole space"
    elif size > LIMIT:
        rows["basis"] = f"{n} × {k} {dtype}, {size / 1e6:.3g} MB: too large for this page"
    else:
        N = V.basis
        rows["basis"] = f"{n} × {k} {dtype}"
        error = np.linalg.norm(N.conj().T @ N - np.eye(k))
        rows["its vectors are orthonormal up to"] = f"{error:.1e}"
        links = _downloads(N, key, name)
    if 0 < k < n <= _MOST_EQUATIONS:
        rows["equations"] = V.equations()
    return tag("div", tag("h3", name.capitalize()), facts(rows), links, class_="basis wide")


def _downloads(N: Array, key: str, name: str) -> Html:
    binary, text = io.BytesIO(), io.BytesIO()
    np.save(binary, N, allow_pickle=False)
    entry = "%.17g%+.17gj" if N.dtype.kind == "c" else "%.17g"
    np.savetxt(text, N, delimiter=",", fmt=[entry] * N.shape[1])
    links = [
        ("npy", binary.getvalue(), "application/octet-stream"),
        ("csv", text.getvalue(), "text/csv"),
    ]
    return tag(
        "p",
        [
            [
                tag(
                    "a",
                    f"Download .{suffix}",
                    tag("span", f" of the {name}", class_="unseen"),
                    f" ({max(1, len(data) // 1000)} kB)",
                    href=data_url(data, kind),
                    download=f"{key}.{suffix}",
                ),
                " ",
            ]
            for suffix, data, kind in links
        ],
        class_="downloads",
    )


def _distinct(names: Sequence[str] | None, n: int) -> list[str] | None:
    """Return names that tell n columns apart; None where a file names another number of them."""
    if names is None or len(names) != n:
        return None
    count = Counter(names)
    distinct = [
        name if name and count[name] == 1 else f"{name} (column {j})".strip()
        for j, name in enumerate(names, start=1)
    ]
    return distinct if len(set(distinct)) == n else None


def _cut(text: str, most: int = 300) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
