"""The four subspaces as functions: SciPy's shapes, orthonormal, and the same spaces."""

import numpy as np
import pytest
import reference
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
FOUR = ("null_space", "row_space", "left_null_space", "orth")
# Small, past the small kernel, and past the reduction of tall matrices.
SHAPES = [(1, 1), (7, 7), (12, 5), (5, 12), (30, 24)]
LARGE = [(210, 205), (205, 215), (420, 100), (100, 420)]


def four(A, *rcond, **options):
    return {name: getattr(fastsub, name)(A, *rcond, **options) for name in FOUR}


def check_four(A, bases, r, atol=None):
    m, n = A.shape
    shapes = {name: basis.shape for name, basis in bases.items()}
    assert shapes == {
        "null_space": (n, n - r),
        "row_space": (n, r),
        "left_null_space": (m, m - r),
        "orth": (m, r),
    }
    for basis in bases.values():
        assert basis.dtype == A.dtype
        # A basis of its own: nothing that a later call could change.
        assert basis.flags.writeable
    tolerance = 3e3 * float(np.finfo(A.dtype).eps) if atol is None else atol
    ft.check_complementary(bases["null_space"], bases["row_space"], atol=tolerance)
    ft.check_complementary(bases["left_null_space"], bases["orth"], atol=tolerance)
    for name, basis in bases.items():
        ft.check_same_subspace(basis, getattr(reference, name)(A), atol=tolerance)


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_rank(dtype, shape, order):
    full = min(shape)
    for r in range(full + 1) if full < 13 else (0, 1, full // 2, full - 1, full):
        A = np.array(ft.random_rank(*shape, r, 757 + r, dtype), order=order)
        check_four(A, four(A), r, atol=1e4 * max(shape) * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize("shape", LARGE)
def test_large(dtype, shape):
    """The blocked path, at ranks on both sides of the half: the smaller side is the one turned."""
    for r, order in ((0, "C"), (30, "F"), (90, "C"), (min(shape), "F")):
        A = np.array(ft.random_rank(*shape, r, 757 + r, dtype), order=order)
        bases = four(A)
        for basis in bases.values():
            ft.check_orthonormal(basis, peer=scipy.linalg.orth(A)) if r else None
        ft.check_annihilates(A, bases["null_space"])
        ft.check_annihilates(A.conj().T, bases["left_null_space"])
        eps = float(np.finfo(dtype).eps)
        for one, other in (("null_space", "row_space"), ("left_null_space", "orth")):
            ft.check_complementary(bases[one], bases[other], atol=1e4 * max(shape) * eps)


@settings(max_examples=60)
@given(
    m=st.integers(1, 14),
    n=st.integers(1, 14),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from(DTYPES),
    power=st.integers(-90, 90),
    data=st.data(),
)
def test_any_shape_rank_and_scale(m, n, seed, dtype, power, data):
    r = data.draw(st.integers(0, min(m, n)))
    A = times_power_of_two(ft.integers_of_rank(m, n, r, seed), power).astype(dtype)
    if np.dtype(dtype).kind == "c":
        A = A * np.exp(1j * np.arange(n)).astype(dtype)
    bases, (_, certificate) = four(A), fastsub.null_space(A, full_output=True)
    assert certificate.rank == r
    ft.check_certificate(A, certificate)
    for basis in bases.values():
        ft.check_orthonormal(basis)
    ft.check_annihilates(A, bases["null_space"])
    ft.check_annihilates(A.conj().T, bases["left_null_space"])


@dtypes
@pytest.mark.parametrize("shape", [(30, 24), (24, 30), (210, 220), (400, 110), (110, 400)])
def test_at_most_three_times_scipys_error(dtype, shape):
    for r in (1, min(shape) // 2):
        A = ft.random_rank(*shape, r, 761, dtype)
        bases = four(A)
        for name, B in (("null_space", A), ("left_null_space", A.conj().T)):
            peer = scipy.linalg.null_space(B)
            ft.check_orthonormal(bases[name], peer=peer)
            ft.check_annihilates(B, bases[name], peer=peer)
        ft.check_orthonormal(bases["orth"], peer=scipy.linalg.orth(A))
        ft.check_orthonormal(bases["row_space"], peer=scipy.linalg.orth(A.conj().T))


@pytest.mark.parametrize("gap", [1e-4, 1e-8])
@pytest.mark.parametrize("shape", [(30, 24), (24, 30), (220, 230), (230, 220)])
@dtypes
def test_noise_below_the_cutoff(dtype, gap, shape):
    gap = max(gap, 100 * float(np.finfo(dtype).eps))
    sigma = np.full(min(shape), gap)
    sigma[:9] = 1
    A = ft.with_singular_values(sigma, *shape, 769, dtype)
    bases = four(A, 0.03)
    for name, B in (("null_space", A), ("left_null_space", A.conj().T)):
        peer = scipy.linalg.null_space(B, 0.03)
        assert bases[name].shape == peer.shape
        ft.check_orthonormal(bases[name], peer=peer)
        ft.check_annihilates(B, bases[name], tol=0.03, peer=peer)
    for name, complement in (("orth", "left_null_space"), ("row_space", "null_space")):
        ft.check_complementary(bases[name], bases[complement], atol=10 * gap)


@pytest.mark.parametrize("rcond", [0.3, 1e-3, 1e-5, 1e-11])  # none of them a singular value
def test_rcond_is_scipys(rcond):
    sigma = 10.0 ** -np.arange(0, 15, 2)
    for shape in ((8, 8), (20, 8), (8, 20), (240, 230)):
        A = ft.with_singular_values(sigma, *shape, 773)
        assert fastsub.null_space(A, rcond).shape == scipy.linalg.null_space(A, rcond).shape
        assert fastsub.orth(A, rcond=rcond).shape == scipy.linalg.orth(A, rcond=rcond).shape


@pytest.mark.parametrize("rcond", [0, 1e-300, 1e-18])
def test_rcond_below_rounding(rcond):
    """All that SciPy promises there: full rank for what is not zero."""
    for size in (6, 230):
        A = ft.random_rank(size, size, size, 787)
        assert fastsub.null_space(A, rcond).shape == (size, 0)
        assert fastsub.null_space(np.zeros((size, size)), rcond).shape == (size, size)


@pytest.mark.parametrize("rcond", [1.0, 2.0, 1e3, 1e300, np.inf])
def test_rcond_of_one_and_more_leaves_nothing(rcond):
    for shape in ((6, 5), (5, 6), (230, 220)):
        A = ft.random_rank(*shape, 4, 797)
        N, certificate = fastsub.null_space(A, rcond, full_output=True)
        assert certificate.rank == 0
        # How closely sigma_1 was estimated matters to nobody here.
        assert certificate.sigma_r_lower == np.inf
        largest = np.linalg.norm(A, 2)
        assert largest * (1 - 1e-12) <= certificate.sigma_next_upper
        if certificate.decided_by == "bounds":
            assert certificate.sigma_next_upper <= certificate.tol <= 1.01 * rcond * largest
        assert N.shape == (shape[1], shape[1])
        ft.check_orthonormal(N)
        assert fastsub.orth(A, rcond).shape == (shape[0], 0)
        zero = np.zeros(shape)
        assert fastsub.null_space(zero, rcond).shape == (shape[1], shape[1])


@pytest.mark.parametrize("driver", ["gesdd", "gesvd"])
def test_drivers(driver):
    for size in (20, 220):
        sigma = np.ones(size)
        sigma[-3:] = size * np.finfo(float).eps
        A = ft.with_singular_values(sigma, size, size, 819)
        N, certificate = fastsub.null_space(A, lapack_driver=driver, full_output=True)
        assert certificate.decided_by == "svd"
        ft.check_certificate(A, certificate)
        ft.check_orthonormal(N)
        ft.check_annihilates(A, N, tol=3 * certificate.tol)


def test_column_space_is_orth():
    assert fastsub.column_space is fastsub.orth


def test_full_output_of_a_stack():
    stack = np.stack([ft.random_rank(6, 5, 3, seed) for seed in range(801, 807)]).reshape(
        2, 3, 6, 5
    )
    for name in FOUR:
        basis, certificate = getattr(fastsub, name)(stack, full_output=True)
        ft.check_certificate(stack, certificate)
        assert certificate.rank.tolist() == [[3, 3, 3], [3, 3, 3]]
        assert set(certificate.decided_by.ravel()) == {"bounds"}
        assert certificate.backward_error is None
        for index in np.ndindex(2, 3):
            ft.check_orthonormal(basis[index])
    bases = fastsub.null_space(stack, ragged=True)
    assert [basis.shape for basis in bases] == [(5, 2)] * 6


def test_the_rng_changes_no_answer():
    for shape in ((7, 5), (640, 620)):
        A = ft.random_rank(*shape, 4, 809)
        one, other = (fastsub.null_space(A, rng=rng) for rng in (5, np.random.default_rng(6)))
        ft.check_same_subspace(one, other, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 500), (3, 700), (700, 3), (450, 400)])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_a_large_zero_matrix(shape, dtype):
    """The whole space is spanned by the identity; a single entry in the last place is seen."""
    A = np.zeros(shape, dtype)
    for call, size in ((fastsub.null_space, shape[1]), (fastsub.left_null_space, shape[0])):
        N, certificate = call(A, full_output=True)
        assert N.dtype == A.dtype
        assert np.array_equal(N, np.eye(size))
        assert (certificate.rank, certificate.decided_by) == (0, "bounds")
    assert fastsub.orth(A).shape == (shape[0], 0)
    assert fastsub.row_space(A).shape == (shape[1], 0)
    A[-1, -1] = 1e-300 if dtype == "complex128" else 1e-30
    assert fastsub.null_space(A).shape == (shape[1], shape[1] - 1)
    A[-1, -1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        fastsub.null_space(A)
