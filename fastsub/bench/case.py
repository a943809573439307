"""A case: one input, our call, the peers' calls, and what a right answer is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Inputs = tuple[Any, ...]


class WrongAnswerError(AssertionError):
    """An answer failed its check: it is not timed, or its time is not reported."""


@dataclass(frozen=True)
class Peer:
    """Somebody else's function for the same answer.

    Parameters
    ----------
    call : callable
        Takes the inputs of the case, returns an array or a tuple of arrays.
    floor : float, optional
        The ratio (its time / our time) that is wanted.
    slow : bool, default: False
        A minute a call, or gigabytes: called once, and only when slow peers are asked for.
    settle : float, default: 0.0
        Seconds to wait for thread pools to fall asleep before every sample, because this peer's
        pool is not ours: see `fastsub.bench.timing`.
    """

    call: Callable[..., Any]
    floor: float | None = None
    slow: bool = False
    settle: float = 0.0


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison to make, against one peer or several.

    Parameters
    ----------
    group : str
        The function compared: null_space, orth, rank, lstsq, rrqr, exact or modular.
    title : str
        What distinguishes this case from others of its shape, rank and dtype; may be empty.
    shape : tuple of int
        (m, n) of the matrix.
    rank : int
        Its numerical rank, by construction.
    dtype : str
        float32, float64, complex64 or complex128; integers are timed beside a gemm of float64.
    make : callable
        From a ``numpy.random.Generator`` to the tuple of inputs.
    ours : callable
        Our function of these inputs.
    peers : mapping of str to Peer
        By the name that the table shows.
    flops : float
        Real operations that the answer needs by the textbook (see `fastsub.bench.flops`).
    check : callable
        ``check(inputs, our_answer, peer_answer)`` returns the residual to be shown (None if there
        is no such number) or raises WrongAnswerError.
    certify : callable, optional
        From the inputs to our Certificate.
    seed : int
        Of the generator that `make` gets.
    part : {"rows", "scaled", "sweep", "growth"}
        Which part of a benchmark it belongs to: the wanted ratios, the same at shapes 7 % larger
        and smaller, every shape from 1×1 up, or time against n for a chart.
    main : bool, default: False
        Whether a README shows it.
    """

    group: str
    title: str
    shape: tuple[int, int]
    rank: int
    dtype: str
    make: Callable[[np.random.Generator], Inputs]
    ours: Callable[..., Any]
    peers: Mapping[str, Peer]
    flops: float
    check: Callable[[Inputs, Any, Any], float | None]
    certify: Callable[..., Any] | None = None
    seed: int = 8128
    part: str = "rows"
    main: bool = False

    @property
    def name(self) -> str:
        """The case in one line, such as ``"orth 20000×500 rank 450 float64"``."""
        m, n = self.shape
        name = f"{self.group} {m}×{n} rank {self.rank} {self.dtype}"
        return f"{name}, {self.title}" if self.title else name

    def inputs(self) -> Inputs:
        """Make the inputs: the same at every call."""
        return self.make(np.random.default_rng(self.seed))
