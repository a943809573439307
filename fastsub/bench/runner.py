"""Cases in, rows out: check, then time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.bench.timing import (
    LEAST_PAIRS,
    OPENBLAS_SETTLE,
    SINGLE_THREADED,
    Contender,
    gemm,
    interleave,
    read,
    rounds_within,
)


@dataclass(frozen=True)
class Row:
    """One case against one peer; times are medians in seconds.

    Attributes
    ----------
    ratio, ratio_min, ratio_max : float
        Median, least and largest of the peer's time / ours, pair by pair.
    pairs : int
        How many pairs.
    over_gemm : float or None
        Median of our time / the time of a gemm of the same flop count; None if that is zero.
    residual : float or None
        What the check returned.
    floor : float or None
        The ratio that is wanted.
    decided_by, method : str or None
        From our certificate.
    """

    group: str
    title: str
    shape: tuple[int, int]
    rank: int
    dtype: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    gemm_seconds: float
    ratio: float
    ratio_min: float
    ratio_max: float
    pairs: int
    over_gemm: float | None
    residual: float | None
    floor: float | None
    decided_by: str | None
    method: str | None
    in_sweep: bool = False

    @property
    def losing(self) -> bool:
        """Whether the peer is faster."""
        return self.ratio < 1

    @property
    def floor_met(self) -> bool:
        """Whether the ratio is what is wanted (True if nothing is)."""
        return self.floor is None or self.ratio >= self.floor


@dataclass(frozen=True)
class Refused:
    """A comparison that yields no time, and why."""

    case: str
    peer: str
    reason: str


@dataclass
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    rows : list of Row
        The measured ones, losing ones included.
    refused : list of Refused
        Wrong answers, and calls that failed.
    left_out : list of str
        Slow peers that were not asked for.
    """

    rows: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _timed(call: Callable[..., Any], inputs: Inputs) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = call(*inputs)
    read(answer)
    return answer, time.perf_counter() - start


def measure(
    case: Case, peer_name: str, *, budget: float = 2.0, inputs: Inputs | None = None
) -> Row:
    """Check ours and one peer's answer, then time them in turns with a gemm.

    A slow peer is called once: its time is taken from the call whose answer is checked, beside
    three of ours.

    Parameters
    ----------
    case : Case
        What to compare.
    peer_name : str
        A key of ``case.peers``.
    budget : float, default: 2.0
        Seconds of timing; three pairs are made even if they take longer.
    inputs : tuple of arrays, optional
        ``case.inputs()``, if the caller has it.

    Returns
    -------
    Row

    Raises
    ------
    WrongAnswerError
        If the answers fail the check: nothing is timed then.
    """
    peer: Peer = case.peers[peer_name]
    inputs = case.inputs() if inputs is None else inputs
    decided_by, method = None, None
    if case.certify is not None:
        certificate = case.certify(*inputs)
        decided_by, method = str(certificate.decided_by), str(certificate.method)

    threaded = max(case.shape) > SINGLE_THREADED
    settle = peer.settle if threaded else 0.0
    pause = max(settle, OPENBLAS_SETTLE) if threaded else 0.0  # after NumPy's products, in checks
    ours = Contender(case.ours, inputs, settle)
    theirs = Contender(peer.call, inputs, settle)
    time.sleep(pause)
    answer, our_first = _timed(ours.call, inputs)
    time.sleep(settle)
    peer_answer, peer_first = _timed(theirs.call, inputs)
    residual = case.check(inputs, answer, peer_answer)
    del answer, peer_answer

    limit, scale = gemm(case.flops, case.dtype, settle)
    time.sleep(pause)
    limit.calibrate(0.0)
    ours.calibrate(our_first)
    if peer.slow:
        seconds = np.insert(interleave([ours, limit], LEAST_PAIRS), 1, peer_first, axis=1)
    else:
        time.sleep(settle)
        theirs.calibrate(peer_first)
        turns = [ours, theirs, limit]
        seconds = interleave(turns, rounds_within(budget, turns))
    seconds[:, 2] *= scale
    ratios = seconds[:, 1] / seconds[:, 0]
    medians = np.median(seconds, axis=0)
    return Row(
        group=case.group,
        title=case.title,
        shape=case.shape,
        rank=case.rank,
        dtype=case.dtype,
        peer=peer_name,
        ours_seconds=float(medians[0]),
        peer_seconds=float(medians[1]),
        gemm_seconds=float(medians[2]),
        ratio=float(np.median(ratios)),
        ratio_min=float(ratios.min()),
        ratio_max=float(ratios.max()),
        pairs=1 if peer.slow else len(ratios),
        over_gemm=float(np.median(seconds[:, 0] / seconds[:, 2])) if case.flops else None,
        residual=residual,
        floor=peer.floor,
        decided_by=decided_by,
        method=method,
        in_sweep=case.in_sweep,
    )


def _pairs(cases: Iterable[Case]) -> Iterator[tuple[Case, str]]:
    for case in cases:
        for peer_name in case.peers:
            yield case, peer_name


def compare(
    cases: Iterable[Case],
    *,
    budget: float = 2.0,
    slow: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure every case against every peer of its.

    Parameters
    ----------
    cases : iterable of Case
        For instance from `cases` or `sweep`.
    budget : float, default: 2.0
        Seconds of timing for each pair of case and peer.
    slow : bool, default: False
        Whether to call the peers that take tens of seconds.
    progress : callable, optional
        Called with a line of text before each measurement.

    Returns
    -------
    Comparison
        Wrong answers and failed calls are in ``refused``; they stop nothing.
    """
    comparison = Comparison()
    last: Case | None = None
    inputs: Inputs = ()
    for case, peer_name in _pairs(cases):
        if case.peers[peer_name].slow and not slow:
            comparison.left_out.append(f"{case.name} against {peer_name}")
            continue
        if progress is not None:
            progress(f"{case.name} against {peer_name}")
        if case is not last:
            inputs = ()  # frees the last ones before the next are made
            inputs, last = case.inputs(), case
        try:
            comparison.rows.append(measure(case, peer_name, budget=budget, inputs=inputs))
        except (WrongAnswerError, ArithmeticError, ValueError, RuntimeError, MemoryError) as error:
            reason = f"{type(error).__name__}: {error}"
            comparison.refused.append(Refused(case.name, peer_name, reason))
    return comparison
