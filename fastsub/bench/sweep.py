"""Every shape from 1×1 up, every kind of rank, both orders: no case may be a losing one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from fastsub.bench import builders
from fastsub.bench.case import Case

SIZES = (1, 2, 3, 5, 8, 16, 32, 64, 100, 200, 500, 1000, 2000)

# The function replaced, which must never be faster; rrqr replaces none.
_REPLACED: dict[str, tuple[Callable[..., Case], str, dict[str, Any]]] = {
    "null_space": (builders.null_space_case, "scipy null_space", {"scipy_floor": 1.0}),
    "orth": (builders.orth_case, "scipy orth", {"scipy_floor": 1.0}),
    "rank": (builders.rank_case, "numpy matrix_rank", {"numpy_floor": 1.0}),
    "lstsq": (builders.lstsq_case, "scipy gelsd", {"floors": {"scipy gelsd": 1.0}}),
}


def sweep(groups: Iterable[str] = tuple(_REPLACED), sizes: Iterable[int] = SIZES) -> Iterator[Case]:
    """Yield a case for every shape, rank 0, 1, half, full - 1 and full, in C and Fortran order.

    Parameters
    ----------
    groups : iterable of str
        As for `cases`; groups that replace no function are passed over.
    sizes : iterable of int
        Values that m and n take.

    Yields
    ------
    Case
        With one peer, the function that ours replaces, and the floor 1.
    """
    sizes = tuple(sizes)
    for group in groups:
        if group not in _REPLACED:
            continue
        builder, replaced, options = _REPLACED[group]
        for m in sizes:
            for n in sizes:
                full = min(m, n)
                for r in sorted({0, 1, full // 2, full - 1, full}):
                    for order in ("C", "F"):
                        case = builder((m, n, r), order=order, in_sweep=True, **options)
                        yield replace(case, peers={replaced: case.peers[replaced]})
