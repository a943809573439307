"""Matrices and tolerances at the edge: of the range, of the precision, of the definition."""

import math

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
PAD = pytest.mark.parametrize("pad", [0, 205], ids=["small", "blocked"])
"""Padded with zeros a small matrix takes the path of a large one; its rank stays."""


def certificates(A, rtol=None):
    """Of every function, all of them checked."""
    with np.errstate(all="ignore"):  # residues are squares, and may leave the range
        solved = fastsub.lstsq(A, np.ones(len(A), A.dtype), rtol, full_output=True)[1]
    found = [
        solved,
        fastsub.null_space(A, rtol, full_output=True)[1],
        fastsub.left_null_space(A, rtol, full_output=True)[1],
        fastsub.matrix_rank(A, rtol=rtol, full_output=True)[1],
        fastsub.COD(A, rtol).certificate,
    ]
    for certificate in found:
        ft.check_certificate(A, certificate, rtol=rtol)
    return found


def ranks(A, rtol=None):
    """The ranks that the functions agree on."""
    return {certificate.rank for certificate in certificates(A, rtol)}


class TestEndsOfTheRange:
    @PAD
    @dtypes
    def test_every_power_of_two(self, dtype, pad):
        info = np.finfo(dtype)
        A = np.pad(ft.integers_of_rank(5, 4, 3, 1021), (0, pad))
        top = info.maxexp - 1 - int(np.log2(np.abs(A).max()) + 1)
        # Above the ends of the range, entries of 1 become subnormal: no promise there.
        for power in {top, top - 5, 127 - 8, 120 - 4, 41, -41, -119, info.minexp + 1} - {0}:
            if not info.minexp < power <= top:
                continue
            B = times_power_of_two(A, power).astype(dtype)
            N, certificate = fastsub.null_space(B, full_output=True)
            assert certificate.rank == 3
            ft.check_certificate(B, certificate)
            ft.check_certificate(B, fastsub.matrix_rank(B, full_output=True)[1])
            ft.check_certificate(B, fastsub.COD(B).certificate)
            ft.check_orthonormal(N)
            ft.check_annihilates(B, N)
            ft.check_rrqr(B, fastsub.rrqr(B))
            x = fastsub.lstsq(B, B[:, 1])[0]
            np.testing.assert_allclose(A @ x, A[:, 1], atol=1e3 * info.eps)

    @PAD
    def test_norms_beyond_the_range(self, pad):
        """sigma_1 of 1e308 * ones is not a double; rank and null space exist all the same."""
        for A in (np.full((6, 5), 1e308), np.full((6, 5), -1.7e308)):
            B = np.pad(A, (0, pad), mode="edge")
            N, certificate = fastsub.null_space(B, full_output=True)
            assert certificate.rank == fastsub.matrix_rank(B) == fastsub.COD(B).rank == 1
            ft.check_orthonormal(N)
            ft.check_annihilates(B / 1e10, N)
            assert certificate.sigma_r_lower >= 1e308

    @PAD
    @dtypes
    def test_subnormal_entries_neither_hang_nor_crash(self, dtype, pad):
        tiny = np.finfo(dtype).smallest_subnormal
        for A in (np.full((4, 3), tiny), np.diag([tiny, 3 * tiny]), np.eye(3) * tiny):
            B = np.pad(A, (0, pad)).astype(dtype)
            N = fastsub.null_space(B)
            assert N.shape[0] == B.shape[1]
            ft.check_orthonormal(N)
            assert 0 < fastsub.matrix_rank(B) <= 3
            Q, _ = fastsub.qr(B)
            ft.check_orthonormal(Q)

    @PAD
    @dtypes
    def test_columns_of_unlike_scale(self, dtype, pad):
        span = 36 if dtype in ("float32", "complex64") else 300
        scales = 10.0 ** np.array([span, 0, -span, -span // 2])
        A = np.pad(ft.random_rank(6, 4, 4, 1031) * scales, (0, pad)).astype(dtype)
        assert ranks(A) == ranks(A.T.copy()) == {1}
        A = A / np.array(10.0**span, A.real.dtype)
        assert ranks(A) == {1}

    @PAD
    @pytest.mark.parametrize("dtype", ["complex64", "complex128"])
    def test_huge_imaginary_part(self, dtype, pad):
        big = 1e36 if dtype == "complex64" else 1e300
        A = np.pad(np.array([[1, 2, 3], [2, 4, 6], [1, 0, 1]]) * (1 + 1j * big), (0, pad))
        A = A.astype(dtype)
        assert ranks(A) == {2}
        N = fastsub.null_space(A)
        ft.check_orthonormal(N)
        ft.check_annihilates(A, N)


class TestDynamicRange:
    @PAD
    def test_a_value_below_its_square_root(self, pad):
        """1e-200 squared is zero; it must count when the cutoff says so, and else not."""
        A = np.pad(np.diag([1.0, 1e-200]), (0, pad))
        assert ranks(A) == {1}
        for tol, rank in ((1e-150, 1), (0.5, 1)):
            got, certificate = fastsub.matrix_rank(A, tol, full_output=True)
            assert got == rank == fastsub.COD(A, tol=tol).rank
            ft.check_certificate(A, certificate, tol=tol)
        if not pad:
            assert fastsub.matrix_rank(A, 1e-250) == np.linalg.matrix_rank(A, 1e-250)
            assert fastsub.null_space(A, 0).shape == scipy.linalg.null_space(A, 0).shape

    @dtypes
    @PAD
    def test_a_graded_matrix(self, dtype, pad):
        A = np.diag(10.0 ** -np.arange(0.0, 36.0, 3.0))
        A = np.pad(A, (0, pad)).astype(dtype)
        for rtol in (None, 3e-5, 0.3):
            assert len(ranks(A, rtol)) == 1


class TestGreyZone:
    @dtypes
    @PAD
    def test_the_last_singular_value_passes_through_the_cutoff(self, dtype, pad):
        """Outside a factor of 2 the rank is the SVD's; within it no certificate may be false."""
        eps = float(np.finfo(dtype).eps)
        for factor in (1 / 8, 1 / 2.1, 0.7, 1.0, 1.01, 2.1, 8):
            size = 8 + pad
            sigma = np.r_[np.ones(5), np.full(1, factor * eps * size * 40)]
            A = np.pad(ft.with_singular_values(sigma, 8, 8, 1033, dtype), (0, pad))
            found = certificates(A, 40 * eps * size)
            if not 0.5 <= factor <= 2:
                assert {certificate.rank for certificate in found} == {5 + (factor > 1)}

    def test_a_float32_matrix_whose_svd_rounds_upward(self):
        """The rounding of the singular values that decide belongs into their bounds."""
        rng = np.random.default_rng(1039)
        eps = float(np.finfo("float32").eps)
        for _ in range(400):
            m, n = rng.integers(1, 4, 2)
            sigma = np.ones(min(m, n))
            sigma[rng.integers(0, len(sigma)) :] *= eps * max(m, n) * 2.0 ** rng.uniform(-2, 2)
            A = ft.with_singular_values(sigma, m, n, rng, "float32")
            certificate = fastsub.null_space(A, full_output=True)[1]
            if certificate.decided_by == "svd":
                ft.check_certificate(A, certificate)

    @settings(max_examples=60)
    @given(
        entries=st.lists(
            st.lists(
                st.sampled_from([0.0, 1.0, -1.0, 1e-16, 1e-8, 1e8, 1e-300, 3.0]),
                min_size=3,
                max_size=3,
            ),
            min_size=1,
            max_size=5,
        ),
        rtol=st.sampled_from([None, 1e-12, 1e-4, 0.5]),
    )
    def test_entries_of_every_size(self, entries, rtol):
        found = certificates(np.array(entries), rtol)
        assert all(0 <= each.rank <= min(len(entries), 3) for each in found)


class TestAdversaries:
    @PAD
    @pytest.mark.parametrize("n", [20, 60, 90])
    def test_kahan(self, n, pad):
        """QR with column pivoting sees nothing: the last diagonal entry is no small one."""
        for A in (ft.kahan(n), ft.kahan_scaled(n), ft.gu_eisenstat(n)):
            sigma = np.linalg.svd(A, compute_uv=False)
            B = np.pad(A, (0, pad))
            assert len(ranks(B)) == 1
            rtol = float(np.sqrt(sigma[-1] * sigma[-2]) / sigma[0])
            if rtol > 4 * len(B) * np.finfo(float).eps and sigma[-2] > 9 * sigma[-1]:
                assert ranks(B, rtol) == {n - 1}

    def test_kahan_is_decided_by_bounds_or_honestly(self):
        A = ft.kahan(90)
        sigma = np.linalg.svd(A, compute_uv=False)
        rtol = float(np.sqrt(sigma[-1] * sigma[-2]) / sigma[0])
        N, certificate = fastsub.null_space(A, rtol, full_output=True)
        assert certificate.rank == 89
        peer = scipy.linalg.null_space(A, rtol)
        ft.check_annihilates(A, N, tol=rtol * sigma[0], peer=peer)


class TestDegenerate:
    @dtypes
    @PAD
    @pytest.mark.parametrize("value", [0.0, 1.0, -3.5])
    def test_single_entries(self, dtype, pad, value):
        A = np.pad(np.array([[value]]), (0, pad)).astype(dtype)
        assert ranks(A) == {int(value != 0)}
        N = fastsub.null_space(A)
        assert N.shape[1] == A.shape[1] - (value != 0)
        if value:
            assert fastsub.lstsq(A, A[:, 0])[0][0] == pytest.approx(1)
            # The zero columns are the null space, exactly.
            assert np.abs(N[0]).max(initial=0) <= 1e-6

    @dtypes
    @pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 3), (240, 230), (500, 60)])
    def test_rank_zero(self, dtype, shape):
        A = np.zeros(shape, dtype)
        assert ranks(A) == {0}
        certificate = fastsub.null_space(A, full_output=True)[1]
        assert certificate.sigma_r_lower == math.inf
        np.testing.assert_allclose(np.abs(fastsub.null_space(A)), np.eye(shape[1]))
        F = fastsub.rrqr(A)
        assert (F.rank, F.Q.shape) == (0, (shape[0], min(shape)))
        ft.check_rrqr(A, F)

    def test_negative_zero_and_signs(self):
        A = np.array([[-0.0, 0.0], [0.0, -0.0]])
        assert ranks(A) == {0}
        assert ranks(-np.eye(3)) == {3}
