"""Do the thresholds of `fastsub.factor.choose` choose right? Both sides of each, timed in turns.

A question names a constant, the function that feels it, what is varied, and shapes on both sides
of it. What is varied is a field of `Plan`, or ``"small"``: whether the kernel for small orders is
asked. Every alternative goes through the public function with the plan replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

import fastsub
from fastsub.bench import matrices
from fastsub.bench.timing import Contender, interleave, rounds_within
from fastsub.factor import choose as choosing
from fastsub.factor.choose import Plan

Shape = tuple[int, int, int]  # m, n, rank

# Faster by less than this is no reason to choose.
TIE = 1.05
# Where `choose`, and the predicates that go before it, are called from.
_CALLERS = (
    "fastsub.factor.cod",
    "fastsub.factor.rrqr",
    "fastsub.factor.small",
    "fastsub.factor.sketched",
    "fastsub.factor.gram",
)
_PREDICATES = ("small", "tall")
# What else is chosen by a predicate; it goes before no plan.
_KERNELS = ("packed", "fused")


@dataclass(frozen=True)
class Question:
    """One threshold.

    Attributes
    ----------
    constant : str
        Its name in `fastsub.factor.choose`.
    text : str
        What is asked.
    function : str
        The function of fastsub that is timed.
    vary : str
        A field of `Plan`; ``"small"`` or ``"tall"``, the path that goes before a plan; or
        ``"packed"`` or ``"fused"``, the kernels of Gram matrices and of products.
    values : tuple
        The alternatives.
    shapes : tuple of (m, n, rank)
        On both sides of the threshold.
    dtype : str
    is_price : bool
        Not a question but the other side of one: what the choice costs where it is in vain.
    """

    constant: str
    text: str
    function: str
    vary: str
    values: tuple[Any, ...]
    shapes: tuple[Shape, ...]
    dtype: str = "float64"
    is_price: bool = False


def _squares(*sizes: int, deficiency: float = 0.05) -> tuple[Shape, ...]:
    return tuple((n, n, n - max(1, int(deficiency * n))) for n in sizes)


def _tall(n: int, *ratios: float, deficiency: float = 0.05) -> tuple[Shape, ...]:
    return tuple((int(ratio * n), n, n - int(deficiency * n)) for ratio in ratios)


QUESTIONS = (
    Question(
        "SMALL_ENTRIES",
        "one unblocked pass, or blocks?",
        "null_space",
        "small",
        (True, False),
        (*_squares(64, 100, 150, 200, 250, 300, 400), *_tall(100, 2, 4, 8)),
    ),
    Question(
        "SMALL_SIDE",
        "one unblocked pass, or blocks, where a complement is long?",
        "null_space",
        "small",
        (True, False),
        ((8, 200, 4), (40, 400, 20), (5, 500, 5), (16, 1000, 15), (2, 1000, 1)),
    ),
    Question(
        "_SKETCH_FROM",
        "pivots by a sketch in blocks of so many columns, or by all norms (0)?",
        "rrqr",
        "sketch",
        (0, 32, 48, 64, 96, 128),
        _squares(200, 300, 400, 500, 600, 800, 1000, 1500, 2000),
    ),
    Question(
        "_REDUCE_FROM",
        "first an unpivoted QR, where pivots are wanted?",
        "rrqr",
        "reduce",
        (False, True),
        _tall(500, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 4),
    ),
    Question(
        "_REDUCE_COLUMNS",
        "first an unpivoted QR, where pivots are wanted and columns are few?",
        "rrqr",
        "reduce",
        (False, True),
        ((20000, 16, 15), (20000, 32, 30), (20000, 48, 45), (20000, 64, 60), (20000, 96, 90)),
    ),
    Question(
        "_TALL_FROM",
        "a sketch and one more pass, or a QR?",
        "null_space",
        "tall",
        (True, False),
        _tall(300, 1.5, 2, 3, 4, 6, 10),
    ),
    Question(
        "_LEFT_FROM",
        "null space of a wide matrix: its right side, or the left side of the transpose?",
        "null_space",
        "adjoint",
        (False, True),
        tuple((500, n, 450) for n in (600, 800, 1000, 1500, 2500)),
    ),
    Question(
        "_LEFT_FROM",
        "and what does it cost at full rank?",
        "null_space",
        "adjoint",
        (False, True),
        tuple((500, n, 500) for n in (600, 800, 1000, 1500, 2500)),
        is_price=True,
    ),
    Question(
        "_SKETCH_COLUMNS",
        "of few columns: first the Gram matrix, or a sketch?",
        "matrix_rank",
        "tall",
        (True, False),
        ((20000, 8, 8), (20000, 16, 16), (20000, 32, 32), (20000, 64, 64), (20000, 128, 128)),
    ),
    Question(
        "_GRAM_FROM",
        "first the Gram matrix, where it proves full rank?",
        "matrix_rank",
        "gram",
        (False, True),
        _tall(300, 1.5, 2, 3, 5, 10, 30, deficiency=0),
    ),
    Question(
        "_GRAM_FROM",
        "and what does it cost where it proves nothing?",
        "matrix_rank",
        "gram",
        (False, True),
        _tall(300, 1.5, 3, 10, 30),
        is_price=True,
    ),
    Question(
        "_PACKED_COLUMNS",
        "the Gram matrix from packed rows, or by the BLAS?",
        "matrix_rank",
        "packed",
        (True, False),
        tuple((max(4 * n, 10000), n, n) for n in (20, 50, 100, 200, 500, 800, 1000, 1200, 1600)),
    ),
    Question(
        "_FUSED_COLUMNS",
        "a column space: all products in one pass, or one after the other by the BLAS?",
        "orth",
        "fused",
        (True, False),
        tuple((20000, n, n - n // 20) for n in (50, 100, 200, 300, 400, 500, 700)),
    ),
    Question(
        "block",
        "columns a block of unpivoted QR",
        "null_space",
        "block",
        (32, 48, 64, 96, 128),
        ((1500, 500, 450), (5000, 500, 450), (3000, 1000, 900), (500, 2500, 500)),
    ),
    Question(
        "panel",
        "columns a panel of pivoted QR",
        "rrqr",
        "panel",
        (8, 16, 32, 48, 64),
        _squares(210, 300, 400, 500),
    ),
)


def unasked() -> list[str]:
    """Return the constants of `choose` that no question names."""
    constants = [name for name in vars(choosing) if re.fullmatch(r"_?[A-Z][A-Z_]*", name)]
    return [name for name in constants if name not in {each.constant for each in QUESTIONS}]


@contextmanager
def forced(vary: str, value: Any) -> Iterator[None]:
    """Let everything be chosen as always, but for one field of the plan, or one predicate.

    Raises
    ------
    ValueError
        If a plan has no such field.
    """
    names = [each.name for each in fields(Plan)]
    if vary not in (*_PREDICATES, *_KERNELS, *names):
        raise ValueError(f"a plan has no field {vary!r}; it has {', '.join(names)}")

    def predicate(*of: Any) -> bool:
        return bool(value)

    def choose(*args: Any, **options: Any) -> Plan:
        plan = choosing.choose(*args, **options)
        if vary == "adjoint" and plan.adjoint != value:
            plan = replace(plan, left=plan.right, right=plan.left)
        return replace(plan, **{vary: value})

    name = "choose" if vary in names else f"is_{vary}"
    stand_in: Callable[..., Any] = choose if name == "choose" else predicate
    with ExitStack() as stack:
        for module in _CALLERS:
            if hasattr(__import__(module, fromlist=["_"]), name):
                stack.enter_context(mock.patch(f"{module}.{name}", stand_in))
        if vary == "small" and not value:
            for module in ("fastsub.functions.subspaces", "fastsub.functions.rank"):
                stack.enter_context(mock.patch(f"{module}.SMALL_ENTRIES", 0))
        yield


@dataclass(frozen=True)
class Finding:
    """The answer to a question at one shape.

    Attributes
    ----------
    question : Question
    shape : (m, n, rank)
    seconds : dict
        Of each alternative, the median.
    chosen : object
        What is chosen now; None if the plan is not asked.
    """

    question: Question
    shape: Shape
    seconds: dict[Any, float]
    chosen: Any

    @property
    def best(self) -> Any:
        """The fastest alternative."""
        return min(self.seconds, key=lambda value: self.seconds[value])

    @property
    def loss(self) -> float:
        """How many times as long the chosen one takes as the best."""
        best = self.seconds[self.best]
        return self.seconds.get(self.chosen, best) / best

    @property
    def is_wrong(self) -> bool:
        """Whether another alternative would be clearly faster."""
        return self.loss > TIE and not self.question.is_price

    def __str__(self) -> str:
        least = self.seconds[self.best]
        times = "  ".join(
            f"{value}{'*' if value == self.chosen else ''}: {seconds / least:.2f}"
            for value, seconds in self.seconds.items()
        )
        m, n, r = self.shape
        verdict = f"WRONG, {self.best} wins by {self.loss:.2f}" if self.is_wrong else ""
        shape = f"{m}×{n} rank {r}"
        return f"  {shape:<24}{least * 1e3:9.3g} ms   {times}   {verdict}"


def _chosen(question: Question, A: Any) -> Any:
    """Return what is chosen now: by asking a predicate, by listening to a plan."""
    if question.vary == "small":
        m, n = A.shape
        return choosing.is_small(m, n, n if question.function == "null_space" else 0)
    if question.vary in _KERNELS:
        m, n = A.shape
        if question.vary == "fused":
            return choosing.is_fused(n, A.dtype)
        return choosing.is_packed(m, n, A.dtype)
    if question.vary in _PREDICATES:
        return getattr(choosing, f"is_{question.vary}")(*A.shape)
    heard: list[Any] = []

    def listen(*args: Any, **options: Any) -> Any:
        plan = choosing.choose(*args, **options)
        heard.append(getattr(plan, question.vary))
        return plan

    with _past_predicates(question), ExitStack() as stack:
        for module in _CALLERS:
            if hasattr(__import__(module, fromlist=["_"]), "choose"):
                stack.enter_context(mock.patch(f"{module}.choose", listen))
        getattr(fastsub, question.function)(A)
    return heard[0] if heard else None


@contextmanager
def _past_predicates(question: Question) -> Iterator[None]:
    """Go past the paths before the one that is asked about: they have no plan."""
    before = (
        _PREDICATES[: _PREDICATES.index(question.vary)]
        if (question.vary in _PREDICATES)
        else _PREDICATES
    )
    with ExitStack() as stack:
        for name in before:
            stack.enter_context(forced(name, False))
        yield


def answer(question: Question, shape: Shape, *, budget: float = 1.0) -> Finding:
    """Time the alternatives of a question in turns, at one shape.

    Parameters
    ----------
    question : Question
    shape : (m, n, rank)
    budget : float, default: 1.0
        Seconds of timing.
    """
    A = matrices.of_rank(np.random.default_rng(6), *shape, question.dtype)
    function = getattr(fastsub, question.function)

    def run(value: Any) -> Any:
        with _past_predicates(question), forced(question.vary, value):
            return function(A)

    chosen = _chosen(question, A)
    values = list(question.values)
    if chosen is not None and chosen not in values:
        values.append(chosen)
    contenders = [Contender(partial(run, value)) for value in values]
    for contender in contenders:
        contender.sample()
        contender.calibrate(contender.sample())
    seconds = np.median(interleave(contenders, rounds_within(budget, contenders)), axis=0)
    return Finding(question, shape, dict(zip(values, seconds.tolist(), strict=True)), chosen)


def audit(questions: Iterable[Question] = QUESTIONS, *, budget: float = 1.0) -> Iterator[Finding]:
    """Yield the finding of every question at every shape.

    Parameters
    ----------
    questions : iterable of Question
    budget : float, default: 1.0
        Seconds of timing for each.
    """
    for question in questions:
        for shape in question.shapes:
            yield answer(question, shape, budget=budget)
