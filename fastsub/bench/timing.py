"""Interleaved timing: ours, the peer's, a gemm; ours, the peer's, a gemm; ...

*Done* means that every returned array has been read, for ours and the peer's alike and inside the
timing: an answer may lie in pages that are only mapped when they are first read. Arrays within one
page (4096 bytes) are not read, since that costs more than some of the calls that return them.

Calls shorter than a millisecond are repeated within a sample, so that the clock and the turn-taking
do not count. The garbage collector is off while a sample runs.

NumPy and SciPy each bring a BLAS with a thread pool of its own, and a pool spins for a tenth of a
second after its last call (OpenBLAS gives up after 2**28 clock ticks): on two cores a singular
value decomposition of 400×400 took 50 times longer right after a product in the other pool. So
where a peer's pool is not SciPy's, which ours shares, every sample waits for all pools to sleep.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg.blas
from numpy.typing import NDArray

SAMPLE_SECONDS = 1e-3
# A call this short is made once untimed after a wait, to wake its own pool.
WAKE_SECONDS = 0.05
# Seconds until OpenBLAS's threads sleep; none is started for matrices up to 16×16 (at 32×32 trsm
# and trmm start them).
OPENBLAS_SETTLE, SINGLE_THREADED = 0.15, 16
LEAST_PAIRS, MOST_PAIRS = 3, 30
PAGE = 4096


def read(answer: Any) -> None:
    """Read every array of an answer: an array, a tuple, or a factorisation with R and p."""
    if isinstance(answer, np.ndarray):
        if answer.nbytes > PAGE:
            np.add.reduce(answer, axis=None)
    elif isinstance(answer, tuple):
        for part in answer:
            read(part)
    elif hasattr(answer, "R"):
        read(answer.R)
        read(answer.p)


@dataclass
class Contender:
    """A call that takes turns.

    `number` calls make a sample of `seconds`; before each, `settle` seconds are left for the thread
    pools of others to fall asleep.
    """

    call: Callable[..., Any]
    inputs: tuple[Any, ...] = ()
    settle: float = 0.0
    number: int = 1
    seconds: float = 0.0

    def calibrate(self, seconds: float) -> None:
        """Fix `number` from the seconds of one warm call, timed again if it was short."""
        if seconds < 100 * SAMPLE_SECONDS:
            seconds = min(self.sample() for _ in range(3))
        self.number = int(np.clip(np.ceil(SAMPLE_SECONDS / max(seconds, 1e-9)), 1, 10**5))
        self.seconds = seconds * self.number

    def sample(self) -> float:
        """Return the seconds per call, every returned array read."""
        call, inputs = self.call, self.inputs
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            start = time.perf_counter()
            for _ in range(self.number):
                read(call(*inputs))
            return (time.perf_counter() - start) / self.number
        finally:
            if was_enabled:
                gc.enable()


def gemm(flops: float, dtype: str, settle: float = 0.0) -> tuple[Contender, float]:
    """Return SciPy's gemm on square matrices of that many operations, and flops / its flops.

    SciPy's, because ours and most peers use SciPy's BLAS: NumPy's is another thread pool. Beside
    integers it is that of doubles, in which they are computed.
    """
    kind = np.dtype(dtype if np.dtype(dtype).kind in "fc" else "float64")  # what residues are
    operations = 8 if kind.kind == "c" else 2
    n = max(1, round((flops / operations) ** (1 / 3)))
    rng = np.random.default_rng(28)
    a, b = (np.asfortranarray(rng.standard_normal((n, n)), dtype=kind) for _ in range(2))
    product = np.zeros((n, n), dtype=kind, order="F")
    call = getattr(scipy.linalg.blas, {"f": "s", "d": "d", "F": "c", "D": "z"}[kind.char] + "gemm")
    call = partial(call, 1.0, a, b, c=product, overwrite_c=True)
    return Contender(call, settle=settle), flops / (operations * float(n) ** 3)


def interleave(contenders: list[Contender], rounds: int) -> NDArray[np.float64]:
    """Time the contenders in turns; return seconds per call, (rounds, contenders)."""
    seconds = np.empty((rounds, len(contenders)))
    for round_ in range(rounds):
        for i, contender in enumerate(contenders):
            if contender.settle:
                time.sleep(contender.settle)
                if contender.seconds < WAKE_SECONDS:
                    contender.call(*contender.inputs)
            seconds[round_, i] = contender.sample()
    return seconds


def rounds_within(budget: float, contenders: list[Contender]) -> int:
    """Return how many rounds fit the budget in seconds, but 3 at least and 30 at most."""
    round_seconds = sum(contender.seconds + contender.settle for contender in contenders)
    return int(np.clip(budget / max(round_seconds, 1e-9), LEAST_PAIRS, MOST_PAIRS))
