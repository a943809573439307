"""The rows: tables of shapes and wanted ratios. Tuned for reading: one line a case.

``main`` rows are those that the README shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from fastsub.bench import builders, exact, modular, operators, sparse, stacks, streams, subspaces
from fastsub.bench.builders import Shape
from fastsub.bench.case import Case

# (m, n, rank): options of the builder.
Table = list[tuple[Shape, dict[str, Any]]]

# A singular value at 1.05 times the cutoff: rank decided by singular values alone.
UNDECIDED: list[Shape] = [
    *((n, n, n - 2) for n in (16, 64, 150, 500, 1000)),
    (3000, 150, 148),
    (150, 3000, 148),
]

NULL_SPACE: Table = [
    *(((n, n, n - 1), {"scipy_floor": 20.0}) for n in (1, 2, 4, 8)),
    ((16, 16, 15), {"scipy_floor": 20.0, "main": True}),
    ((32, 32, 28), {"scipy_floor": 12.0}),
    ((64, 64, 60), {"scipy_floor": 7.0}),
    ((150, 150, 140), {"scipy_floor": 4.0, "main": True}),
    ((500, 500, 480), {"scipy_floor": 4.0}),
    ((2000, 2000, 1900), {"scipy_floor": 12.0, "main": True}),
    ((2000, 2000, 50), {"scipy_floor": 40.0, "main": True}),
    ((4000, 4000, 3990), {"scipy_floor": 15.0}),
    ((20000, 500, 450), {"scipy_floor": 400.0, "economy_floor": 7.0, "main": True}),
    ((100000, 200, 190), {"economy_floor": 10.0}),
    ((500, 5000, 500), {"scipy_floor": 7.0, "main": True}),
    ((2000, 2000, 1900), {"scipy_floor": 10.0, "dtype": "float32"}),
    ((1500, 1500, 1400), {"scipy_floor": 10.0, "dtype": "complex128"}),
    *((shape, {"scipy_floor": 1.0, "undecided": True}) for shape in UNDECIDED),
]

ORTH: Table = [
    ((16, 16, 14), {"scipy_floor": 1.0}),
    ((64, 64, 60), {"scipy_floor": 1.0}),
    ((150, 150, 140), {"scipy_floor": 1.0}),
    ((500, 500, 480), {"scipy_floor": 1.0}),
    ((2000, 2000, 1900), {"scipy_floor": 10.0, "main": True}),
    ((20000, 500, 450), {"scipy_floor": 8.0}),
    ((500, 5000, 450), {"scipy_floor": 1.0}),
    *((shape, {"scipy_floor": 1.0, "undecided": True}) for shape in UNDECIDED),
]

RANK: Table = [
    *(((n, n, n - 1), {"numpy_floor": 20.0}) for n in (1, 2, 4, 8, 16)),
    ((32, 32, 28), {"numpy_floor": 12.0}),
    ((64, 64, 60), {"numpy_floor": 7.0}),
    ((150, 150, 140), {"numpy_floor": 4.0}),
    ((500, 500, 480), {"numpy_floor": 4.0}),
    ((2000, 2000, 1900), {"numpy_floor": 5.0, "main": True}),
    ((100000, 200, 190), {"numpy_floor": 15.0, "main": True}),
    *((shape, {"numpy_floor": 1 / 1.35, "undecided": True}) for shape in UNDECIDED),
]

# Pivoted in at most 1.5, 1, 1 and 0.75 × the time of an unpivoted QR.
RRQR: Table = [
    *(((n, n, n), {"pivoted_floor": 1.0}) for n in (16, 64, 150)),
    ((500, 500, 500), {"pivoted_floor": 1.0, "unpivoted_floor": 1 / 1.5}),
    ((1000, 1000, 1000), {"pivoted_floor": 2.5, "unpivoted_floor": 1.0}),
    ((2000, 2000, 2000), {"pivoted_floor": 3.5, "unpivoted_floor": 1.0, "main": True}),
    ((4000, 4000, 4000), {"pivoted_floor": 4.5, "unpivoted_floor": 1 / 0.75}),
    ((4000, 4000, 50), {"pivoted_floor": 60.0, "stop": True}),
]

# The elimination is that of LU, and half of the work; the reduction is the other.
RREF: Table = [
    *(((n, n, n), {}) for n in (16, 100)),
    ((500, 500, 500), {"lu_floor": 1 / 3.5}),
    ((1000, 2000, 1000), {"lu_floor": 1 / 3.5, "main": True}),
    ((2000, 2000, 2000), {"lu_floor": 1 / 3.5, "main": True}),
    ((2000, 2000, 1500), {}),
]


def _over(**floors: float) -> dict[str, float]:
    """Floors by the peers' names: gelsd=8 is 8 × the speed of SciPy's gelsd."""
    names = {"torch": "torch gels", "numpy": "numpy lstsq", "by_hand": "normal equations by hand"}
    return {names.get(key, f"scipy {key}"): floor for key, floor in floors.items()}


LARGE_GELSS = ("scipy gelss",)
BY_HAND = 1 / 1.2
LSTSQ: Table = [
    *(
        ((m, n, n), {"floors": _over(gelsd=8.0, gelsy=8.0, numpy=8.0)})
        for m, n in ((6, 4), (16, 16), (64, 64))
    ),
    *(
        ((m, n, r), {"floors": _over(gelsd=1.0, gelsy=1.0, numpy=1.0)})
        for m, n, r in ((4, 6, 4), (6, 4, 3), (16, 16, 14), (64, 64, 60), (150, 150, 140))
    ),
    ((500, 500, 500), {"floors": _over(gelsd=1.0, gelsy=1.0, numpy=1.0)}),
    (
        (100000, 200, 200),
        {"floors": _over(gelsd=8.0, gelsy=8.0, torch=5.0, by_hand=BY_HAND)},
    ),
    (
        (20000, 500, 500),
        {"floors": _over(gelsd=6.5, gelsy=8.0, torch=3.5, by_hand=BY_HAND)},
    ),
    (
        (50000, 1000, 1000),
        {"floors": _over(gelsd=6.0, gelsy=8.0, torch=2.5, by_hand=BY_HAND), "slow": LARGE_GELSS},
    ),
    ((5000, 2000, 2000), {"floors": _over(gelsd=4.5, torch=1.1), "slow": LARGE_GELSS}),
    ((2000, 2000, 2000), {"floors": _over(gelsd=11.0, torch=1.4), "slow": LARGE_GELSS}),
    ((2000, 2000, 1900), {"floors": _over(gelsd=6.0, gelsy=2.5), "slow": LARGE_GELSS}),
    ((500, 5000, 500), {"floors": _over(gelsd=5.0)}),
    ((2000, 500, 500), {"floors": _over(gelsd=5.0), "columns": 2000}),
]

PINV: Table = [
    *(((m, n, r), {"scipy_floor": 1.0}) for m, n, r in ((1, 1, 1), (4, 6, 4), (16, 16, 14))),
    ((64, 64, 64), {"scipy_floor": 1.0}),
    ((500, 500, 480), {"scipy_floor": 1.0}),
    ((2000, 1000, 900), {"scipy_floor": 6.0, "main": True}),
    ((2000, 1000, 1000), {"scipy_floor": 1.0}),
    ((20000, 300, 300), {"scipy_floor": 1.0}),
    ((300, 3000, 300), {"scipy_floor": 1.0}),
]

# scikit-learn is fitted once an alpha.
RIDGE: Table = [
    ((16, 8, 8), {"sklearn_floor": 40.0}),
    ((2000, 100, 100), {"sklearn_floor": 1.0}),
    ((20000, 500, 500), {"sklearn_floor": 40.0}),
    ((20000, 500, 500), {"sklearn_floor": 40.0, "ill": True, "main": True}),
    ((500, 5000, 500), {"sklearn_floor": 1.0}),
]

_TABLES: dict[str, tuple[Callable[..., Case], Table]] = {
    "null_space": (builders.null_space_case, NULL_SPACE),
    "orth": (builders.orth_case, ORTH),
    "rank": (builders.rank_case, RANK),
    "lstsq": (builders.lstsq_case, LSTSQ),
    "rrqr": (builders.rrqr_case, RRQR),
    "rref": (builders.rref_case, RREF),
    "pinv": (builders.pinv_case, PINV),
    "ridge": (builders.ridge_case, RIDGE),
    "operators": (operators.operator_case, operators.TABLE),
    "modular": (modular.modular_case, modular.TABLE),
    "exact": (exact.exact_case, exact.TABLE),
    "sparse": (sparse.sparse_case, sparse.TABLE),
    "subspaces": (subspaces.subspaces_case, subspaces.TABLE),
    "streams": (streams.stream_case, streams.TABLE),
    "stacks": (stacks.stacks_case, stacks.TABLE),
}
GROUPS = tuple(_TABLES)


def _scaled(shape: Shape, scale: float) -> Shape:
    """Scale a shape; full rank stays full rank and a deficient one deficient."""
    m, n, r = (max(1, round(size * scale)) if size else 0 for size in shape)
    return m, n, min(m, n) if shape[2] == min(shape[:2]) else min(r, min(m, n) - 1)


def cases(groups: Iterable[str] = GROUPS, *, scale: float = 1.0) -> list[Case]:
    """Return the cases of the named groups.

    Parameters
    ----------
    groups : iterable of str
        Of `GROUPS`, in the order wanted.
    scale : float, default: 1.0
        Multiplies every dimension: 0.93 and 1.07 show whether sizes are special. Unless it is 1,
        only the peers with a wanted ratio are met.

    Returns
    -------
    list of Case

    Raises
    ------
    ValueError
        If there is no such group.
    """
    chosen = []
    for group in groups:
        if group not in _TABLES:
            raise ValueError(f"no group {group!r}; there are {', '.join(GROUPS)}")
        builder, table = _TABLES[group]
        for shape, options in table:
            case = builder(_scaled(shape, scale), **options)
            if scale != 1:
                wanted = {name: peer for name, peer in case.peers.items() if peer.floor}
                case = replace(case, peers=wanted, part="scaled")
            chosen.append(case)
    return chosen
