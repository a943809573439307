"""Every solution of A x = b: against rational arithmetic, in all four cases."""

import pickle

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft

some = settings(max_examples=80)
CLOSE = {"rtol": 0, "atol": 1e-9}


@st.composite
def systems(draw, columns=0):
    """A of small integers, often of low rank, and b, often in its image."""
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    r = draw(st.integers(0, min(m, n)))
    entries = st.integers(-4, 4)

    def matrix(rows, cols):
        return np.array(
            draw(st.lists(entries, min_size=rows * cols, max_size=rows * cols)), int
        ).reshape(rows, cols)

    A = matrix(m, r) @ matrix(r, n) if draw(st.booleans()) else matrix(m, n)
    k = columns or 1
    inside = A @ matrix(n, k)
    b = np.where([draw(st.booleans()) for _ in range(k)], inside, matrix(m, k))
    return A, b if columns else b[:, 0]


def exact_kind(A, b):
    """Rouché and Capelli, in Fractions."""
    rank = len(reference.rref(A)[1])
    if len(reference.rref(np.column_stack([A, b]))[1]) > rank:
        return "none"
    return "unique" if rank == A.shape[1] else "infinite"


def exact_determined(A):
    """Components that are zero in the whole null space: their unit vectors are rows."""
    n, rank = A.shape[1], len(reference.rref(A)[1])
    return [
        len(reference.rref(np.vstack([A, np.eye(n, dtype=int)[i]]))[1]) == rank for i in range(n)
    ]


@some
@given(systems())
def test_kind_and_every_member(system):
    A, b = system
    S = fastsub.solutions(A, b)
    kind, n = exact_kind(A, b), A.shape[1]
    assert S.kind == kind
    rank = len(reference.rref(A)[1])
    assert S.directions.dim == n - rank == n - S.certificate.rank
    x = S.particular
    np.testing.assert_allclose(x, np.linalg.pinv(A) @ b, **CLOSE)
    np.testing.assert_allclose(b - A @ x, S.residual, **CLOSE)
    np.testing.assert_allclose(A.T @ S.residual, 0, **CLOSE)
    np.testing.assert_allclose(S.nearest_b + S.residual, b, **CLOSE)
    assert S.residual_norm == pytest.approx(np.linalg.norm(b - A @ x), abs=1e-9)
    assert S.determined.tolist() == exact_determined(A)
    members = [x, S.sample(), S.sample(rng=733), S.basic(), S.closest_to(np.arange(n))]
    for y in members:
        assert (y in S) == (kind != "none")
        np.testing.assert_allclose(A @ y, A @ x, **CLOSE)
        np.testing.assert_allclose(y[S.determined], x[S.determined], **CLOSE)
    assert np.count_nonzero(S.basic()) <= rank


@some
@given(systems())
def test_closest_is_closest(system):
    A, b = system
    S = fastsub.solutions(A, b)
    x0 = np.linspace(-2, 3, A.shape[1])
    nearest = np.linalg.norm(S.closest_to(x0) - x0)
    for seed in range(2, 7):
        assert nearest <= np.linalg.norm(S.sample(rng=seed) - x0) + 1e-9
    assert nearest <= np.linalg.norm(S.basic() - x0) + 1e-9


@some
@given(systems())
def test_what_is_no_solution_is_not_in_the_set(system):
    A, b = system
    S = fastsub.solutions(A, b)
    for i in range(A.shape[1]):
        x = S.particular.copy()
        x[i] += 1
        moved = bool(A[:, i].any())
        assert (x in S) == (S.kind != "none" and not moved)


@some
@given(systems(columns=3))
def test_columns_of_b_each_of_its_kind(system):
    A, B = system
    S = fastsub.solutions(A, B)
    assert S.kind.tolist() == [exact_kind(A, b) for b in B.T]
    x, n = S.particular, A.shape[1]
    assert x.shape == (n, 3)
    np.testing.assert_allclose(x, np.linalg.pinv(A) @ B, **CLOSE)
    assert S.residual_norm.shape == S.backward_error.shape == (3,)
    np.testing.assert_allclose(S.residual_norm, np.linalg.norm(B - A @ x, axis=0), **CLOSE)
    for y in (x, S.sample(), S.basic(), S.closest_to(np.ones(n)), S.closest_to(np.ones((n, 3)))):
        assert (y in S) == ("none" not in S.kind)
        np.testing.assert_allclose(A @ y, A @ x, **CLOSE)
    assert (np.count_nonzero(S.basic(), axis=0) <= S.certificate.rank).all()


class TestCasesByName:
    A = np.array([[1.0, 2.0], [3.0, 6.0], [4.0, 8.0]])

    def test_in_the_image(self):
        S = fastsub.solutions(self.A, [5, 15, 20])
        assert S.kind == "infinite"
        np.testing.assert_allclose(S.particular, [1, 2], **CLOSE)
        assert S.directions.equations() == ["x₁ + 2x₂ = 0"]
        assert repr(S) == "<SolutionSet of 3 x 2: infinite, 1 direction>"
        x, N = S
        assert x is S.particular
        assert N is S.directions

    def test_in_the_left_null_space(self):
        for b in fastsub.left_null_space(self.A).T:
            S = fastsub.solutions(self.A, b)
            assert S.kind == "none"
            np.testing.assert_allclose(S.particular, 0, **CLOSE)
            np.testing.assert_allclose(S.nearest_b, 0, **CLOSE)
            assert S.residual_norm == pytest.approx(1)

    def test_invertible(self):
        A = ft.random_rank(7, 7, 7, 739)
        x = np.arange(7.0)
        S = fastsub.solutions(A, A @ x)
        assert S.kind == "unique"
        assert S.determined.all()
        for y in (S.particular, S.sample(), S.basic(), S.closest_to(-x)):
            np.testing.assert_allclose(y, x, rtol=0, atol=1e-11)

    def test_zero(self):
        S = fastsub.solutions(np.zeros((3, 2)), np.zeros(3))
        assert S.kind == "infinite"
        assert S.directions.dim == 2
        assert [7, -3] in S
        assert fastsub.solutions(np.zeros((3, 2)), [0, 1, 0]).kind == "none"
        assert not S.basic().any()

    @pytest.mark.parametrize(("m", "n", "kind"), [(0, 3, "infinite"), (3, 0, "none")])
    def test_empty(self, m, n, kind):
        S = fastsub.solutions(np.zeros((m, n)), np.ones(m))
        assert S.kind == kind
        for y in (S.particular, S.sample(), S.basic(), S.closest_to(np.zeros(n))):
            assert y.shape == (n,)
        assert fastsub.solutions(np.zeros((0, 0)), []).kind == "unique"
        assert fastsub.solutions(np.zeros((3, 2)), np.zeros((3, 0))).kind.shape == (0,)

    def test_one_equation_in_one_unknown_many_times(self):
        b = np.array([3.0, 1.0, 2.0])
        S = fastsub.solutions([[2], [3], [4]], b)
        assert S.kind == "none"
        assert S.particular[0] == pytest.approx((2 * 3 + 3 * 1 + 4 * 2) / 29)


@pytest.mark.parametrize("shape", [(9, 5), (5, 9), (300, 20), (20, 300), (120, 110)])
def test_dtypes_and_shapes(dtype, shape, normal):
    m, n = shape
    r = min(shape) - 2
    eps = float(np.finfo(dtype).eps)
    A = ft.random_rank(m, n, r, 743, dtype)
    x = normal(dtype, 751, n)
    S = fastsub.solutions(A, A @ x)
    assert S.kind == "infinite"
    assert S.particular.dtype == dtype
    assert S.directions.dim == n - r
    for y in (x, S.particular, S.sample(), S.basic(), S.closest_to(x)):
        assert y in S
        assert y.dtype == dtype
    np.testing.assert_allclose(S.closest_to(x), x, rtol=0, atol=1e4 * eps)
    outside = A @ x + normal(dtype, 757, m)
    assert fastsub.solutions(A, outside).kind == "none"
    other = pickle.loads(pickle.dumps(S))
    assert np.array_equal(other.sample(), S.sample())
    assert x in other


def test_complex_b_of_a_real_matrix():
    A = ft.random_rank(6, 8, 4, 761)
    x = np.arange(8) + 1j * np.linspace(1, 2, 8)
    S = fastsub.solutions(A, A @ x)
    assert S.kind == "infinite"
    assert S.directions.dtype == np.float64
    for y in (x, S.particular, S.sample(), S.basic(), S.closest_to(x)):
        assert y in S
    assert S.sample().imag.any()
    np.testing.assert_allclose(S.closest_to(x), x, **CLOSE)
    S = fastsub.solutions(A, np.stack([A @ x, 1j * np.arange(6)], axis=1))
    assert S.kind.tolist() == ["infinite", "none"]
    np.testing.assert_allclose(S.nearest_b[:, 1], A @ S.particular[:, 1], **CLOSE)
    np.testing.assert_allclose(S.residual[:, 1], 1j * np.arange(6) - S.nearest_b[:, 1], **CLOSE)


@pytest.mark.parametrize("exponents", [(990, 0), (-990, 0), (0, 990), (0, -990), (500, -400)])
def test_near_the_ends_of_the_range(exponents):
    scale_A, scale_b = (2.0**e for e in exponents)
    A, x = ft.random_rank(7, 9, 5, 769), np.arange(1.0, 10.0)
    S = fastsub.solutions(A * scale_A, A @ x * scale_b)
    T = fastsub.solutions(A, A @ x)
    assert (S.kind, T.kind) == ("infinite", "infinite")
    np.testing.assert_allclose(S.particular / scale_b * scale_A, T.particular, **CLOSE)
    assert S.particular in S
    assert 2 * S.particular not in S
    np.testing.assert_array_equal(S.determined, T.determined)
    b = np.column_stack([A @ x, np.arange(7.0)]) * [2.0**-900, 2.0**900]
    assert fastsub.solutions(A, b).kind.tolist() == ["infinite", "none"]


def test_tolerance_of_the_data():
    A = ft.random_rank(40, 10, 10, 773)
    b = A @ np.ones(10)
    noisy = b + 1e-6 * np.random.default_rng(787).standard_normal(40)
    assert fastsub.solutions(A, b).kind == "unique"
    assert fastsub.solutions(A, noisy).kind == "none"
    assert fastsub.solutions(A, noisy, rtol=1e-4).kind == "unique"
    assert fastsub.solutions(np.diag([1, 1e-6]), [1, 0], rcond=1e-3).kind == "infinite"


def test_components_that_are_determined_to_the_accuracy_of_the_data():
    rng = np.random.default_rng(983)
    A = ft.random_rank(9, 4, 4, 991) @ [[1, 0, 2, 0, 0], [0, 1, -1, 0, 0], [0, 0, 0, 1, 0], [0] * 5]
    noisy = A + 1e-7 * rng.standard_normal(A.shape)
    wanted = [False, False, False, True, False]
    assert fastsub.solutions(A, np.ones(9)).determined.tolist() == wanted
    assert fastsub.solutions(noisy, np.ones(9), rcond=1e-5).determined.tolist() == wanted
    assert fastsub.solutions(noisy, np.ones(9)).determined.all()


def test_hilbert_matrix_has_solutions_where_its_rank_is_cut():
    A = ft.hilbert(12)
    S = fastsub.solutions(A, A @ np.ones(12))
    assert S.kind == "infinite"
    assert S.particular in S
    assert S.basic() in S


@pytest.mark.parametrize(
    ("A", "b", "options", "says"),
    [
        (np.eye(3), np.ones(4), {}, r"^b must have shape \(3,\)"),
        (np.eye(3), 1.0, {}, r"^b must have shape"),
        (np.eye(3), np.ones((3, 1, 1)), {}, r"^b must have shape"),
        (np.eye(3), [1, np.nan, 2], {}, "^b must be finite"),
        (np.eye(3), np.ones(3), {"rtol": -1}, "^rtol must"),
        (np.eye(3), np.ones(3), {"rcond": np.nan}, "^rcond must"),
    ],
)
def test_bad_input(A, b, options, says):
    with pytest.raises(ValueError, match=says):
        fastsub.solutions(A, b, **options)


def test_bad_arguments_of_methods():
    S = fastsub.solutions(np.eye(3), np.ones(3))
    with pytest.raises(ValueError, match="x must have shape"):
        S.__contains__([1, 2])
    with pytest.raises(ValueError, match="x must have shape"):
        S.closest_to([1, 2])
    with pytest.raises(ValueError, match="x0 must have shape"):
        S.closest_to(np.ones((3, 2)))
    assert [np.nan, 1, 1] not in S
