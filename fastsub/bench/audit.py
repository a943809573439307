"""Do the thresholds of `fastsub.factor.choose` choose right? Both sides of each, timed in turns.

A question (questions.py) names a constant, the function that feels it, what is varied, and shapes
on both sides of it. What is varied is a field of `Plan`, or the answer of a predicate. Every
alternative goes through the public function with that replaced.
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
from scipy.sparse import random_array

import fastsub
from fastsub.bench import matrices
from fastsub.bench.questions import QUESTIONS, Question, Shape
from fastsub.bench.timing import Contender, interleave, rounds_within
from fastsub.factor import choose as choosing
from fastsub.factor.choose import Plan

# Faster by less than this is no reason to choose.
TIE = 1.05
# Where `choose`, and the predicates that go before it, are called from.
_CALLERS = (
    "fastsub.factor.orthogonal.cod",
    "fastsub.factor.orthogonal.rrqr",
    "fastsub.factor.small",
    "fastsub.factor.sparse.arrays",
    "fastsub.factor.tall.sketched",
    "fastsub.factor.gram",
    "fastsub.factor.least_squares.solve",
    "fastsub.functions.factorize",
)
_PREDICATES = ("small", "tall")
# What else is chosen, before no plan: the function of `choose` that says so.
CHOICES = {
    "dense": "is_dense",
    "packed": "is_packed",
    "fused": "is_fused",
    "many": "is_many",
    "seminormal": "prefers_seminormal",
}


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
    if vary not in (*_PREDICATES, *CHOICES, *names):
        raise ValueError(f"a plan has no field {vary!r}; it has {', '.join(names)}")

    def predicate(*of: Any) -> bool:
        return bool(value)

    def choose(*args: Any, **options: Any) -> Plan:
        plan = choosing.choose(*args, **options)
        if vary == "adjoint" and plan.adjoint != value:
            plan = replace(plan, left=plan.right, right=plan.left)
        return replace(plan, **{vary: value})

    name = "choose" if vary in names else CHOICES.get(vary, f"is_{vary}")
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
    if question.vary in CHOICES:
        (m, n), k = A.shape, question.sides
        return {
            "dense": lambda: choosing.is_dense(m, n, m * question.entries),
            "packed": lambda: choosing.is_packed(m, n, A.dtype),
            "fused": lambda: choosing.is_fused(n, A.dtype),
            "many": lambda: choosing.is_many(n, k),
            "seminormal": lambda: choosing.prefers_seminormal(m, n, A.dtype),
        }[question.vary]()
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
    if question.vary == "dense":
        before = ()
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
    rng = np.random.default_rng(6)
    A: Any = matrices.of_rank(rng, *shape, question.dtype)
    if question.entries:
        density = min(1.0, question.entries / shape[1])
        A = random_array(shape[:2], density=density, rng=rng, format="csr")
    b = rng.standard_normal((shape[0], question.sides)).astype(A.dtype)
    function = getattr(fastsub, question.function)

    def run(value: Any) -> Any:
        with _past_predicates(question), forced(question.vary, value):
            if question.function == "factorize":
                return function(A).solve(b)
            return function(A, b) if question.sides else function(A)

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
