"""What the pytest-benchmark files share: a group a case, ours and the peers inside the group.

pytest-benchmark runs one contender after the other, so machine noise that drifts spoils its ratios;
``python -m bench compare`` takes turns and is what is quoted. Here one sees the distributions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from fastsub.bench import Case, cases
from fastsub.bench.timing import OPENBLAS_SETTLE, SINGLE_THREADED, read

OURS = "fastsub"


def parametrize(group: str) -> pytest.MarkDecorator:
    """Return the mark that calls a test with every case of a group and each of its contenders."""
    return pytest.mark.parametrize(("case", "contender"), list(_parameters(group)))


def _parameters(group: str) -> Iterator[Any]:
    for case in cases([group]):
        for contender in (OURS, *case.peers):
            slow = contender != OURS and case.peers[contender].slow
            mark = pytest.mark.slow if slow else pytest.mark.benchmark
            name = f"{case.name}-{contender}".replace("×", "x").replace(" ", "-")
            yield pytest.param(case, contender, marks=mark, id=name)


@lru_cache(maxsize=1)
def _inputs_and_answer(case: Case) -> tuple[tuple[Any, ...], Any]:
    inputs = case.inputs()
    return inputs, case.ours(*inputs)


def run(benchmark: Any, case: Case, contender: str) -> None:
    """Check this contender's answer against ours, then time it; ours against a peer's, or itself.

    The rank and the residual are checked absolutely, so that ours beside itself is checked too,
    where every peer is slow. Every returned array is read inside the timing.
    """
    inputs, ours = _inputs_and_answer(case)
    if contender == OURS:
        call, slow, settle = case.ours, False, OPENBLAS_SETTLE
        fast = [peer.call for peer in case.peers.values() if not peer.slow]
        theirs = fast[0](*inputs) if fast else ours
    else:
        peer = case.peers[contender]
        call, slow, settle = peer.call, peer.slow, max(peer.settle, OPENBLAS_SETTLE)
        theirs = call(*inputs)
    case.check(inputs, ours, theirs)
    if max(case.shape) > SINGLE_THREADED:
        time.sleep(settle)

    def timed() -> None:
        read(call(*inputs))

    benchmark.group = case.name
    if slow:
        benchmark.pedantic(timed, rounds=1)
    else:
        benchmark(timed)
