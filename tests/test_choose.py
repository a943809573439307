"""The choice of a path: a pure function, whose plan suits the shape."""

import itertools

import pytest

from fastsub.factor.choose import choose, is_small

SIZES = (0, 1, 2, 7, 40, 60, 100, 300, 1000, 5000, 20000)
WANTS = ("rank", "row", "column", "all", "rrqr", "qr")
OF_A_ITSELF = ("rrqr", "qr")
DTYPES = ("float32", "float64", "complex64", "complex128")


def every_plan():
    for m, n, dtype, want, c_order in itertools.product(SIZES, SIZES, DTYPES, WANTS, (0, 1)):
        yield m, n, dtype, want, c_order, choose(m, n, dtype, want=want, c_order=bool(c_order))


def test_invariants_of_every_plan():
    for m, n, dtype, want, c_order, plan in every_plan():
        rows, columns = (n, m) if plan.adjoint else (m, n)
        context = (m, n, dtype, want, c_order, plan)
        # The decompositions are of tall or square matrices, unless nobody wants the left side; the
        # user's factors of A itself.
        tall = rows >= columns or not plan.left
        assert not plan.adjoint if want in OF_A_ITSELF else tall, context
        assert plan.right or (plan.left and want != "all"), context
        assert plan.block >= 1, context
        assert plan.panel >= 1, context
        if plan.reduce:
            # To a square triangle: there must be rows to take away.
            assert rows > columns > 0, context
        if plan.gram and columns:
            assert want == "rank", context
            assert rows > columns, context
            # A Gram matrix halves the digits: single precision has none to give.
            assert dtype in ("float64", "complex128"), context
        # The side that nobody wants is not kept.
        wanted = {"row": plan.adjoint, "column": not plan.adjoint, "rank": False}
        assert plan.left == wanted.get(want, True), context
        if plan.sketch:
            # SciPy promises that |diag R| does not increase; pivots by a sketch do not.
            assert want != "qr", context
            assert 1 <= plan.sketch <= min(m, n), context


def test_square_takes_the_layout_that_is_column_major():
    assert choose(50, 50, "float64", want="all", c_order=True).adjoint
    assert not choose(50, 50, "float64", want="all", c_order=False).adjoint
    # One side alone is the right one of what is factored, whatever the layout.
    for c_order in (False, True):
        assert not choose(50, 50, "float64", want="row", c_order=c_order).adjoint
        assert choose(50, 50, "float64", want="column", c_order=c_order).adjoint
    # The layout decides nothing else.
    for m, n in ((60, 50), (50, 60)):
        for want in WANTS:
            one, other = (choose(m, n, "float64", want=want, c_order=c) for c in (True, False))
            assert one == other


def test_transposing_the_matrix_transposes_the_plan():
    for m, n in itertools.product(SIZES, SIZES):
        if m == n:
            continue
        for want in ("rank", "all"):
            one, other = choose(m, n, "float64", want=want), choose(n, m, "float64", want=want)
            assert one.adjoint != other.adjoint
            assert (one.gram, one.reduce, one.block, one.panel) == (
                other.gram,
                other.reduce,
                other.block,
                other.panel,
            )


@pytest.mark.parametrize("dtype", DTYPES)
def test_pure(dtype):
    one, other = (choose(300, 70, dtype, want="all") for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(AttributeError):
        one.block = 3


def test_the_tall_take_the_fast_paths():
    assert choose(20000, 500, "float64", want="all").reduce
    assert choose(20000, 500, "float64", want="rank").gram
    assert not choose(20000, 500, "float64", want="all").gram
    assert not choose(500, 500, "float64", want="rank").gram


def test_small_is_neither_empty_nor_large():
    for m, n in itertools.product(SIZES, SIZES):
        assert is_small(m, n) == is_small(n, m)
        assert not (is_small(m, n) and m * n == 0)
        assert not (is_small(m, n) and m * n > 10**6)
    assert is_small(1, 1)
