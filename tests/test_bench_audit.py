"""The audit of the thresholds: it forces what it says, hears what is chosen, and asks about all."""

from dataclasses import fields, replace
from unittest import mock

import numpy as np
import pytest

import fastsub
from fastsub.bench import audit
from fastsub.bench.questions import QUESTIONS
from fastsub.factor import choose as choosing
from fastsub.factor.choose import Plan, choose, is_small, is_tall, prefers_gram
from fastsub.factor.orthogonal.cod import COD

PLAN = {each.name for each in fields(Plan)}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.text)
def test_questions_are_about_what_is_there(question):
    assert question.constant in PLAN or hasattr(choosing, question.constant)
    assert question.vary in ("small", "tall", *audit.CHOICES) or question.vary in PLAN
    assert callable(getattr(fastsub, question.function))
    assert len(set(question.values)) == len(question.values) > 1
    for m, n, r in question.shapes:
        assert 0 < r <= min(m, n)


def test_both_sides_of_a_threshold_are_asked():
    """Unless the field has one value whatever the shape, `choose` takes more than one here."""
    for question in QUESTIONS:
        if question.vary == "small":
            chosen = {is_small(m, n, n) for m, n, _ in question.shapes}
            assert chosen == {True, False}, question.text
        elif question.constant == "_TALL_FROM":
            assert {is_tall(m, n) for m, n, _ in question.shapes} == {True, False}, question.text
        elif question.vary in audit.CHOICES:
            shapes = [np.empty((m, n), question.dtype) for m, n, _ in question.shapes]
            chosen = {audit._chosen(question, A) for A in shapes}
            assert chosen == {True, False}, question.text
        elif question.constant == "_SKETCH_COLUMNS":
            chosen = {prefers_gram(m, n, question.dtype) for m, n, _ in question.shapes}
            assert chosen == {True, False}, question.text
        elif set(question.values) == {True, False} and not question.is_price:
            want = {"rrqr": "rrqr", "matrix_rank": "rank", "null_space": "row"}[question.function]
            chosen = {
                getattr(choose(m, n, question.dtype, want=want), question.vary)
                for m, n, _ in question.shapes
            }
            assert chosen == {True, False}, question.text


def test_what_is_forced_is_taken():
    A = np.random.default_rng(21).standard_normal((80, 60))
    with audit.forced("block", 7):
        assert COD(A)._qr.plan.block == 7
    assert COD(A)._qr.plan.block == choose(80, 60, "float64", want="all").block
    for value, method in ((True, "small q"), (False, "qr")):
        with audit.forced("small", value):
            assert method in fastsub.null_space(A, full_output=True)[1].method
    with pytest.raises(ValueError, match="no field 'colour'"), audit.forced("colour", 1):
        pass


def test_an_answer_times_every_alternative_and_knows_the_chosen_one():
    question = replace(QUESTIONS[0], values=(True, False), shapes=((40, 30, 20),))
    (found,) = audit.audit([question], budget=0)
    assert set(found.seconds) == {True, False}
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.chosen is True
    block = replace(question, vary="block", values=(3, 5))
    found = audit.answer(block, (300, 290, 200), budget=0)
    assert found.chosen == choose(300, 290, "float64", want="all").block
    assert set(found.seconds) == {3, 5, found.chosen}
    assert "290" in str(found)


def test_a_wrong_choice_is_one_that_is_clearly_slower():
    question = QUESTIONS[0]
    shape = question.shapes[0]
    slow = audit.Finding(question, shape, {True: 2.0, False: 1.0}, chosen=True)
    assert slow.is_wrong
    assert "WRONG, False wins by 2.00" in str(slow)
    assert not replace(slow, chosen=False).is_wrong
    assert not replace(slow, seconds={True: 1.01, False: 1.0}).is_wrong
    assert not replace(slow, question=replace(question, is_price=True)).is_wrong


@pytest.mark.parametrize(
    ("vary", "value", "method"),
    [
        ("many", True, "explicit Q"),
        ("many", False, "step"),
        ("seminormal", True, "normal equation"),
        ("seminormal", False, "qr"),
    ],
)
def test_what_is_forced_of_solvers_is_taken(vary, value, method):
    A = np.random.default_rng(23).standard_normal((800, 80))
    B = np.ones((800, 30))
    with audit.forced(vary, value):
        if vary == "seminormal":
            certificate = fastsub.factorize(A).certificate
        else:
            certificate = fastsub.lstsq(A, B, full_output=True)[1]
    assert certificate.method.removesuffix("s").endswith(method)


def test_an_answer_solves_where_the_question_has_right_hand_sides():
    for question in QUESTIONS:
        if question.sides:
            small = replace(question, sides=3, shapes=((300, 140, 140),))
            (found,) = audit.audit([small], budget=0)
            assert set(found.seconds) == {True, False}
            assert found.chosen in (True, False)


def test_constants_without_a_question_are_told():
    assert not audit.unasked()
    with mock.patch.object(choosing, "_OTHER_FROM", 3, create=True):
        assert audit.unasked() == ["_OTHER_FROM"]
