"""A sweep in a few lines: by function, size and aspect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastsub.bench.runner import Row

# Largest dimension of each class.
SIZES = (16, 100, 500, 2000)
# Rows per column, or columns per row, from which a shape is called tall or wide.
ELONGATED = 2


@dataclass(frozen=True)
class SweepClass:
    """The rows of a sweep that are alike: their count and the spread of their ratios.

    Attributes
    ----------
    group : str
        The function.
    sizes : str
        Of the larger dimension, such as ``"17-100"``.
    aspect : str
        tall, square or wide.
    count, lost : int
        How many matrices, and on how many the peer is faster.
    least, middle, largest : float
        Of the ratios, the peer's time / ours.
    worst : str
        The matrix with the least.
    """

    group: str
    sizes: str
    aspect: str
    count: int
    lost: int
    least: float
    middle: float
    largest: float
    worst: str


def _sizes(row: Row) -> str:
    longest, lower = max(row.shape), 1
    for upper in SIZES:
        if longest <= upper:
            return f"{lower}-{upper}"
        lower = upper + 1
    return f"{lower}-"


def _aspect(row: Row) -> str:
    m, n = row.shape
    return "tall" if m >= ELONGATED * n else "wide" if n >= ELONGATED * m else "square"


def classes(rows: Iterable[Row]) -> list[SweepClass]:
    """Return the classes of a sweep's rows, small ones first."""
    alike: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        alike.setdefault((row.group, _sizes(row), _aspect(row)), []).append(row)
    summary = []
    for key, members in alike.items():
        worst = min(members, key=lambda row: row.ratio)
        ratios = [row.ratio for row in members]
        m, n = worst.shape
        name = f"{m}×{n} rank {worst.rank}" + (f", {worst.title}" if worst.title else "")
        lost = sum(row.losing for row in members)
        spread = (min(ratios), median(ratios), max(ratios))
        summary.append(SweepClass(*key, len(members), lost, *spread, name))
    groups = list(dict.fromkeys(group for group, _, _ in alike))
    return sorted(
        summary,
        key=lambda each: (groups.index(each.group), int(each.sizes.split("-")[0]), each.aspect),
    )
