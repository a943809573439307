"""Least squares: SciPy's answers for every driver and shape, minimum norm, stacks, extremes."""

import itertools

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
DRIVERS = (None, "gelsd", "gelss", "gelsy")
SHAPES = [(1, 1), (7, 7), (12, 5), (5, 12), (80, 60), (60, 80), (230, 210)]


def well_conditioned(m, n, r, seed, dtype=float):
    """Rank r with singular values between 1 and 10: solutions agree to rounding."""
    return ft.with_singular_values(np.geomspace(10, 1, r), m, n, seed, dtype)


def right_hand_side(A, k, seed):
    rng = np.random.default_rng(seed)
    b = rng.standard_normal((A.shape[0], *k))
    if A.dtype.kind == "c":
        b = b + 1j * rng.standard_normal(b.shape)
    return b.astype(A.dtype)


def assert_close(got, wanted, dtype, factor=3e3):
    assert np.shape(got) == np.shape(wanted)
    scale = np.abs(wanted).max(initial=1e-30)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=factor * np.finfo(dtype).eps * scale)


@dtypes
@pytest.mark.parametrize("driver", DRIVERS)
def test_scipys_answers(dtype, driver):
    for shape, k in itertools.product(SHAPES, ((), (3,))):
        for r in {1, min(shape) // 2, min(shape)} - {0}:
            A = well_conditioned(*shape, r, 877, dtype)
            b = right_hand_side(A, k, 881)
            # SciPy's own cutoff, eps alone, lets rounding noise pass for rank.
            cond = float(np.finfo(dtype).eps) * max(shape)
            wanted = scipy.linalg.lstsq(A, b, cond, lapack_driver=driver)
            for options in ({}, {"cond": cond}):
                x, residues, rank, s = fastsub.lstsq(A, b, lapack_driver=driver, **options)
                assert (rank, x.dtype) == (r, A.dtype)
                assert type(rank) is int
                assert_close(x, wanted[0], dtype)
                # Residues are squares: SciPy's in the dtype of x when there are none.
                assert residues.dtype == A.real.dtype
                # Where there are none SciPy 1.18 says NaN; before it, and NumPy, an empty array.
                none = np.isnan(wanted[1]).any()
                assert_close(residues, np.empty(0) if none else np.real(wanted[1]), dtype)
                if driver in ("gelsd", "gelss"):
                    assert s.dtype == A.real.dtype
                    assert_close(s, wanted[3], dtype, 100)
                else:
                    assert s is None


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_minimum_norm_at_every_rank(dtype, shape):
    for r in range(min(shape) + 1) if min(shape) < 13 else (0, 1, 30, min(shape) - 1):
        A = well_conditioned(*shape, r, 883 + r, dtype)
        b = right_hand_side(A, (2,), 887)
        (x, _, rank, _), certificate = fastsub.lstsq(A, b, full_output=True)
        assert rank == r
        assert_close(x, reference.lstsq(A, b)[0], dtype)
        # No component in the null space; the residual in the left null space.
        scale = np.linalg.norm(x) + 1e-30
        N = reference.null_space(A)
        assert np.linalg.norm(N.conj().T @ x) <= 1e3 * np.finfo(dtype).eps * scale
        ft.check_certificate(A, certificate)
        assert 0 <= certificate.backward_error <= 200 * np.finfo(dtype).eps


@settings(max_examples=60)
@given(
    m=st.integers(1, 12),
    n=st.integers(1, 12),
    k=st.integers(0, 3),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from(DTYPES),
    data=st.data(),
)
def test_integer_systems(m, n, k, seed, dtype, data):
    r = data.draw(st.integers(0, min(m, n)))
    A = ft.integers_of_rank(m, n, r, seed).astype(dtype)
    b = A @ np.random.default_rng(seed).integers(-3, 4, (n, k)).astype(dtype)
    x, _, rank, _ = fastsub.lstsq(A, b)
    assert rank == r
    assert x.shape == (n, k)
    eps = float(np.finfo(dtype).eps)
    norms = np.linalg.norm(A) * np.linalg.norm(x) + np.linalg.norm(b)
    assert np.linalg.norm(A @ x - b) <= 100 * eps * norms


class TestShapesAndDtypes:
    @pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
    @pytest.mark.parametrize("k", [(), (0,), (3,)])
    @pytest.mark.parametrize("driver", DRIVERS)
    def test_empty(self, shape, k, driver):
        A, b = np.zeros(shape), np.ones((shape[0], *k))
        x, residues, rank, s = fastsub.lstsq(A, b, lapack_driver=driver)
        wanted = scipy.linalg.lstsq(A, b, lapack_driver=driver)
        assert rank == 0
        assert x.shape == wanted[0].shape == (shape[1], *k)
        assert not x.any()
        np.testing.assert_allclose(residues, wanted[1])
        assert s is None or s.shape == (0,)

    def test_no_right_hand_sides(self):
        for shape in ((5, 3), (3, 5), (3, 3)):
            b = np.zeros((shape[0], 0))
            (x, *_), certificate = fastsub.lstsq(np.ones(shape), b, full_output=True)
            assert x.shape == (shape[1], 0)
            assert certificate.backward_error == 0

    @pytest.mark.parametrize("a", [*DTYPES, "int64", "bool", "float16"])
    @pytest.mark.parametrize("b", [*DTYPES, "int8", ">f8"])
    def test_mixed_dtypes(self, a, b):
        A = np.array([[1, 0], [1, 1], [0, 1], [1, 0]], a)
        B = np.array([[1, 2], [0, 1], [3, 1], [1, 1]], b)
        x, residues, rank, _ = fastsub.lstsq(A, B)
        wanted, wanted_residues, *_ = scipy.linalg.lstsq(A.astype(complex), B.astype(complex))
        assert rank == 2
        kinds = [t if np.dtype(t).kind in "fc" and t != "float16" else "float64" for t in (a, b)]
        kinds = ["float32" if t == "float16" else k for t, k in zip((a, b), kinds, strict=True)]
        assert x.dtype == np.result_type(*kinds)
        np.testing.assert_allclose(x, wanted, rtol=1e-5)
        np.testing.assert_allclose(residues, wanted_residues, rtol=1e-4)

    @pytest.mark.parametrize("k", [(), (3,)])
    @pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (240, 200)])
    def test_complex_b_beside_real_a(self, shape, k):
        A = ft.random_rank(*shape, 3, 907)
        b = right_hand_side(A + 0j, k, 911) * 1j
        for driver in DRIVERS:
            got = fastsub.lstsq(A, b, lapack_driver=driver)
            wanted = fastsub.lstsq(A + 0j, b, lapack_driver=driver)
            assert got[0].dtype == complex
            for x, y in zip(got, wanted, strict=True):
                if x is not None:
                    np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-10)
                    assert np.shape(x) == np.shape(y)


class TestStacks:
    A = np.stack([ft.random_rank(6, 4, 4, seed) for seed in range(911, 917)]).reshape(2, 3, 6, 4)

    @pytest.mark.parametrize(
        "shape", [(6,), (6, 2), (1, 6, 2), (3, 6, 2), (2, 1, 6, 2), (2, 3, 6, 2), (5, 2, 3, 6, 1)]
    )
    def test_broadcasting(self, shape):
        b = np.random.default_rng(919).standard_normal(shape)
        x, residues, rank, _ = fastsub.lstsq(self.A, b)
        core = 1 if b.ndim == 1 else 2
        stack = np.broadcast_shapes((2, 3), shape[:-core])
        k = shape[-1:] if core == 2 else ()
        assert (x.shape, residues.shape, rank.shape) == ((*stack, 4, *k), (*stack, *k), stack)
        As = np.broadcast_to(self.A, (*stack, 6, 4))
        bs = np.broadcast_to(b, (*stack, *shape[-core:]))
        for index in np.ndindex(stack):
            alone = fastsub.lstsq(As[index], bs[index])
            np.testing.assert_allclose(x[index], alone[0], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(residues[index], alone[1], rtol=1e-12)

    def test_one_matrix_and_a_stack_of_right_hand_sides(self):
        b = np.random.default_rng(929).standard_normal((3, 6, 2))
        x = fastsub.lstsq(self.A[0, 0], b)[0]
        assert x.shape == (3, 4, 2)
        alone = fastsub.lstsq(self.A[0, 0], b[1])[0]
        np.testing.assert_allclose(x[1], alone, rtol=1e-12, atol=1e-14)

    def test_singular_values_and_certificates(self):
        (_, _, _, s), certificate = fastsub.lstsq(
            self.A, np.ones(6), lapack_driver="gelsd", full_output=True
        )
        assert s.shape == (2, 3, 4)
        assert certificate.backward_error.shape == (2, 3)
        assert np.all(certificate.backward_error < 1e-14)

    def test_ranks_may_differ(self):
        stack = np.stack([np.eye(4, 3), np.eye(4, 3, 1), np.zeros((4, 3))])
        x, residues, rank, _ = fastsub.lstsq(stack, np.arange(4.0))
        assert rank.tolist() == [3, 2, 0]
        assert x.tolist() == [[0, 1, 2], [0, 0, 1], [0, 0, 0]]
        assert residues.shape == (3, 0)


class TestExtremes:
    @dtypes
    @pytest.mark.parametrize("shape", [(7, 4), (4, 7), (6, 6), (220, 200)])
    def test_scaled_by_powers_of_two(self, dtype, shape):
        top = 110 if dtype in ("float32", "complex64") else 990
        A = ft.random_rank(*shape, 3, 937, dtype)
        b = right_hand_side(A, (2,), 941)
        (x, *_), plain = fastsub.lstsq(A, b, full_output=True)
        for p, q in itertools.product((-top, -top // 2, 0, top // 2, top), repeat=2):
            if abs(q - p) > top:
                continue
            B, c = (times_power_of_two(M, e).astype(dtype) for M, e in ((A, p), (b, q)))
            # Residues are squares of residuals, and may leave the range.
            with np.errstate(over="ignore", under="ignore"):
                (y, _, rank, _), certificate = fastsub.lstsq(B, c, full_output=True)
            assert rank == 3
            assert_close(times_power_of_two(y, p - q), x, dtype, 50)
            ft.check_certificate(B, certificate)
            wanted = plain.backward_error
            assert certificate.backward_error == pytest.approx(wanted, rel=0.5), (p, q)

    @pytest.mark.parametrize("b", [1e305, 1e306])
    def test_right_hand_side_near_overflow(self, b):
        # Scaled so that the solution itself stays in range.
        for A in (16 * ft.random_rank(6, 4, 4, 947), 16 * ft.random_rank(4, 6, 4, 953)):
            with np.errstate(over="ignore"):
                x = fastsub.lstsq(A, np.full(len(A), b))[0]
                wanted = fastsub.lstsq(A, np.full(len(A), b / 2**20))[0]
            np.testing.assert_allclose(x / 2**20, wanted, rtol=1e-12)

    def test_right_hand_side_is_never_written(self):
        for shape, order in itertools.product(((7, 4), (4, 7), (5, 5)), "CF"):
            A = ft.random_rank(*shape, 3, 967)
            b = np.array(right_hand_side(A, (2,), 971), order=order)
            before = b.copy()
            fastsub.lstsq(A, b, overwrite_a=True, overwrite_b=True)
            np.testing.assert_array_equal(b, before)
