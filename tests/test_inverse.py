"""The inverse of a leading triangle: its norm from both sides, and memory that is given back."""

import math

import numpy as np
import pytest
from scipy.linalg import hilbert

from fastsub import testing as ft
from fastsub.factor.rank.inverse import Inverse, blocks, inverse_by_halves, schatten

TRIANGLES = {
    "normal": lambda n: np.triu(np.random.default_rng(953).standard_normal((n, n))) + 3 * np.eye(n),
    "identity": np.eye,
    "kahan": ft.kahan,
    "hilbert": lambda n: np.linalg.qr(hilbert(n))[1],
    "graded": lambda n: np.triu(np.ones((n, n))) * np.logspace(0, -4, n)[:, None],
    "wilkinson": lambda n: np.eye(n) - 0.5 * np.triu(np.ones((n, n)), 1),
}
ORDERS = [1, 2, 7, 33, 150]

places = pytest.mark.parametrize("place", ["apart", "below"])


def stored(triangle, dtype, *, rows=3, columns=2):
    """The triangle as a factorisation leaves it: with vectors below, more rows and columns."""
    r = len(triangle)
    R = np.random.default_rng(967).standard_normal((r + rows, r + columns)).astype(dtype, order="F")
    upper = np.triu_indices(r)
    R[:r, :r][upper] = triangle.astype(dtype)[upper]
    if np.dtype(dtype).kind == "c":
        R *= np.array(0.6 + 0.8j, dtype)
    return R


def sigma_min(R, r):
    return np.linalg.svd(np.triu(R[:r, :r]).astype(np.result_type(R, float)), compute_uv=False)[-1]


@places
@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("kind", TRIANGLES)
def test_bounds_of_the_norm(dtype, kind, n, place):
    """norm_lower <= ||X||_2 <= norm_upper <= schatten, frobenius, each as close as it promises."""
    R = stored(TRIANGLES[kind](n), dtype)
    smallest, eps = sigma_min(R, n), float(np.finfo(dtype).eps)
    d = (n + 2) * eps * np.linalg.norm(np.triu(R[:n, :n]).astype(complex))
    with Inverse(R, n, place) as X:
        estimate, fourth, frobenius = X.norm_lower(), X.schatten(), X.frobenius
        between = X.blocks()
        upper = X.norm_upper(estimate)
    # sigma_min(R) >= 1 / ||X|| - d, and no further from it on the other side.
    low, high = 1 / (smallest + d), 1 / (smallest - d) if smallest > d else math.inf
    slack = 1 + 8 * math.sqrt(n) * eps
    assert 0.9 * low <= estimate <= high * slack
    assert min(upper, frobenius) * slack >= low
    assert upper <= min(frobenius, 1.2 * high) * slack
    assert frobenius <= math.sqrt(n) * high * slack
    # Its squares are those of the dtype, and may overflow.
    if frobenius < 1e15:
        assert fourth * slack >= low
        assert fourth <= frobenius * (1 + 2 * (n + 2) * eps) * slack
        assert fourth <= n**0.25 * high * (1 + 4 * n**1.5 * eps)
        assert fourth <= between * (1 + 4 * n * eps)
        assert between <= frobenius * (1 + 2 * (n + 2) * eps) * slack


@places
@pytest.mark.parametrize("n", ORDERS)
def test_frobenius_is_that_of_the_inverse(dtype, n, place):
    R = stored(TRIANGLES["normal"](n), dtype)
    exact = np.linalg.inv(np.triu(R[:n, :n]).astype(np.result_type(dtype, float)))
    with Inverse(R, n, place) as X:
        limit = 1e3 * float(np.finfo(dtype).eps)
        assert X.frobenius == pytest.approx(float(np.linalg.norm(exact)), rel=limit)


@pytest.mark.parametrize("n", ORDERS)
def test_in_place_gives_everything_but_the_lower_triangle_back(dtype, n):
    R = stored(TRIANGLES["normal"](n), dtype)
    before = R.copy()
    with Inverse(R, n, "below") as X:
        X.norm_upper(X.norm_lower())
        X.schatten()
        assert n == 1 or not np.array_equal(np.tril(R[:n, :n], -1), np.tril(before[:n, :n], -1))
        # The transpose of the inverse lies in the lower triangle, the diagonal on it.
        product = np.tril(R[:n, :n]).T @ np.triu(before[:n, :n])
        sizes = np.linalg.norm(np.tril(R[:n, :n])) * np.linalg.norm(np.triu(before[:n, :n]))
        limit = 4 * (n + 1) * np.finfo(dtype).eps * sizes
        np.testing.assert_allclose(product, np.eye(n), atol=limit)
    untouched = ~np.tri(*R.shape, -1, dtype=bool)
    untouched[n:], untouched[:, n:] = True, True
    np.testing.assert_array_equal(R[untouched], before[untouched])


@pytest.mark.parametrize("n", [1, 2, 33])
def test_not_in_place_touches_nothing(dtype, n):
    R = stored(TRIANGLES["normal"](n), dtype)
    before = R.copy()
    with Inverse(R, n) as X:
        X.norm_upper(X.norm_lower())
    np.testing.assert_array_equal(R, before)


def test_the_diagonal_comes_back_after_an_exception(dtype):
    R = stored(TRIANGLES["normal"](9), dtype)
    before = R.copy()

    def fail():
        with Inverse(R, 9, "below") as X:
            X.norm_lower()
            return 1 / int(np.array_equal(np.diagonal(R), np.diagonal(before)))

    with pytest.raises(ZeroDivisionError):
        fail()
    np.testing.assert_array_equal(np.triu(R), np.triu(before))


@places
def test_of_a_singular_triangle(dtype, place):
    for j in range(6):
        T = TRIANGLES["normal"](6)
        T[j, j] = 0
        R = stored(T, dtype)
        before = R.copy()
        with Inverse(R, 6, place) as X:
            assert X.frobenius == math.inf
            assert X.norm_lower() == math.inf
        np.testing.assert_array_equal(np.triu(R), np.triu(before))


@places
def test_of_a_triangle_whose_inverse_overflows(dtype, place):
    """A bound that is not known is infinite: it proves nothing."""
    tiny = float(np.finfo(dtype).tiny)
    R = stored(np.eye(8) * tiny + np.triu(np.ones((8, 8)), 1), dtype)
    with Inverse(R, 8, place) as X:
        assert X.frobenius == math.inf
        assert X.norm_lower() == math.inf
        assert X.blocks() == math.inf


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 7), (40, 200), (200, 200)])
def test_schatten_of_a_trapezoid(dtype, normal, shape):
    k, n = shape
    R = normal(dtype, 971, k + 2, n)
    exact = np.linalg.svd(np.triu(R[:k]).astype(np.result_type(dtype, float)), compute_uv=False)
    bound = schatten(R, k)
    assert bound >= exact[0]
    # ||G1 + G2||_F <= ||G1||_F + ||G2||_F, of which each is at most the whole.
    most = math.sqrt(2 if n > k else 1) * np.sum(exact**4) ** 0.25
    assert bound <= most * (1 + 10 * n**1.5 * np.finfo(dtype).eps)
    between = blocks(R, k)
    assert exact[0] <= between <= np.linalg.norm(exact) * (1 + 10 * n * np.finfo(dtype).eps)
    # One block is the whole.
    if n <= 128:
        assert between <= np.sum(exact**4) ** 0.25 * (1 + 10 * n**1.5 * np.finfo(dtype).eps)


@pytest.mark.parametrize("n", [256, 311])
@pytest.mark.parametrize("kind", ["normal", "graded", "kahan"])
def test_halves_bound_the_inverse_and_give_the_triangle_back(dtype, kind, n):
    T = ft.kahan(n, 1.5) if kind == "kahan" else TRIANGLES[kind](n)
    T = np.triu(T, 1) / (16 if kind == "normal" else 1) + np.diag(np.diagonal(T))
    R = stored(T, dtype)
    before, smallest = R.copy(), sigma_min(R, n)
    h = (n + 1) // 2
    head, tail = (slice(h), slice(h)), (slice(h, n), slice(h, n))
    A, C = (np.triu(before[i]).astype(complex) for i in (head, tail))
    d = 8 * (n + 2) * float(np.finfo(dtype).eps) * np.linalg.norm(np.triu(R[:n, :n]))
    bound = inverse_by_halves(R, n, 0.0, 0.0)
    assert bound * (1 + 1e-3) >= 1 / (smallest + d)
    a, c = (np.linalg.norm(np.linalg.inv(M)) for M in (A, C))
    b = np.linalg.norm(before[:h, h:n])
    if d * max(a, c) < 1e-3:
        assert bound == pytest.approx(math.hypot(a, c, a * b * c), rel=1e-2)
    np.testing.assert_array_equal(np.triu(R[:n, :n]), np.triu(before[:n, :n]))
    np.testing.assert_array_equal(R[:, n:], before[:, n:])
    # What rounding may have done to the two inverses is paid for, and infinity said in time.
    assert inverse_by_halves(R, n, 1e-3 / bound, 0.0) >= bound
    assert inverse_by_halves(R, n, 2 / min(a, c), 0.0) == math.inf
    assert inverse_by_halves(R, n, 0.0, float(np.abs(np.diagonal(R)).min())) == math.inf
    R[n - 1, n - 1] = 0
    assert inverse_by_halves(R, n, 0.0, 0.0) == math.inf


def test_halves_of_a_small_triangle_are_not_worth_it(dtype):
    R = stored(np.eye(40), dtype)
    before = R.copy()
    assert inverse_by_halves(R, 40, 0.0, 0.0) == math.inf
    np.testing.assert_array_equal(R, before)
