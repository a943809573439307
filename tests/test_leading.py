"""The first columns of a pivoted QR by one sketch: factors, pivots, residual; who is refused."""

import numpy as np
import pytest
import reference
import scipy.linalg

import fastsub
from fastsub import testing as ft
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.leading import leading_columns
from fastsub.testing.spectrum import precision as eps

SHAPES = [(260, 260), (400, 270), (255, 330)]


def leading(A, k, **options):
    return leading_columns(A, k, choose(*A.shape, A.dtype, want="rrqr"), **options)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES)
def test_factors(dtype, shape, order):
    m, n = shape
    sigma = np.geomspace(1, 1e-4, min(shape))
    A = np.array(ft.with_singular_values(sigma, m, n, 3083, dtype), order=order)
    before = A.copy(order="K")
    for k in (1, 7, 32):
        F = leading(A, k)
        Q = F.Q.columns(0, k)
        ft.check_orthonormal(Q)
        assert sorted(F.p) == list(range(n))
        assert F.R.shape == (k, n)
        assert not np.tril(F.R, -1).any()
        # R is Q^H A P, and what is left is A P - Q R.
        assert np.linalg.norm(Q.conj().T @ A[:, F.p] - F.R) <= 20 * eps(A) * np.linalg.norm(A)
        np.testing.assert_allclose(F.left, np.linalg.norm(A[:, F.p] - Q @ F.R), rtol=1e3 * eps(A))
        # As good as the textbook's pivots: within a small factor of what they leave.
        R = reference.pivoted_qr(A)[0]
        assert F.left <= 3 * np.linalg.norm(R[k:, k:])
        diagonal = np.abs(np.diagonal(F.R))
        assert np.all(diagonal < 10 * np.abs(np.diagonal(R)[:k]))
        assert np.all(diagonal * 10 > np.minimum(np.abs(np.diagonal(R)[:k]), sigma[:k]))
    np.testing.assert_array_equal(A, before)


@pytest.mark.parametrize("r", [1, 5, 20])
def test_beyond_the_rank(dtype, r):
    """Columns that add nothing are no error: R11 is singular, Q orthonormal, nothing left."""
    A = ft.random_rank(300, 280, r, 3089, dtype)
    F = leading(A, 25)
    ft.check_orthonormal(F.Q.columns(0, 25))
    assert F.left <= 100 * eps(A) * np.linalg.norm(A)
    full = fastsub.rrqr(A, rank=25)
    assert full.certificate.sigma_r_lower <= 100 * eps(A) * np.linalg.norm(A)


def test_of_duplicated_columns_one_each():
    B = ft.random_rank(300, 90, 90, 3109)
    B[:, :10] *= 1e3
    F = leading(np.hstack([B, -B, B]), 10)
    assert sorted(F.p[:10] % 90) == list(range(10))


def test_refuses():
    A = ft.random_rank(300, 280, 200, 3119)
    assert leading(A, 20) is not None
    assert leading(A, 0) is None
    assert leading(A, 33) is None  # more than a block
    assert leading(A[:200, :200], 20) is None  # no sketch for those
    assert leading(np.repeat(A, 2, axis=1)[:, ::2], 20) is None
    for wrong in (np.nan, np.inf, -np.inf, 1e200):
        B = A.copy()
        B[123, 45] = wrong
        assert leading(B, 20) is None
    assert leading(0 * A, 20) is None
    assert leading(1e-200 * A, 20) is None


def test_what_is_refused_is_answered_all_the_same():
    A = ft.random_rank(300, 280, 200, 3121)
    F = fastsub.rrqr(A, rank=20)
    for other in (np.repeat(A, 2, axis=1)[:, ::2], np.ldexp(A, 400), np.ldexp(A, -400)):
        G = fastsub.rrqr(other, rank=20)
        assert sorted(G.p) == list(range(280))
        scale = np.linalg.norm(other) / np.linalg.norm(A)
        assert np.linalg.norm(G.R / scale) >= 0.9 * np.linalg.norm(F.R)
    B = A.copy()
    B[3, 4] = np.nan
    with pytest.raises(ValueError, match=r"must be finite, got nan at \(3, 4\)"):
        fastsub.rrqr(B, rank=20)
    assert not fastsub.rrqr(0 * A, rank=20).R.any()


@pytest.mark.parametrize("order", ["C", "F"])
def test_certificate(dtype, order):
    sigma = np.append(np.geomspace(1, 0.1, 30), np.geomspace(1e-4, 1e-5, 230))
    A = np.array(ft.with_singular_values(sigma, 300, 260, 3137, dtype), order=order)
    F = fastsub.rrqr(A, rank=30)
    claim = F.certificate
    assert claim.decided_by == "bounds"
    assert sigma[30] <= claim.sigma_next_upper < 2e-3
    assert 2e-3 < claim.sigma_r_lower <= sigma[29] * (1 + 100 * eps(A))
    # What a caller does to R afterwards is nobody's proof.
    G = fastsub.rrqr(A, rank=30)
    G.R[...] *= 100
    assert G.certificate == claim


def test_memory_of_the_answer_alone():
    from fastsub.bench.memory import peak_beyond_output

    A = np.asfortranarray(np.random.default_rng(3163).standard_normal((1500, 1500)))
    assert peak_beyond_output(lambda A: fastsub.rrqr(A, rank=20).R, A) <= 0.3 * A.nbytes


@pytest.mark.parametrize("shape", [(700, 650), (650, 700)])
def test_against_scipy(shape):
    A = ft.random_rank(*shape, 30, 3167) + 1e-8 * ft.random_rank(*shape, 600, 3169)
    R = scipy.linalg.qr(A, mode="r", pivoting=True)[0]
    assert leading(A, 30).left <= 3 * np.linalg.norm(R[30:, 30:])
