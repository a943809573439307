"""The rank-revealing QR as an object: complete, stopped at a rank, stopped at a tolerance."""

import math

import numpy as np
import pytest
import reference
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.testing.spectrum import times_power_of_two, to_unit_scale

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (6, 1), (1, 6), (8, 8), (13, 6), (6, 13), (90, 60), (60, 90)]
# From here on a random sketch chooses the pivots.
SKETCHED = [(610, 610), (750, 605), (605, 640)]


def error_of(A, F):
    """``norm(A[:, p] - Q R) / norm(A)``, spectral, in double precision."""
    Q, R, p = F
    B, exponent = to_unit_scale(A)
    return np.linalg.norm(B[:, p] - Q @ times_power_of_two(R, -exponent), 2) / np.linalg.norm(B, 2)


def check_like_scipy(A, F, left=0.0):
    """For larger orders, whose rounding errors grow: at most 3 times SciPy's, or `left`."""
    Q, R, p = scipy.linalg.qr(A, mode="economic", pivoting=True)
    ft.check_orthonormal(F.Q, peer=Q)
    assert sorted(F.p) == list(range(A.shape[1]))
    assert not np.any(np.tril(F.R, -1))
    k = len(F.R)
    limit = max(20 * np.finfo(A.dtype).eps, 3 * error_of(A, (Q[:, :k], R[:k], p)), left)
    assert error_of(A, F) <= limit


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_complete_at_every_rank(dtype, shape, order):
    full = min(shape)
    for r in range(full + 1) if full < 20 else (1, 30, full):
        A = np.array(ft.random_rank(*shape, r, 691 + r, dtype), order=order)
        F = fastsub.rrqr(A)
        ft.check_rrqr(A, F)
        assert F.Q.shape == (shape[0], full)
        assert F.rank == r
        assert F.p.dtype == np.intp
        assert F.Q.dtype == F.R.dtype == A.dtype
        ft.check_certificate(A, F.certificate)


@dtypes
def test_classical_pivots_reveal_the_rank(dtype):
    """|r_ii| does not increase, and bounds all that stands below and to the right of it."""
    A = ft.with_singular_values(np.geomspace(1, 1e-4, 40), 50, 40, 701, dtype)
    R = np.abs(fastsub.rrqr(A).R).astype(float)
    for i in range(40):
        assert np.all(np.linalg.norm(R[i:, i:], axis=0) <= R[i, i] * (1 + 1e-4))
    np.testing.assert_array_equal(fastsub.rrqr(np.diag([1.0, 3.0, 2.0])).p, [1, 2, 0])


@dtypes
@pytest.mark.parametrize("shape", [(8, 8), (13, 6), (6, 13), (90, 60)])
def test_stops_at_a_rank(dtype, shape):
    full = min(shape)
    A = ft.with_singular_values(np.geomspace(1, 1e-3, full), *shape, 709, dtype)
    sigma = np.linalg.svd(A.astype(complex), compute_uv=False)
    for rank in range(full + 1) if full < 20 else (0, 1, 29, 31, full):
        F = fastsub.rrqr(A, rank=rank)
        Q, R, p = F
        assert (Q.shape, R.shape, F.rank) == ((shape[0], rank), (rank, shape[1]), rank)
        ft.check_orthonormal(Q)
        assert sorted(p) == list(range(shape[1]))
        check_chosen_rank(sigma, F.certificate, rank, dtype)
        # What is left out is what the certificate bounds.
        assert error_of(A, F) <= F.certificate.sigma_next_upper + 20 * np.finfo(dtype).eps


def check_chosen_rank(sigma, certificate, rank, dtype):
    """Bounds around a rank that the caller chose, where there need not be any gap."""
    slack = 1e-14
    assert certificate.rank == rank
    assert certificate.sigma_next_upper >= np.append(sigma, 0)[rank] - slack
    if rank == 0:
        assert certificate.sigma_r_lower == math.inf
    else:
        assert 0 <= certificate.sigma_r_lower <= sigma[rank - 1] + slack
    if certificate.decided_by == "bounds":
        assert certificate.sigma_next_upper <= certificate.tol < certificate.sigma_r_lower


@dtypes
@pytest.mark.parametrize("shape", [(9, 9), (14, 6), (6, 14), (90, 60)])
def test_stops_at_a_tolerance(dtype, shape):
    full = min(shape)
    sigma = 10.0 ** -np.arange(full).clip(0, 5)
    A = ft.with_singular_values(sigma, *shape, 719, dtype)
    for rtol in (0.3, 0.03, 3e-3, 3e-4):
        F = fastsub.rrqr(A, rtol=rtol)
        assert F.rank == F.Q.shape[1] == len(F.R) == np.sum(sigma > rtol)
        ft.check_certificate(A, F.certificate, rtol=rtol)
        ft.check_orthonormal(F.Q)
        # Pivoting is not optimal: what is left may exceed sigma_{r+1} and so the cutoff.
        assert error_of(A, F) <= math.sqrt(full) * rtol


@dtypes
@pytest.mark.parametrize("shape", [(9, 9), (14, 6), (6, 14), (90, 60), (60, 90)])
def test_stops_at_a_gap(dtype, shape):
    r = min(shape) // 3
    A = ft.random_rank(*shape, r, 727, dtype)
    F = fastsub.rrqr(A, rtol=1e-4)
    assert (F.rank, F.R.shape) == (r, (r, shape[1]))
    ft.check_rrqr(A, F)
    assert F.certificate.decided_by == "bounds"
    ft.check_certificate(A, F.certificate, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "dtype"), [*zip(SKETCHED, ("float32", "float64", "float32"), strict=True)]
)
def test_pivots_by_a_sketch(shape, dtype):
    A = ft.random_rank(*shape, 400, 733, dtype)
    F = fastsub.rrqr(A)
    check_like_scipy(A, F)
    assert F.rank == 400
    again = fastsub.rrqr(A)
    assert np.array_equal(again.p, F.p)
    assert np.array_equal(again.R, F.R)
    other = fastsub.rrqr(A, rng=739)
    assert not np.array_equal(other.p, F.p)
    assert other.rank == 400
    short = fastsub.rrqr(A, rank=70)
    assert (short.Q.shape, short.R.shape) == ((shape[0], 70), (70, shape[1]))
    check_like_scipy(A, short)
    at_gap = fastsub.rrqr(A, rtol=1e-4)
    assert at_gap.R.shape == (400, shape[1])
    ft.check_certificate(A, at_gap.certificate, rtol=1e-4)
    # Beyond the rank there is only noise, as much as test_rqrcp.py allows of an exact zero.
    noise = 50 * np.finfo(A.dtype).eps * np.linalg.norm(A) / np.linalg.norm(A, 2)
    check_like_scipy(A, at_gap, left=noise)


@dtypes
@pytest.mark.parametrize("sign", [-1, 1])
def test_near_the_ends_of_the_range(dtype, sign):
    power = sign * (110 if dtype in ("float32", "complex64") else 990)
    for shape in ((8, 8), (13, 6), (6, 13)):
        A = ft.random_rank(*shape, 4, 743, dtype)
        scaled = times_power_of_two(A, power).astype(dtype)
        F, plain = fastsub.rrqr(scaled), fastsub.rrqr(A)
        ft.check_rrqr(scaled, F)
        assert np.array_equal(F.p, plain.p)
        assert np.array_equal(F.Q, plain.Q)
        ft.check_certificate(scaled, F.certificate)


@settings(max_examples=60)
@given(
    m=st.integers(1, 12),
    n=st.integers(1, 12),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from(DTYPES),
    order=st.sampled_from("CF"),
    data=st.data(),
)
def test_any_shape_and_rank(m, n, seed, dtype, order, data):
    r = data.draw(st.integers(0, min(m, n)))
    A = np.array(ft.integers_of_rank(m, n, r, seed), dtype, order=order)
    F = fastsub.rrqr(A)
    ft.check_rrqr(A, F)
    assert F.rank == r == reference.matrix_rank(A)
    stopped = fastsub.rrqr(A, rtol=1e-4)
    assert stopped.R.shape == (r, n)
    ft.check_rrqr(A, stopped)


def test_adversaries():
    for A in (ft.kahan(60), ft.kahan_scaled(), ft.gu_eisenstat(40), ft.devils_stairs(60)):
        F = fastsub.rrqr(A)
        ft.check_rrqr(A, F)
        ft.check_certificate(A, F.certificate)
        for rank in (1, 20, 39):
            sigma = np.linalg.svd(A, compute_uv=False)
            check_chosen_rank(sigma, fastsub.rrqr(A, rank=rank).certificate, rank, "float64")


def test_is_an_object_that_unpacks():
    A = ft.random_rank(5, 4, 2, 751)
    F = fastsub.rrqr(A)
    Q, R, p = F
    assert Q is F.Q
    assert R is F.R
    assert p is F.p
    assert repr(F) == "<RRQR of 5 x 4 float64: 4 columns, rank 2>"
    assert isinstance(F, fastsub.RRQR)
    assert isinstance(F.rank, int)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_empty(shape):
    for options in ({}, {"rank": 0}, {"rtol": 0.1}):
        F = fastsub.rrqr(np.zeros(shape, "complex64"), **options)
        assert (F.Q.shape, F.R.shape, F.rank) == ((shape[0], 0), (0, shape[1]), 0)
        assert F.Q.dtype == F.R.dtype == "complex64"
        assert list(F.p) == list(range(shape[1]))
        assert F.certificate.rank == 0
