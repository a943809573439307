"""The pseudoinverse: Penrose's four conditions, SciPy's answers and its cutoff."""

import itertools

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
SHAPES = [(1, 1), (7, 7), (12, 5), (5, 12), (60, 41), (230, 210), (210, 230), (250, 250)]


def check_penrose(A, B, factor=50):
    """A B A = A, B A B = B, and A B and B A are Hermitian, to rounding times the condition."""
    eps = np.finfo(A.dtype).eps * max(A.shape) ** 0.5
    a, b = (np.linalg.norm(M, 2) if M.size else 0.0 for M in (A, B))
    P, Q = A @ B, B @ A
    for got, wanted, scale in (
        (P @ A, A, a),
        (Q @ B, B, b),
        (P.conj().T, P, 1),
        (Q.conj().T, Q, 1),
    ):
        assert np.linalg.norm(got - wanted) <= factor * eps * max(1, a * b) * scale


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank(dtype, shape):
    k = min(shape)
    for r in range(k + 1) if k < 8 else (0, 1, k // 2, k - 1, k):
        A = ft.with_singular_values(np.geomspace(10, 0.1, r), *shape, 1201 + r, dtype)
        (B, rank), certificate = fastsub.pinv(A, return_rank=True, full_output=True)
        assert (B.shape, B.dtype, rank) == (shape[::-1], A.dtype, r)
        check_penrose(A, B)
        ft.check_certificate(A, certificate)
        wanted = scipy.linalg.pinv(A)
        scale = np.linalg.norm(wanted) + 1e-30
        assert np.linalg.norm(B - wanted) <= 3e3 * np.finfo(dtype).eps * scale


@pytest.mark.parametrize("shape", [(40, 25), (25, 40), (30, 30), (260, 230)])
def test_as_accurate_as_the_svd_at_every_condition(shape):
    for power in range(0, 13, 2):
        sigma = np.geomspace(1, 10.0**-power, min(shape))
        A = ft.with_singular_values(sigma, *shape, 1213)
        ours, peers = fastsub.pinv(A), scipy.linalg.pinv(A)
        residuals = [np.linalg.norm(A @ B @ A - A, 2) for B in (ours, peers)]
        assert residuals[0] <= 3 * residuals[1] + 20 * np.finfo(float).eps * 10.0**power / 30
        assert np.linalg.norm(ours - peers, 2) <= 1e-13 * 10.0**power * np.linalg.norm(peers, 2)


@pytest.mark.parametrize("shape", [(300, 260), (260, 300), (40, 30)])
def test_without_a_gap(shape):
    """Singular values decide, and those below the cutoff leave no trace."""
    A = ft.with_singular_values(np.geomspace(1, 1e-9, min(shape)), *shape, 1217)
    for rtol in (1e-4, 1e-6):
        (B, rank), certificate = fastsub.pinv(A, rtol=rtol, return_rank=True, full_output=True)
        wanted, wanted_rank = scipy.linalg.pinv(A, rtol=rtol, return_rank=True)
        assert rank == wanted_rank
        ft.check_certificate(A, certificate, rtol=rtol)
        if certificate.decided_by == "svd":
            assert np.linalg.norm(B - wanted) <= 1e-6 * np.linalg.norm(wanted)


@pytest.mark.parametrize("order", [9, 240])
def test_the_cutoff_is_a_sum(order):
    sigma = np.geomspace(1, 1e-8, order)
    A = ft.with_singular_values(sigma, order + 3, order, 1223)
    for atol, rtol in itertools.product((None, 0.0, 3e-6, 2e-3), repeat=2):
        rank = fastsub.pinv(A, atol=atol, rtol=rtol, return_rank=True)[1]
        assert rank == scipy.linalg.pinv(A, atol=atol, rtol=rtol, return_rank=True)[1]
        scaled = fastsub.pinv(A * 1e-300, atol=(atol or 0) * 1e-300, rtol=rtol, return_rank=True)
        assert scaled[1] == rank


@dtypes
@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (220, 200)])
def test_scaled_by_powers_of_two(dtype, shape):
    top = 100 if dtype in ("float32", "complex64") else 990
    A = ft.random_rank(*shape, 4, 1229, dtype)
    B = fastsub.pinv(A)
    for power in (-top, -top // 2, top // 2, top):
        C, rank = fastsub.pinv(times_power_of_two(A, power).astype(dtype), return_rank=True)
        assert rank == 4
        np.testing.assert_allclose(
            times_power_of_two(C, power), B, atol=2e3 * np.finfo(dtype).eps * np.abs(B).max()
        )


@settings(max_examples=60)
@given(st.integers(0, 9), st.integers(0, 9), st.floats(0, 1), st.integers(2, 10**6))
def test_integers(m, n, share, seed):
    A = ft.integers_of_rank(m, n, round(share * min(m, n)), seed).astype(float)
    B = fastsub.pinv(A)
    check_penrose(A, B, 200)
    # The pseudoinverse of the pseudoinverse is the matrix.
    np.testing.assert_allclose(fastsub.pinv(B), A, atol=1e-8)


def test_a_vector_turned_round():
    a = np.array([[2.0], [3.0], [4.0]])
    np.testing.assert_allclose(fastsub.pinv(a), a.T / 29, rtol=1e-15)
    np.testing.assert_allclose(fastsub.pinv(a.T), a / 29, rtol=1e-15)
    assert not fastsub.pinv(np.zeros((3, 2))).any()
    inverse = fastsub.pinv([[2, 1], [1, 1]])
    np.testing.assert_allclose(inverse, [[1, -1], [-1, 2]], atol=1e-14)


@dtypes
@pytest.mark.parametrize("order", [2, 16, 60])
def test_a_singular_value_at_the_cutoff(dtype, order):
    """Nothing but singular values can decide; whatever they say, SciPy's would."""
    eps = float(np.finfo(dtype).eps)
    for factor in (0.4, 1.05, 2.5):
        sigma = np.geomspace(1, 0.1, order)
        sigma[-1] = factor * eps * order
        A = ft.with_singular_values(sigma, order, order, 1231, dtype)
        for M in (A, times_power_of_two(A, 60).astype(dtype)):
            (B, rank), certificate = fastsub.pinv(M, return_rank=True, full_output=True)
            ft.check_certificate(M, certificate)
            wanted, peers = scipy.linalg.pinv(M, return_rank=True)
            assert rank in ((order - 1, order) if factor == 1.05 else (peers,))
            if rank == peers == order - 1:
                assert np.linalg.norm(B - wanted) <= 1e3 * eps * np.linalg.norm(wanted)
