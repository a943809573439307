"""Time against n, for a chart: square matrices, and tall ones of 40 rows a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fastsub.bench import builders
from fastsub.bench.case import Case


@dataclass(frozen=True)
class Curve:
    """A family of matrices that grows.

    Attributes
    ----------
    title : str
        What the chart says above it.
    columns : tuple of int
        The values of n.
    shape : callable
        From n to (m, n, rank).
    peers : dict of str to int
        The peers drawn, and the largest m up to which each is called.
    """

    title: str
    columns: tuple[int, ...]
    shape: Callable[[int], tuple[int, int, int]]
    peers: dict[str, int]


CURVES = {
    "square": Curve(
        "Null space of an n × n matrix of rank 0.95 n",
        (16, 24, 32, 48, 64, 100, 150, 200, 300, 500, 700, 1000, 1400, 2000, 2800, 4000),
        lambda n: (n, n, int(0.95 * n)),
        {"scipy null_space": 4000},
    ),
    "tall": Curve(
        "Null space of a 40 n × n matrix of rank 0.9 n",
        (20, 30, 50, 70, 100, 140, 200, 280, 400, 560),
        lambda n: (40 * n, n, int(0.9 * n)),
        # SciPy's makes an (m, m) U: 25 s and 500 MB at m = 8000.
        {"scipy null_space": 4000, "economy SVD": 10**6},
    ),
}


def growth() -> Iterator[Case]:
    """Yield the cases of every curve; the title of a case is the curve's name."""
    for name, curve in CURVES.items():
        for n in curve.columns:
            m, _, r = curve.shape(n)
            case = builders.null_space_case((m, n, r), title=name)
            peers = {
                peer: replace(case.peers[peer], slow=False)
                for peer, largest in curve.peers.items()
                if m <= largest
            }
            yield replace(case, peers=peers, part="growth")
