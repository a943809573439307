"""Square problems of deficient rank by LU: minimum norm, and nothing claimed that is not so."""

import tracemalloc

import numpy as np
import pytest
import reference
from test_least_squares_accuracy import karlson_walden

import fastsub
from fastsub import COD
from fastsub import testing as ft
from fastsub.factor.least_squares import lu as factor_lu
from fastsub.factor.least_squares.deficient import DeficientFactor, solve_deficient
from fastsub.factor.least_squares.lu import LU
from fastsub.factor.rank.decide import Cutoff

dtypes = pytest.mark.parametrize("dtype", ["float64", "complex128"])
orders = pytest.mark.parametrize("order", ["C", "F"])
U = float(np.finfo(float).eps)


def deficient(n, r, dtype, seed, order="F"):
    """Singular values over two decades."""
    A = ft.with_singular_values(np.geomspace(1, 1e-2, r), n, n, seed, dtype)
    return np.array(A, order=order)


def solved(A, b, rtol=None):
    """The answer of LU alone, or None."""
    factor = LU(A)
    cutoff = Cutoff.of(A, rtol)
    assert factor.safe
    assert factor.is_deficient(cutoff)
    return solve_deficient(A, np.asfortranarray(b), factor, cutoff, honest=True)


def right_hand_sides(A, seed):
    """In the range, far from it, and anywhere."""
    rng = np.random.default_rng(seed)
    inside = A @ rng.standard_normal((len(A), 1))
    return np.hstack([inside, rng.standard_normal((len(A), 2))]).astype(A.dtype)


@dtypes
@orders
@pytest.mark.parametrize(("n", "r"), [(8, 6), (40, 39), (60, 54), (230, 218)])
@pytest.mark.parametrize("on_the_way", [False, True], ids=["last", "on the way"])
def test_the_least_of_all_minimisers(dtype, order, n, r, on_the_way):
    A = deficient(n, r, dtype, 1811 + n, order)
    if on_the_way:  # pivots vanish there
        A[:, 4], A[:, n // 2] = A[:, 1], 2 * A[:, 3] - A[:, 0]
    b = right_hand_sides(A, 1823)
    before = A.copy()
    answer = solved(A, b)
    assert answer is not None
    rank = np.linalg.matrix_rank(A)
    assert answer.certificate.rank == rank
    assert answer.certificate.method.startswith("lu, ")
    ft.check_certificate(A, answer.certificate)
    wanted, _ = reference.lstsq(A, b)
    np.testing.assert_allclose(answer.X, wanted, rtol=0, atol=1e6 * U * abs(wanted).max())
    N = np.linalg.svd(A)[2][rank:].conj().T
    assert np.linalg.norm(N.conj().T @ answer.X) <= 100 * U * np.linalg.norm(answer.X)
    squares = np.linalg.norm(b - A @ wanted, axis=0) ** 2
    np.testing.assert_allclose(answer.squares, squares, rtol=1e-9, atol=1e-20)
    for j in range(3):
        peer = karlson_walden(A, b[:, j], COD(A).solve(b[:, j]))
        assert karlson_walden(A, b[:, j], answer.X[:, j]) <= 10 * max(peer, U / 2)
    np.testing.assert_array_equal(A, before)


@orders
def test_pivots_of_exactly_zero(order):
    A = np.array(np.add.outer(np.arange(7.0), np.arange(7.0)) + np.diag([0, 0, 1, 2, 3, 4, 5.0]))
    A[:, 6] = A[:, 5] + A[:, 4]
    A = np.array(A, order=order)
    answer = solved(A, np.ones((7, 1)))
    assert answer.certificate.rank == np.linalg.matrix_rank(A) == 6
    np.testing.assert_allclose(answer.X, reference.lstsq(A, np.ones((7, 1)))[0], atol=1e-12)


@dtypes
def test_first_columns_nearly_dependent(dtype):
    """U11^-1 U12 is large: the null space and the solution are as good as the SVD's."""
    rng = np.random.default_rng(1831)
    for small in (1e-3, 1e-5, 1e-6):
        A = deficient(60, 54, dtype, 1847)
        W, sigma, Vh = np.linalg.svd(A[:, :54], full_matrices=False)
        sigma[[-1, -2]] = small * sigma[0]
        A = (W * sigma) @ np.hstack([Vh, rng.standard_normal((54, 6))])
        factor = LU(np.asfortranarray(A))
        inverse = DeficientFactor(np.asfortranarray(A), factor, Cutoff.of(A), honest=True)
        assert inverse.decision is not None
        residual = np.linalg.norm(A @ inverse.N)
        peer = np.linalg.norm(A @ np.linalg.svd(A)[2][54:].conj().T)
        assert residual <= 4 * max(peer, U * np.linalg.norm(A))
        ft.check_orthonormal(inverse.N)


class TestNothingIsClaimed:
    def test_a_singular_value_near_the_cutoff(self):
        """Whatever is proved agrees with the SVD; at least the clear cases are."""
        proved = 0
        for power in np.arange(8, 17, 0.25):
            sigma = np.append(np.geomspace(1, 0.1, 37), [10.0**-power, 0, 0])
            A = np.asfortranarray(ft.with_singular_values(sigma, 40, 40, 1861))
            answer = solved(A, np.ones((40, 1))) if LU(A).is_deficient(Cutoff.of(A)) else None
            proved += answer is not None
            if answer is not None:
                ft.check_certificate(A, answer.certificate)
        assert proved >= 4

    def test_no_rank_is_taken_from_pivots(self):
        """Kahan's matrix and Wilkinson's: their pivots say nothing of the least singular value."""
        for A in (ft.kahan(90, 1.2), np.triu(np.ones((60, 60))) - 2 * np.eye(60)):
            (_, _, rank, _), certificate = fastsub.lstsq(A, np.ones(len(A)), full_output=True)
            ft.check_certificate(A, certificate)
            assert rank == np.linalg.matrix_rank(A)

    def test_too_much_is_lacking(self):
        A = deficient(40, 12, float, 1867)
        assert solved(A, np.ones((40, 1))) is None

    def test_a_rank_that_the_columns_do_not_tell(self):
        """A column that is small by scale alone has a small pivot, and counts."""
        A = deficient(40, 38, float, 1871)
        A[:, 2] *= 1e-11
        answer = solved(A, np.ones((40, 1)))
        if answer is not None:
            ft.check_certificate(A, answer.certificate)
        (_, _, rank, _), _ = fastsub.lstsq(A, np.ones(40), full_output=True)
        assert rank == np.linalg.matrix_rank(A)

    @pytest.mark.parametrize("size", [np.nan, np.inf, 1e300, 1e-300])
    def test_scale(self, size):
        A = deficient(300, 280, float, 1873) * size
        assert not LU(A).safe
        if np.isfinite(size):
            x, _, rank, _ = fastsub.lstsq(A, np.ones(300))
            assert rank == 280
            np.testing.assert_allclose(
                x * size, fastsub.lstsq(A / size, np.ones(300))[0], atol=1e-9
            )


def test_it_is_what_lstsq_calls_and_both_agree():
    A = deficient(260, 250, float, 1877, "C")
    b = right_hand_sides(A, 1879)
    (x, residues, rank, _), certificate = fastsub.lstsq(A, b, full_output=True)
    assert (rank, residues.shape) == (250, (0,))
    assert certificate.method.startswith("lu, ")
    assert certificate.backward_error <= U
    np.testing.assert_array_equal(x, fastsub.lstsq(A, b)[0])
    np.testing.assert_allclose(x, COD(A).solve(b), atol=1e-10 * abs(x).max())


@orders
def test_memory(order):
    """One copy of A, and some columns."""
    A = deficient(640, 600, float, 1907, order)
    b = np.ones(640)
    fastsub.lstsq(A, b)
    tracemalloc.start()
    fastsub.lstsq(A, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 1.2 * A.nbytes + 1e6


def test_the_power_method_bounds_from_below():
    for seed in (1889, 1901):
        A = ft.random_rank(50, 50, 50, seed)
        largest = np.linalg.norm(A, 2)
        assert 0.5 * largest <= factor_lu.sigma_1_lower(A, np.linalg.norm(A)) <= largest
