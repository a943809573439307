"""Cases in, rows out: check, then time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastsub.bench.case import Case, Inputs, WrongAnswerError
from fastsub.bench.memory import peak_beyond_output
from fastsub.bench.summary import SweepClass
from fastsub.bench.timing import (
    LEAST_PAIRS,
    SINGLE_THREADED,
    Contender,
    gemm,
    interleave,
    read,
    rounds_within,
)

# A peer whose call takes this long is timed once: beside it, noise is small.
ONCE_SECONDS = 4.0
# A loss is measured again with this many times the budget before it is called one.
SECOND_LOOK = 2.0
# Below this input the contract's "+ 1 MB" leaves nothing to see.
MEMORY_FROM = 10**6
FAILURES = (WrongAnswerError, ArithmeticError, ValueError, RuntimeError, MemoryError)


@dataclass(frozen=True)
class Row:
    """One case against one peer; times are medians in seconds.

    Attributes
    ----------
    ratio, ratio_min, ratio_max : float
        Median, least and largest of the peer's time / ours, pair by pair.
    pairs : int
        How many pairs.
    gemm_seconds : float or None
        The time of a gemm of the same flop count; not measured in a sweep.
    over_gemm : float or None
        Median of our time / that time; None if the flop count is zero.
    residual : float or None
        What the check returned.
    floor : float or None
        The ratio that is wanted.
    decided_by, method : str or None
        From our certificate.
    memory : float or None
        Peak of our memory beyond input and output, over the size of the input; None if that is
        below a megabyte.
    part, main
        As in `Case`.
    """

    group: str
    title: str
    shape: tuple[int, int]
    rank: int
    dtype: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    gemm_seconds: float | None
    ratio: float
    ratio_min: float
    ratio_max: float
    pairs: int
    over_gemm: float | None
    residual: float | None
    floor: float | None
    decided_by: str | None
    method: str | None
    memory: float | None = None
    part: str = "rows"
    main: bool = False

    @classmethod
    def of(cls, case: Case, peer: str, ours: Any, theirs: Any, **fields: Any) -> Row:
        """Return the row of samples in pairs, seconds a call, (pairs,) each."""
        ratios = np.asarray(theirs) / np.asarray(ours)
        return cls(
            group=case.group,
            title=case.title,
            shape=case.shape,
            rank=case.rank,
            dtype=case.dtype,
            peer=peer,
            ours_seconds=float(np.median(ours)),
            peer_seconds=float(np.median(theirs)),
            ratio=float(np.median(ratios)),
            ratio_min=float(ratios.min()),
            ratio_max=float(ratios.max()),
            floor=case.peers[peer].floor,
            part=case.part,
            main=case.main,
            **fields,
        )

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
    """What `compare` and `compare_sweep` found.

    Attributes
    ----------
    rows : list of Row
        The measured ones, losing ones included.
    refused : list of Refused
        Wrong answers, and calls that failed.
    left_out : list of str
        Slow peers that were not asked for, and cases whose peer is not installed.
    classes : list of SweepClass
        The sweep, by function, size and aspect.
    """

    rows: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    classes: list[SweepClass] = field(default_factory=list)

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(
            self.rows + other.rows,
            self.refused + other.refused,
            self.left_out + other.left_out,
            self.classes + other.classes,
        )

    def refuse(self, case: Case, peer: str, error: Exception) -> None:
        """Note a comparison that failed."""
        self.refused.append(Refused(case.name, peer, f"{type(error).__name__}: {error}"))


def timed(call: Callable[..., Any], inputs: Inputs) -> tuple[Any, float]:
    """Return the answer of one call and its seconds, every returned array read."""
    start = time.perf_counter()
    answer = call(*inputs)
    read(answer)
    return answer, time.perf_counter() - start


def settle_of(case: Case, peer: str) -> float:
    """Return the seconds to wait between ours and this peer: none where neither starts threads."""
    return case.peers[peer].settle if max(case.shape) > SINGLE_THREADED else 0.0


def measure(
    case: Case, peer_name: str, *, budget: float = 2.0, inputs: Inputs | None = None
) -> Row:
    """Check ours and one peer's answer, then time them in turns with a gemm.

    A peer that takes four seconds is called once: its time is taken from the call whose answer is
    checked, beside three of ours.

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
        Of a second and longer measurement if the first one found the peer faster.

    Raises
    ------
    WrongAnswerError
        If the answers fail the check: nothing is timed then.
    """
    peer = case.peers[peer_name]
    inputs = case.inputs() if inputs is None else inputs
    decided_by, method = None, None
    if case.certify is not None:
        certificate = case.certify(*inputs)
        decided_by, method = str(certificate.decided_by), str(certificate.method)

    settle = settle_of(case, peer_name)
    ours = Contender(case.ours, inputs, settle)
    theirs = Contender(peer.call, inputs, settle)
    answer, our_first = timed(ours.call, inputs)
    time.sleep(settle)
    peer_answer, peer_first = timed(theirs.call, inputs)
    once = peer.slow or peer_first > ONCE_SECONDS
    residual = case.check(inputs, answer, peer_answer)
    del answer, peer_answer

    limit, scale = gemm(case.flops, case.dtype, settle)
    time.sleep(settle)
    limit.calibrate(0.0)
    ours.calibrate(our_first)
    if not once:
        time.sleep(settle)
        theirs.calibrate(peer_first)

    def row(budget: float) -> Row:
        if once:
            seconds = np.insert(interleave([ours, limit], LEAST_PAIRS), 1, peer_first, axis=1)
        else:
            turns = [ours, theirs, limit]
            seconds = interleave(turns, rounds_within(budget, turns))
        seconds[:, 2] *= scale
        return Row.of(
            case,
            peer_name,
            seconds[:, 0],
            seconds[:, 1],
            pairs=1 if once else len(seconds),
            gemm_seconds=float(np.median(seconds[:, 2])),
            over_gemm=float(np.median(seconds[:, 0] / seconds[:, 2])) if case.flops else None,
            residual=residual,
            decided_by=decided_by,
            method=method,
            memory=memory,
        )

    memory = None
    if getattr(inputs[0], "nbytes", 0) >= MEMORY_FROM:
        memory = peak_beyond_output(case.ours, *inputs) / inputs[0].nbytes
    found = row(budget)
    return row(SECOND_LOOK * budget) if found.losing else found


def compare(
    cases: Iterable[Case],
    *,
    budget: float = 2.0,
    slow: bool = False,
) -> Comparison:
    """Measure every case against every peer of its.

    Parameters
    ----------
    cases : iterable of Case
        From `cases` or `growth`; for a sweep see `compare_sweep`.
    budget : float, default: 2.0
        Seconds of timing for each pair of case and peer.
    slow : bool, default: False
        Whether to call the peers that take a minute.

    Returns
    -------
    Comparison
        Wrong answers and failed calls are in ``refused``; they stop nothing.
    """
    comparison = Comparison()
    for case in cases:
        left_out = [name for name, peer in case.peers.items() if peer.slow and not slow]
        comparison.left_out += [f"{case.name} against {name}, which is slow" for name in left_out]
        if len(left_out) == len(case.peers):
            continue
        inputs = case.inputs()
        for name in case.peers:
            if name in left_out:
                continue
            try:
                comparison.rows.append(measure(case, name, budget=budget, inputs=inputs))
            except FAILURES as error:
                comparison.refuse(case, name, error)
        del inputs  # before the next are made
    return comparison
