"""Ratios that can be believed: ours and a peer's runs interleaved in one process.

A :class:`Case` knows how to make its input, our call, the peers' calls and how to tell a right
answer from a wrong one. :func:`measure` checks the answers first, then times ours, the peer's and a
matrix multiplication of the same flop count in turns; :func:`compare` does so for many cases.

====================  ==============================================================
`case`                what a case and a peer are
`matrices`            seeded inputs
`flops`               textbook operation counts
`checks`              what must hold before anything is timed
`peers`               SciPy, NumPy and torch under one calling convention
`builders`, `cases`   the rows: shapes and wanted ratios
`modular`, `sparse`   the same for echelon forms modulo primes, and for sparse matrices
`growth`, `chart`     time against n, measured and drawn
`sweep`, `summary`    every shape and rank, measured in rounds and summed up by class
`timing`, `memory`    the interleaving; the peak of memory
`runner`              cases in, rows out
`machine`             the line that must stand beside every figure
`table`, `pages`      rows to a terminal, to JSON, to the README and the documentation
`progress`            the time left
`accuracy`            backward errors of least squares, ours and the peers', and their chart
`audit`               both sides of the thresholds that choose a path
====================  ==============================================================

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
from fastsub.bench.growth import growth
from fastsub.bench.machine import Machine, machine
from fastsub.bench.pages import publish, read_json, write_json
from fastsub.bench.progress import Progress
from fastsub.bench.runner import Comparison, Refused, Row, compare, measure
from fastsub.bench.sweep import compare_sweep, sweep
from fastsub.bench.table import print_table

__all__ = [
    "GROUPS",
    "Case",
    "Comparison",
    "Machine",
    "Peer",
    "Progress",
    "Refused",
    "Row",
    "WrongAnswerError",
    "cases",
    "compare",
    "compare_sweep",
    "growth",
    "machine",
    "measure",
    "print_table",
    "publish",
    "read_json",
    "sweep",
    "write_json",
]
