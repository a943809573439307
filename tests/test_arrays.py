"""Validation and the working copy: dtypes, layouts, scaling, and what they refuse."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsub.factor import arrays, memory, products

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)


def random(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, *shape))
    return (parts[0] + 1j * parts[1] if np.dtype(dtype).kind == "c" else parts[0]).astype(dtype)


def layouts(A):
    """Views with the entries of A and all kinds of strides."""
    for step in ((1, 1), (2, 1), (1, 3), (2, 3), (-1, 1), (1, -1), (-2, -3)):
        big = np.full((2 * A.shape[0] + 3, 3 * A.shape[1] + 3), 99, A.dtype)
        view = big[1 : 1 + abs(step[0]) * A.shape[0], 1 : 1 + abs(step[1]) * A.shape[1]]
        view = view[:: step[0], :: step[1]]
        view[...] = A
        yield view
        yield view.T.copy().T
    yield np.ascontiguousarray(A)
    yield np.asfortranarray(A)
    record = np.zeros(A.shape, [("flag", "i1"), ("value", A.dtype)])
    record["value"] = A
    yield record["value"]


class TestAsArray:
    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            *((dtype, dtype) for dtype in DTYPES),
            ("float16", "float32"),
            ("longdouble", "float64"),
            ("clongdouble", "complex128"),
            ("bool", "float64"),
            *((f"{sign}int{bits}", "float64") for sign in ("", "u") for bits in (8, 16, 32, 64)),
        ],
    )
    def test_dtypes(self, given, wanted):
        for order in ("=", "<", ">"):
            A = np.array([[1, 0], [1, 1]], np.dtype(given).newbyteorder(order))
            got = arrays.as_array(A)
            assert got.dtype == wanted
            assert got.dtype.isnative
            assert np.array_equal(got, A)

    @dtypes
    def test_no_copy_where_none_is_needed(self, dtype):
        A = random((5, 4), dtype, 503)
        for view in (A, A.T, A[::-1, ::2]):
            assert arrays.as_array(view) is view

    def test_matrix_names_the_shape(self):
        with pytest.raises(ValueError, match=r"B must be a matrix \(2-d\), got 3-d.*\(2, 3, 4\)"):
            arrays.as_matrix(np.zeros((2, 3, 4)), "B")


class TestTolerance:
    @pytest.mark.parametrize("good", [0, 1e-3, np.float32(0.5), 7, math.inf, np.array(0.25), True])
    def test_good(self, good):
        got = arrays.check_tolerance(good, "rcond")
        assert type(got) is float
        assert got == good

    def test_none_stays_none(self):
        assert arrays.check_tolerance(None, "rcond") is None

    @pytest.mark.parametrize("bad", [-1e-300, math.nan, -math.inf, "1e-3x", 1j, [1, 2], {}])
    def test_bad(self, bad):
        with pytest.raises(ValueError, match="rcond must be a nonnegative number, got"):
            arrays.check_tolerance(bad, "rcond")


class TestMagnitude:
    @dtypes
    def test_every_layout(self, dtype):
        for shape in ((1, 1), (1, 9), (9, 1), (7, 5), (33, 70)):
            A = random(shape, dtype, 509)
            wanted = max(np.abs(A.real).max(), np.abs(A.imag).max())
            for view in layouts(A):
                assert arrays.magnitude(view) == wanted

    @dtypes
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_finds_the_one_bad_entry_wherever_it_is(self, dtype, bad):
        A = random((6, 11), dtype, 521)
        for i, j in itertools.product(range(6), range(11)):
            B = A.copy()
            B[i, j] = complex(0, bad) if B.dtype.kind == "c" else bad
            for view in layouts(B):
                with pytest.raises(ValueError, match=rf"X must be finite, got .* at \({i}, {j}\)"):
                    arrays.check_finite_magnitude(view, "X")

    def test_empty_and_zero(self):
        for shape in ((0, 3), (3, 0), (2, 2)):
            assert arrays.magnitude(np.zeros(shape)) == 0


def magnitudes(dtype):
    """Powers of two from one end of the normal range to the other."""
    info = np.finfo(dtype)
    return (info.minexp, info.minexp + 3, -210, -100, -41, -39, 0, 39, 41, 100, info.maxexp - 1)


class TestWorkingCopy:
    @dtypes
    def test_is_the_matrix_times_the_power_of_two_it_says(self, dtype):
        for power in magnitudes(dtype):
            A = random((6, 4), dtype, 523)
            A /= 2 * np.abs(A).max()
            A = (A * np.array(2.0, A.real.dtype) ** power).astype(dtype)
            if not np.isfinite(A).all() or not A.any():
                continue
            for adjoint in (False, True):
                work = arrays.working_copy(A, "A", adjoint=adjoint)
                B = A.conj().T if adjoint else A
                assert work.W.flags.f_contiguous
                assert work.W.dtype == A.dtype
                # In extended precision, where no such power overflows.
                wide = np.result_type(dtype, np.longdouble)
                scale = np.ldexp(np.longdouble(1), -work.exponent)
                np.testing.assert_array_equal(work.W.astype(wide) * scale, B, f"2^{power}")

    @dtypes
    def test_brings_squares_into_range(self, dtype):
        for power in magnitudes(dtype):
            A = np.full((3, 3), 2.0**power).astype(dtype)
            if not np.isfinite(A).all() or not A.any():
                continue
            largest = arrays.magnitude(arrays.working_copy(A, "A").W)
            # Norms are accumulated in double; the inverse of a factor may be 1/u times larger.
            assert 1e-130 < largest < 1e130

    @dtypes
    def test_every_layout_and_no_write(self, dtype):
        A = random((6, 5), dtype, 541)
        for view, adjoint in itertools.product(layouts(A), (False, True)):
            work = arrays.working_copy(view, "A", adjoint=adjoint)
            assert work.exponent == 0
            assert np.array_equal(work.W, A.conj().T if adjoint else A)
            assert not np.may_share_memory(work.W, view)
            work.W[...] = 0
            assert np.array_equal(view, A)

    @dtypes
    @pytest.mark.parametrize("power", [0, 100])
    def test_overwrite_uses_the_memory_where_the_layout_allows(self, dtype, power):
        A = random((6, 5), dtype, 547) * np.array(2.0**power).astype(np.dtype(dtype).type(0).real)
        for adjoint, order in itertools.product((False, True), "CF"):
            given = np.array(A, order=order)
            work = arrays.working_copy(given, "A", adjoint=adjoint, overwrite=True)
            wanted = np.ldexp(1.0, work.exponent).astype(A.real.dtype) * (
                A.conj().T if adjoint else A
            )
            np.testing.assert_array_equal(work.W, wanted)
            assert np.may_share_memory(work.W, given) == ((order == "F") != adjoint)

    def test_overwrite_spares_read_only_memory(self):
        A = np.asfortranarray(random((4, 3), "float64", 557))
        A.flags.writeable = False
        work = arrays.working_copy(A, "A", overwrite=True)
        assert not np.may_share_memory(work.W, A)


class TestProduct:
    @settings(max_examples=40)
    @given(
        m=st.integers(0, 7),
        n=st.integers(0, 7),
        k=st.integers(0, 4),
        dtype=st.sampled_from(DTYPES),
        adjoint=st.booleans(),
        layout=st.sampled_from(["C", "F", "strided"]),
    )
    def test_equals_numpy(self, m, n, k, dtype, adjoint, layout):
        A = random((m, n), dtype, 563)
        B = random((m if adjoint else n, k), dtype, 569)
        wanted = (A.conj().T if adjoint else A).astype(complex) @ B.astype(complex)
        given = np.repeat(A, 2, axis=0)[::2] if layout == "strided" else np.array(A, order=layout)
        got = products.product(given, B, adjoint=adjoint)
        assert got.dtype == dtype
        assert np.array_equal(given, A)
        np.testing.assert_allclose(got, wanted, atol=100 * np.finfo(dtype).eps)


class TestUnscaleAndEmpty:
    @dtypes
    def test_unscale_undoes_a_power_of_two(self, dtype):
        A = random((3, 4), dtype, 571)
        B = A.copy()
        arrays.unscale(B, 30)
        np.testing.assert_array_equal(B, A * np.array(2.0**-30).astype(A.real.dtype))
        arrays.unscale(B, -30)
        np.testing.assert_array_equal(B, A)
        arrays.unscale(B, 0)
        np.testing.assert_array_equal(B, A)

    def test_unscale_beyond_the_range_warns_of_nothing(self):
        A = np.array([[1e300, 1e-300]])
        arrays.unscale(A, -1000)
        assert A[0, 0] == np.inf

    def test_empty(self):
        A = memory.empty((4, 3), np.complex64)
        assert (A.shape, A.dtype, A.flags.f_contiguous) == ((4, 3), np.complex64, True)

    def test_too_large_says_how_much_and_what_else(self):
        with pytest.raises(
            MemoryError, match=r"\(1000000000, 1000000\).*8,000,000,000,000,000 bytes.*; walk"
        ):
            memory.empty((10**9, 10**6), np.float64, "walk")
