"""Every shape from 1×1 up, every kind of rank, both orders: no case may be a losing one.

Thousands of matrices, so time goes where it decides something. Those of one shape share their
singular vectors and take turns together: one round is ours on each, then the peer's on each. A
matrix leaves the rounds as soon as its ratio is far from 1. What looks like a loss is measured
again when all else is done, by `measure` and in pairs; only that measurement is called one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from fastsub.bench import builders
from fastsub.bench.case import Case, Inputs
from fastsub.bench.matrices import of_family
from fastsub.bench.runner import FAILURES, Comparison, Row, measure, settle_of, timed
from fastsub.bench.summary import classes
from fastsub.bench.timing import WAKE_SECONDS, Contender

SIZES = (1, 2, 3, 5, 8, 16, 32, 64, 100, 200, 500, 1000, 2000)

# One pair is enough if its ratio is this far above 1; three if all of theirs are that far from 1,
# or have taken so many seconds; else there are nine.
_CLEAR_AT_ONCE, _CLEAR, _LOST, _LONG = 3.0, 1.3, 0.8, 5.0
_FEW, _MANY = 3, 9
# Below so many seconds a first call is no sample: it is cold, and a thousandth is soon repeated.
_FIRST_COUNTS = 0.02

# The function replaced, which must never be faster; rrqr replaces none.
_REPLACED: dict[str, tuple[Callable[..., Case], str, dict[str, Any]]] = {
    "null_space": (builders.null_space_case, "scipy null_space", {"scipy_floor": 1.0}),
    "orth": (builders.orth_case, "scipy orth", {"scipy_floor": 1.0}),
    "rank": (builders.rank_case, "numpy matrix_rank", {"numpy_floor": 1.0}),
    "lstsq": (builders.lstsq_case, "scipy gelsd", {"floors": {"scipy gelsd": 1.0}}),
    "pinv": (builders.pinv_case, "scipy pinv", {"scipy_floor": 1.0}),
}


def sweep(
    groups: Iterable[str] = tuple(_REPLACED), sizes: Iterable[int] = SIZES
) -> Iterator[list[Case]]:
    """Yield, for every function and shape, the cases of all ranks in C and Fortran order.

    Parameters
    ----------
    groups : iterable of str
        As for `cases`; groups that replace no function are passed over.
    sizes : iterable of int
        Values that m and n take.

    Yields
    ------
    list of Case
        Of rank 0, 1, half, full - 1 and full. Each with one peer, the function that ours replaces,
        and the floor 1.
    """
    sizes, groups = tuple(sizes), [group for group in groups if group in _REPLACED]
    # In no order of size, so that the time of the first says something about the time left.
    shapes = np.random.default_rng(2305).permutation([(m, n) for m in sizes for n in sizes])
    for m, n in shapes.tolist():
        full = min(m, n)
        ranks = sorted({0, 1, full // 2, full - 1, full})
        for group in groups:
            builder, replaced, options = _REPLACED[group]
            made = partial(builder, maker=of_family, **options)
            every = [made((m, n, r), order=order) for r in ranks for order in ("C", "F")]
            yield [
                replace(case, peers={replaced: case.peers[replaced]}, part="sweep")
                for case in every
            ]


@dataclass
class _Entrant:
    """A matrix in the rounds: what is called on it, and the samples so far, in pairs."""

    case: Case
    peer: str
    inputs: Inputs
    residual: float | None
    ours: Contender
    theirs: Contender
    pairs: list[tuple[float, float]] = field(default_factory=list)

    def is_clear(self) -> bool:
        """Whether no more pairs are needed."""
        if not self.pairs:
            return False
        ratios = [theirs / ours for ours, theirs in self.pairs]
        if len(ratios) < _FEW:
            return min(ratios) >= _CLEAR_AT_ONCE
        far = min(ratios) >= _CLEAR or max(ratios) <= _LOST
        return far or len(ratios) >= _MANY or sum(map(sum, self.pairs)) >= _LONG

    def row(self) -> Row:
        """Return what was found."""
        ours, theirs = zip(*self.pairs, strict=True)
        return Row.of(
            self.case,
            self.peer,
            ours,
            theirs,
            pairs=len(self.pairs),
            gemm_seconds=None,
            over_gemm=None,
            residual=self.residual,
            decided_by=None,
            method=None,
        )


def _in_turn(entrants: list[Contender], settle: float) -> list[float]:
    """Sample each; the other side's pool, if it is not the same, is left to fall asleep after."""
    seconds = []
    for entrant in entrants:
        if settle and entrant.seconds < WAKE_SECONDS:
            entrant.call(*entrant.inputs)
        seconds.append(entrant.sample())
    time.sleep(settle)
    return seconds


def _enter(cases: list[Case], settle: float, comparison: Comparison) -> list[_Entrant]:
    """Check the answers of both, and fix how many calls make a sample."""
    answers, entrants = [], []
    for case in cases:
        inputs = case.inputs()
        try:
            answers.append((case, inputs, *timed(case.ours, inputs)))
        except FAILURES as error:
            comparison.refuse(case, next(iter(case.peers)), error)
    time.sleep(settle)
    while answers:
        case, inputs, answer, our_first = answers.pop(0)
        ((name, peer),) = case.peers.items()
        try:
            theirs, peer_first = timed(peer.call, inputs)
            residual = case.check(inputs, answer, theirs)
        except FAILURES as error:
            comparison.refuse(case, name, error)
            continue
        contenders = Contender(case.ours, inputs), Contender(peer.call, inputs)
        entrant = _Entrant(case, name, inputs, residual, *contenders)
        if our_first > _FIRST_COUNTS:
            entrant.pairs.append((our_first, peer_first))
        entrants.append(entrant)
        contenders[0].seconds, contenders[1].seconds = our_first, peer_first
    doubtful = [entrant for entrant in entrants if not entrant.is_clear()]
    for entrant in doubtful:
        entrant.theirs.calibrate(entrant.theirs.seconds)
    time.sleep(settle)
    for entrant in doubtful:
        entrant.ours.calibrate(entrant.ours.seconds)
    return entrants


def _rounds(cases: list[Case], comparison: Comparison) -> Iterator[tuple[Case, Row]]:
    """Measure the cases of one shape and function."""
    settle = settle_of(cases[0], *cases[0].peers)
    entrants = _enter(cases, settle, comparison)
    while waiting := [entrant for entrant in entrants if not entrant.is_clear()]:
        ours = _in_turn([entrant.ours for entrant in waiting], settle)
        theirs = _in_turn([entrant.theirs for entrant in waiting], settle)
        for entrant, pair in zip(waiting, zip(ours, theirs, strict=True), strict=True):
            entrant.pairs.append(pair)
    for entrant in entrants:
        yield entrant.case, entrant.row()


def compare_sweep(
    batches: Iterable[list[Case]],
    *,
    budget: float = 2.0,
    again: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure a sweep.

    Parameters
    ----------
    batches : iterable of list of Case
        From `sweep`: cases of one shape with one peer each.
    budget : float, default: 2.0
        Seconds of measuring again for each case that looks like a loss.
    again : callable, optional
        Called with a case's name before it is measured again.

    Returns
    -------
    Comparison
        With a row for every case, and its summary in ``classes``.
    """
    comparison = Comparison()
    doubtful: list[tuple[int, Case]] = []
    for cases in batches:
        for case, row in _rounds(cases, comparison):
            if row.losing:
                doubtful.append((len(comparison.rows), case))
            comparison.rows.append(row)
    for index, case in doubtful:
        if again is not None:
            again(case.name)
        (name,) = case.peers
        comparison.rows[index] = measure(case, name, budget=budget)
    comparison.classes = classes(comparison.rows)
    return comparison
