"""Ratios that can be believed: ours and a peer's runs interleaved in one process.

A :class:`Case` knows how to make its input, our call, the peers' calls and how to tell a right
answer from a wrong one. :func:`measure` checks the answers first, then times ours, the peer's and a
matrix multiplication of the same flop count in turns; :func:`compare` does so for many cases.

=================  ==============================================================
`case`             what a case and a peer are
`matrices`         seeded inputs
`flops`            textbook operation counts
`checks`           what must hold before anything is timed
`peers`            SciPy, NumPy and torch under one calling convention
`cases`, `sweep`   the cases themselves
`timing`           the interleaving
`runner`           cases in, rows out
`machine`          the line that must stand beside every figure
`table`            rows to a terminal, to JSON, to a README
=================  ==============================================================

Examples
--------
>>> from fastsub.bench import cases, compare
>>> tiny = [case for case in cases(["rank"]) if case.shape == (8, 8)]
>>> comparison = compare(tiny[:1], budget=0.01)
>>> comparison.rows[0].peer
'numpy matrix_rank'
"""

from fastsub.bench.case import Case, Peer, WrongAnswerError
from fastsub.bench.cases import GROUPS, cases
from fastsub.bench.machine import Machine, machine
from fastsub.bench.runner import Comparison, Refused, Row, compare, measure
from fastsub.bench.sweep import sweep
from fastsub.bench.table import print_table, update_readme, write_json

__all__ = [
    "GROUPS",
    "Case",
    "Comparison",
    "Machine",
    "Peer",
    "Refused",
    "Row",
    "WrongAnswerError",
    "cases",
    "compare",
    "machine",
    "measure",
    "print_table",
    "sweep",
    "update_readme",
    "write_json",
]
