"""A true certificate passes the check, and every false claim is caught."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from fastsub import testing as ft
from fastsub.testing import certificates

EPS = float(np.finfo(float).eps)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


def honest_certificate(A, rtol=None, decided_by="svd"):
    """What an SVD would certify: bounds with a margin for its own rounding."""
    sigma, tol, rank, _, _ = ft.gap(A, rtol)
    margin = 10 * EPS * max(A.shape)
    scale = sigma.max(initial=0)
    lower = max(0, sigma[rank - 1] - margin * scale) if rank else np.inf
    upper = sigma[rank] + margin * scale if rank < sigma.size else 0.0
    return SimpleNamespace(
        rank=rank, tol=tol, sigma_r_lower=lower, sigma_next_upper=upper, decided_by=decided_by
    )


class TestCheckCertificate:
    @dtypes
    def test_passes_on_every_test_matrix(self, dtype):
        for case in itertools.islice(ft.cases(dtype), None, None, 4):
            ft.check_certificate(case.A, honest_certificate(case.A))

    @pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
    def test_empty(self, shape):
        A = np.zeros(shape)
        ft.check_certificate(A, honest_certificate(A, decided_by="bounds"))

    @pytest.mark.parametrize("size", [8, 30], ids=["multiprecision", "lapack"])
    @dtypes
    def test_every_false_claim_is_caught(self, size, dtype):
        A = ft.with_singular_values(ft.gap_spectrum(size, 5), size, size, 281, dtype)
        right = honest_certificate(A, decided_by="bounds")
        right.sigma_next_upper = min(right.sigma_next_upper, right.tol)
        ft.check_certificate(A, right)
        for claim, message in [
            ({"rank": 4}, "sigma_next_upper"),
            ({"rank": 6}, "sigma_r_lower"),
            ({"rank": 6, "sigma_r_lower": 0.0}, "rank: got 6"),
            ({"rank": 4, "sigma_next_upper": 1.0}, "rank: got 4"),
            ({"rank": size + 1}, "rank: got"),
            ({"sigma_r_lower": right.sigma_r_lower * 1.001}, "sigma_r_lower"),
            ({"sigma_r_lower": np.nan}, "sigma_r_lower"),
            ({"sigma_next_upper": -1.0}, "sigma_next_upper"),
            ({"sigma_next_upper": np.nan}, "sigma_next_upper"),
            ({"sigma_next_upper": 2 * right.tol}, "Decided by bounds"),
            ({"sigma_r_lower": right.tol / 2}, "Decided by bounds"),
            ({"tol": 0.3 * right.tol}, "tol: got"),
            ({"tol": 1.02 * right.tol}, "tol: got"),
        ]:
            with pytest.raises(AssertionError, match=message):
                ft.check_certificate(A, SimpleNamespace(**{**vars(right), **claim}))
        ft.check_certificate(
            A,
            SimpleNamespace(
                **{**vars(right), "tol": 0.6 * right.tol, "sigma_next_upper": 0.6 * right.tol}
            ),
        )

    def test_multiprecision_sees_what_lapack_cannot(self):
        A = np.diag([1.0, 2.0**-70])
        found = honest_certificate(A)
        found.sigma_next_upper = 2.0**-70
        ft.check_certificate(A, found)
        found.sigma_next_upper = 2.0**-71
        with pytest.raises(AssertionError, match="sigma_next_upper"):
            ft.check_certificate(A, found)

    def test_grey_zone_may_go_either_way(self):
        A = np.diag([1.0, 6e-16, 0])
        for rank, lower, upper in [(1, 0.9, 7e-16), (2, 5e-16, 0.0)]:
            ft.check_certificate(A, SimpleNamespace(
                rank=rank, tol=3 * EPS, sigma_r_lower=lower, sigma_next_upper=upper,
                decided_by="svd"))  # fmt: skip

    def test_asked_tolerance(self):
        A = np.diag([4.0, 2.0, 0.1])
        relative = honest_certificate(A, rtol=0.1)
        ft.check_certificate(A, relative, rtol=0.1)
        with pytest.raises(AssertionError, match="tol: got"):
            ft.check_certificate(A, relative)
        relative.tol = 0.5
        ft.check_certificate(A, relative, tol=0.5)
        with pytest.raises(AssertionError, match=r"want the 0\.6"):
            ft.check_certificate(A, relative, tol=0.6)
        relative.tol = 0.01
        with pytest.raises(AssertionError, match="rank: got 2"):
            ft.check_certificate(A, relative, tol=0.01)

    def test_zero_and_rank_zero(self):
        A = np.zeros((4, 3))
        claim = honest_certificate(A, decided_by="bounds")
        assert claim.sigma_r_lower == np.inf
        ft.check_certificate(A, claim)
        claim.sigma_r_lower = 0.0
        with pytest.raises(AssertionError, match="inf at rank 0"):
            ft.check_certificate(A, claim)
        ft.check_certificate(A, SimpleNamespace(**{**vars(claim), "sigma_r_lower": np.inf}), tol=0)

    @pytest.mark.parametrize("scale", [1e-300, 1e300])
    @pytest.mark.parametrize("size", [6, 20])
    def test_scale(self, scale, size):
        A = scale * ft.random_rank(size, size, 4, 283, np.complex128)
        claim = honest_certificate(A)
        ft.check_certificate(A, claim)
        claim.sigma_r_lower *= 1.001
        with pytest.raises(AssertionError, match="sigma_r_lower"):
            ft.check_certificate(A, claim)

    def test_stack(self):
        A = np.stack([ft.random_rank(5, 4, r, 293) for r in (0, 2, 4)])
        claims = [vars(honest_certificate(matrix)) for matrix in A]
        stacked = {name: np.array([claim[name] for claim in claims]) for name in claims[0]}
        ft.check_certificate(A, SimpleNamespace(**stacked))
        stacked["rank"][1] = 3
        with pytest.raises(AssertionError, match=r"matrix \(1,\) of the stack"):
            ft.check_certificate(A, SimpleNamespace(**stacked))

    def test_two_sources_of_singular_values_agree(self):
        for dtype, (m, n) in itertools.product((float, complex), ((12, 12), (5, 12), (11, 3))):
            B = ft.random_rank(m, n, 3, 307, dtype)
            sigma, slack = certificates.trusted_singular_values(B)
            assert slack == 0
            np.testing.assert_allclose(
                np.linalg.svd(B, compute_uv=False), sigma, atol=4 * EPS * sigma[0]
            )
