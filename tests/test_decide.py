"""The rank decision: every bound holds, and a proof is given where there is a gap."""

import math

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.rank import decide
from fastsub.factor.rank.decide import Cutoff, rounding_margin
from fastsub.factor.rank.inverse import Inverse

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)


def triangle_of(A):
    """R of a QR with column pivoting, Fortran-ordered, and a leftover of 0."""
    return np.asfortranarray(scipy.linalg.qr(A, mode="r", pivoting=True)[0][: min(A.shape)])


def singular_values(A):
    return np.linalg.svd(np.asarray(A, np.result_type(A, float)), compute_uv=False)


class TestBounds:
    """Each bound against singular values, for triangles of every rank."""

    @dtypes
    def test_every_bound_holds_at_every_rank(self, dtype):
        for m, n in ((9, 9), (14, 6), (6, 14)):
            for r in range(1, min(m, n) + 1):
                R = triangle_of(ft.random_rank(m, n, r, 307 + r, dtype))
                k, sigma = len(R), singular_values(R)
                tails = decide.tail_norms(R, k, 0.0)
                slack = 1 + 1e3 * np.finfo(float).eps
                assert tails.shape == (k + 1,)
                assert np.all(np.append(sigma, 0)[: k + 1] <= tails * slack)
                norm = float(np.linalg.norm(R.astype(complex)))
                low = decide.sigma_1_lower(R, k, norm)
                assert sigma[0] / 2 < low <= sigma[0] * slack
                margin = rounding_margin(norm, max(m, n), R.dtype)
                for i in range(1, k + 1):
                    assert decide.sigma_r_lower(R, i) <= sigma[i - 1] + 2 * margin

    def test_edges_of_the_lower_bounds(self):
        R = np.asfortranarray(np.triu(np.ones((3, 3))))
        assert decide.sigma_r_lower(R, 0) == math.inf
        R[1, 1] = 0
        assert decide.sigma_r_lower(R, 1) == pytest.approx(1)
        assert decide.sigma_r_lower(R, 2) == 0

    @pytest.mark.parametrize("left", [0.0, 0.5, 3.0])
    def test_what_an_early_stop_left_raises_no_lower_bound(self, left):
        # ||A||_F^2 = ||R1||_F^2 + left^2, and the part that is left says nothing about sigma_1.
        R = np.asfortranarray([[1.0, 0.0, 0.0]])
        norm = float(decide.tail_norms(R, 1, left)[0])
        A = np.diag([1.0, left / math.sqrt(2), left / math.sqrt(2)])
        assert decide.sigma_1_lower(R, 1, norm) <= singular_values(A)[0] * (1 + 1e-12)

    def test_no_rows_at_all(self):
        R = np.asfortranarray(np.ones((3, 3)))
        assert 0 <= decide.sigma_1_lower(R, 0, 3.0) <= 3.0

    @dtypes
    def test_rounding_margin(self, dtype):
        u = float(np.finfo(dtype).eps) / 2
        wanted = 5 * u * 7 * (math.sqrt(2) if np.dtype(dtype).kind == "c" else 1)
        assert rounding_margin(7.0, 25, np.dtype(dtype)) == pytest.approx(wanted)
        # What QR really does to a matrix is well inside it.
        A = ft.random_rank(40, 25, 25, 311, dtype)
        Q, R = fastsub.qr(A, mode="economic")
        wide = np.result_type(A, np.float64)
        error = np.linalg.norm(Q.astype(wide) @ R.astype(wide) - A, 2)
        assert error <= 2 * rounding_margin(float(np.linalg.norm(A)), 40, A.dtype)

    @dtypes
    def test_stopping_norm_leaves_room(self, dtype):
        A = np.asfortranarray(ft.random_rank(12, 9, 5, 313, dtype))
        sigma_1 = singular_values(A)[0]
        default = float(np.finfo(dtype).eps) * 12
        for rtol in (default, 1e-3, 0.5):
            stop = decide.stopping_norm(decide.Scale.of(A), 12, Cutoff(rtol))
            assert stop == -1 or 0 < stop <= rtol * sigma_1 / 4 * (1 + 1e-6)
        assert decide.stopping_norm(decide.Scale.of(A), 12, Cutoff(1e-3)) > 0
        # No room between the rounding and the cutoff: the factorisation must run to its end.
        assert decide.stopping_norm(decide.Scale.of(A), 12, Cutoff(0.0)) == -1
        assert decide.stopping_norm(decide.Scale.of(A), 12, Cutoff(1e-25)) == -1
        assert decide.stopping_norm(decide.Scale.of(A), 12, Cutoff(default, absolute=1.0)) == 0.25


class TestCutoff:
    def test_bracket(self):
        assert Cutoff(0.5).bracket(2.0, 4.0) == (1.0, 2.0)
        assert Cutoff(0.5, absolute=3.0).bracket(2.0, 4.0) == (3.0, 3.0)

    def test_scaled(self):
        assert Cutoff(0.5).scaled(40) == Cutoff(0.5)
        assert Cutoff(0.5, 3.0).scaled(-2).absolute == 0.75

    @pytest.mark.parametrize("exponent", [-1000, 1000])
    def test_scaling_out_of_range_is_no_error(self, exponent):
        scaled = Cutoff(0.5, 1e200 if exponent > 0 else 1e-200).scaled(exponent)
        assert scaled.absolute in (0.0, math.inf) or 0 < scaled.absolute < math.inf


def prove(R, rtol, size=None, tol=None):
    k = len(R)
    return decide.prove(
        R,
        k,
        0.0,
        size=size or max(R.shape),
        full=min(R.shape),
        cutoff=Cutoff(rtol, tol),
    )


def prove_more(R, rtol, size, **options):
    return decide.prove(
        R, len(R), 0.0, size=size, full=min(R.shape), cutoff=Cutoff(rtol), **options
    )


class TestRZ:
    """The inverse of another triangle with the singular values of all rows may be asked."""

    @dtypes
    @pytest.mark.parametrize("rows", [6, 11, 14])
    def test_proves_what_the_leading_triangle_cannot(self, dtype, rows):
        # R11 is singular to rounding, (R11 R12) is not.
        eps = float(np.finfo(dtype).eps)
        R = np.full((rows, 11), np.nan, dtype, order="F")
        rng = np.random.default_rng(367)
        R[:6] = np.triu(rng.standard_normal((6, 11)) + 3 * np.eye(6, 11))
        R[5, 5] = eps / 8
        upper = np.triu(R[:6]).astype(np.result_type(dtype, np.float64))
        sigma = singular_values(upper)
        question = {"size": 11, "full": 11, "cutoff": Cutoff(20 * eps), "factors": 2}
        assert isinstance(decide.prove(R, 6, 0.0, **question), decide.Doubt)
        for below in (True, False):
            factors = RZ(R, 6, below=below)
            found = decide.prove(R, 6, 0.0, **question, inverse=factors.inverse(R))
            assert (found.rank, found.decided_by) == (6, "bounds")
            slack = 1 + 1e3 * eps
            assert sigma[-1] / 6 < found.sigma_r_lower <= sigma[-1] * slack
            np.testing.assert_array_equal(np.triu(R[:6]), upper)
            N = factors.null_space(np.arange(11, dtype=np.intc))
            ft.check_orthonormal(N)
            assert np.linalg.norm(upper @ N) <= 50 * eps * sigma[0]
            R[:6] = upper + np.tril(np.full_like(upper, np.nan), -1)

    def test_only_the_rank_of_the_triangle(self):
        R = np.asfortranarray(np.eye(4, 7))
        R[3, 3:] = 1e-12
        question = {"size": 7, "full": 7, "cutoff": Cutoff(1e-6)}
        assert decide.prove(R, 4, 0.0, **question).rank == 3
        inverse = RZ(R, 4, below=False).inverse(R)
        assert decide.prove(R, 4, 0.0, **question, inverse=inverse) == decide.Doubt(pivot=True)


class TestInverse:
    @dtypes
    @pytest.mark.parametrize("n", [1, 2, 33, 150])
    def test_the_same_norms_wherever_it_stands(self, dtype, n):
        T = np.triu(ft.random_rank(n, n, n, 373, dtype))
        T = T / (2 * np.linalg.norm(T)) + np.diag(np.linspace(1, 2, n))
        T = np.asfortranarray(T, dtype=dtype)
        exact = 1 / singular_values(T)[-1]
        over = np.triu(np.full_like(T, 3), 1) + np.tril(T.T, -1)  # T below another triangle
        np.fill_diagonal(over, 5)
        arrays = {"apart": T.copy(order="F"), "below": T.copy(order="F"), "over": over}
        for place, R in arrays.items():
            R = np.asfortranarray(R)
            before = np.triu(R)
            diagonal = np.diagonal(T).copy() if place == "over" else None
            with Inverse(R, n, place, diagonal) as X:
                assert X.smallest_pivot() == pytest.approx(np.abs(np.diagonal(T)).min())
                assert X.sigma_min_estimate() >= (1 - 1e-5) / exact
                frobenius = X.frobenius
                with X.aside():
                    np.testing.assert_array_equal(np.triu(R), before)
                low, schatten = X.norm_lower(), X.schatten()
                high = X.norm_upper(low)
            slack = 1 + 1e3 * np.finfo(dtype).eps
            assert 0.9 * exact <= low <= exact * slack
            assert exact <= high * slack
            assert exact <= schatten * slack
            assert schatten <= frobenius * 1.01
            assert high <= frobenius * slack
            np.testing.assert_array_equal(np.triu(R), before)

    def test_of_a_singular_triangle(self):
        for place in ("apart", "below", "over"):
            R = np.asfortranarray(np.ones((3, 3)))
            diagonal = np.array([1.0, 0.0, 1.0])
            if place != "over":
                np.fill_diagonal(R, diagonal)
            with Inverse(R, 3, place, diagonal if place == "over" else None) as X:
                assert (X.frobenius, X.norm_lower()) == (math.inf, math.inf)


class TestProve:
    def test_zero_matrix(self):
        found = prove(np.zeros((3, 4), order="F"), 1e-15)
        assert (found.rank, found.decided_by, found.sigma_r_lower) == (0, "bounds", math.inf)

    def test_gap_is_proved_where_it_is(self):
        R = np.asfortranarray(np.diag([1.0, 0.5, 1e-9, 1e-10]))
        assert prove(R, 1e-6).rank == 2
        assert prove(R, 1e-12).rank == 4
        assert prove(R, 1e-12).sigma_next_upper == 0

    def test_no_gap_no_proof(self):
        assert prove(np.asfortranarray(np.diag([1.0, 1e-6])), 1e-6) == decide.Doubt(pivot=False)
        # Below the rounding of the factorisation nothing can be proved.
        assert isinstance(prove(np.asfortranarray(np.diag([1.0, 1e-17])), 1e-18), decide.Doubt)

    def test_kahan_hides_its_singular_value_from_the_diagonal_not_from_the_proof(self):
        A = ft.kahan(90)
        rtol = 1e-6 * abs(A[-1, -1])
        assert np.abs(np.diag(A)).min() > rtol * singular_values(A)[0]
        found = prove(np.asfortranarray(A), rtol)
        assert isinstance(found, decide.Doubt) or found.rank == 89
        assert fastsub.matrix_rank(A, rtol=rtol) == int(
            np.sum(singular_values(A) > rtol * singular_values(A)[0])
        )

    @dtypes
    def test_in_place_is_the_same_and_leaves_the_triangle(self, dtype):
        eps = float(np.finfo(dtype).eps)
        for r in range(1, 9):
            R = triangle_of(ft.random_rank(12, 8, r, 347 + r, dtype))
            upper = np.triu(R)
            R += np.tril(np.full_like(R, np.nan), -1)  # never read
            apart = prove(R, 100 * eps, 12)
            below = prove_more(R, 100 * eps, 12, in_place=True)
            assert apart.rank == below.rank == r
            assert below.sigma_r_lower == pytest.approx(apart.sigma_r_lower, rel=1e-3)
            np.testing.assert_array_equal(np.triu(R), upper)

    @dtypes
    def test_every_factorisation_pays_its_margin(self, dtype):
        R = triangle_of(ft.random_rank(12, 8, 5, 359, dtype))
        rtol = 1e4 * float(np.finfo(dtype).eps)
        norm = float(np.linalg.norm(R.astype(complex)))
        margin = rounding_margin(norm, 12, R.dtype)
        once, thrice = (prove_more(R, rtol, 12, factors=f) for f in (1, 3))
        assert (once.rank, thrice.rank) == (5, 5)
        for name, sign in (("sigma_r_lower", -1), ("sigma_next_upper", 1)):
            step = getattr(thrice, name) - getattr(once, name)
            assert step == pytest.approx(sign * 2 * margin, rel=0.05)
        # With margins enough nothing is proved.
        assert isinstance(prove_more(R, rtol, 12, factors=10**6), decide.Doubt)

    @settings(max_examples=60)
    @given(
        exponents=st.lists(st.floats(-20, 0), min_size=1, max_size=9),
        cut=st.floats(-17, -0.5),
        seed=st.integers(2, 10**6),
        dtype=st.sampled_from(DTYPES),
    )
    def test_any_spectrum_any_cutoff(self, exponents, cut, seed, dtype):
        k = len(exponents)
        A = ft.with_singular_values(10.0 ** np.array(exponents), k + 3, k, seed, dtype)
        rtol = max(10.0**cut, float(np.finfo(dtype).eps) * (k + 3))
        for function in (fastsub.null_space, fastsub.orth):
            ft.check_certificate(A, function(A, rtol, full_output=True)[1], rtol=rtol)
        ft.check_certificate(A, fastsub.COD(A, rtol).certificate, rtol=rtol)
        ft.check_certificate(A, fastsub.rrqr(A, rtol=rtol).certificate, rtol=rtol)


@dtypes
def test_small_matrices_at_the_edge_of_the_grey_zone(dtype):
    """Where singular values decide, their own rounding is in the bounds too."""
    rng = np.random.default_rng(317)
    eps = float(np.finfo(dtype).eps)
    for trial in range(250):
        m, n = rng.integers(1, 6, 2)
        sigma = np.ones(min(m, n))
        sigma[rng.integers(0, len(sigma)) :] *= eps * max(m, n) * 2.0 ** rng.uniform(-4, 4)
        A = ft.with_singular_values(sigma, m, n, rng, dtype)
        for certificate in (fastsub.null_space(A, full_output=True)[1], fastsub.COD(A).certificate):
            try:
                ft.check_certificate(A, certificate)
            except AssertionError as error:
                error.add_note(f"trial {trial}: {A.tolist()}, {certificate}")
                raise
