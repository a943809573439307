"""One pass that finds the largest entry and every NaN, one that copies: in any layout."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastsub.kernels import layout

LAYOUTS = {
    "F": np.asfortranarray,
    "C": np.ascontiguousarray,
    "rows apart": lambda A: np.repeat(A, 3, axis=0)[1::3],
    "columns apart": lambda A: np.repeat(A, 2, axis=1)[:, ::2],
    "F, rows apart": lambda A: np.asfortranarray(np.repeat(A, 3, axis=0))[1::3],
    "both apart": lambda A: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, 2::3],
    "part of F": lambda A: np.asfortranarray(np.pad(A, ((1, 2), (0, 0))))[1:-2],
    "part of C": lambda A: np.pad(A, ((0, 0), (3, 1)))[:, 3:-1],
    "rows backwards": lambda A: np.array(A[::-1])[::-1],
    "columns backwards": lambda A: np.asfortranarray(A[:, ::-1])[:, ::-1],
    "both backwards": lambda A: np.array(A[::-1, ::-1])[::-1, ::-1],
    "one of a stack": lambda A: np.stack([A, A], axis=-1)[..., 1],
}
REPEATED = {
    "one row": lambda A: np.broadcast_to(A[:1], A.shape),
    "one column": lambda A: np.broadcast_to(A[:, :1], A.shape),
    "one entry": lambda A: np.broadcast_to(A[0, 0], A.shape),
}
SHAPES = [(1, 1), (1, 5), (5, 1), (3, 4), (17, 33), (70, 40)]

any_layout = pytest.mark.parametrize("name", LAYOUTS | REPEATED)


def parts(A):
    """The real numbers that make up A."""
    return np.stack([A.real, A.imag])


def check_magnitude(A):
    assert layout.py_magnitude(A) == np.abs(parts(A)).max(initial=0)


class TestMagnitude:
    @any_layout
    def test_largest(self, dtype, normal, name):
        for shape in SHAPES:
            A = (LAYOUTS | REPEATED)[name](normal(dtype, 801, *shape))
            assert A.shape == shape
            check_magnitude(A)
            check_magnitude(A.T)
            check_magnitude(-A)

    @pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf, 1e30, -1e30])
    @pytest.mark.parametrize("name", LAYOUTS)
    def test_finds_it_wherever_it_is(self, dtype, normal, name, value):
        for i, j, part in itertools.product(range(5), range(7), ("real", "imag")):
            A = normal(dtype, 809, 5, 7)
            if part == "real" or dtype.kind == "c":
                getattr(A, part)[i, j] = value
                got = layout.py_magnitude(LAYOUTS[name](A))
                np.testing.assert_equal(got, abs(float(A.real.dtype.type(value))))

    @pytest.mark.parametrize("name", LAYOUTS)
    def test_nan_beside_infinity(self, dtype, name):
        A = np.ones((6, 3), dtype)
        for where in itertools.permutations([(0, 0), (5, 2), (2, 1), (4, 0)], 2):
            B = A.copy()
            B[where[0]], B[where[1]] = np.inf, np.nan
            assert not np.isfinite(layout.py_magnitude(LAYOUTS[name](B)))

    def test_every_length(self, dtype, normal):
        """The vectors of every machine, and what is left over behind them."""
        for n in range(1, 70):
            x = normal(dtype, 811, 1, n)
            x[0, -1] *= 100
            check_magnitude(x)
            x[0, -1] = np.nan
            assert np.isnan(layout.py_magnitude(x))

    @pytest.mark.parametrize("name", LAYOUTS)
    def test_signed_zeros_and_subnormals(self, dtype, name):
        A = np.full((4, 3), -0.0).astype(dtype)
        got = layout.py_magnitude(LAYOUTS[name](A))
        assert (got, np.signbit(got)) == (0, False)
        tiny = float(np.finfo(dtype).smallest_subnormal)
        A[2, 1] = -tiny
        assert layout.py_magnitude(LAYOUTS[name](A)) == tiny
        A[3, 2] = 3 * tiny
        assert layout.py_magnitude(LAYOUTS[name](A)) == 3 * tiny

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
    def test_of_nothing(self, dtype, shape):
        assert layout.py_magnitude(np.zeros(shape, dtype)) == 0

    def test_extremes(self, dtype):
        largest = np.finfo(dtype).max
        A = np.array([[1, -largest]], dtype)
        assert layout.py_magnitude(A) == float(largest)

    @given(
        A=hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.complex64, np.complex128]),
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        ),
        name=st.sampled_from(sorted(LAYOUTS)),
    )
    def test_anything(self, A, name):
        got, finite = layout.py_magnitude(LAYOUTS[name](A)), np.isfinite(A).all()
        assert np.isfinite(got) == finite
        if finite:
            assert got == np.abs(parts(A)).max()


class TestCopy:
    @any_layout
    @pytest.mark.parametrize("conjugate", [False, True])
    def test_equals_numpys(self, dtype, normal, name, conjugate):
        for shape in SHAPES:
            A = (LAYOUTS | REPEATED)[name](normal(dtype, 821, *shape))
            for source, scale in itertools.product((A, A.T), (1, 2.0**-3, 2.0**90)):
                B = np.full(source.shape, np.nan, dtype, order="F")
                layout.py_copy(source, B, scale, conjugate)
                # Powers of two: exact.
                wanted = (source.conj() if conjugate else source) * dtype.type(scale)
                assert np.array_equal(B, wanted)

    def test_by_default_as_it_is(self, dtype, normal):
        A = normal(dtype, 823, 40, 35)
        B = np.empty_like(A)
        layout.py_copy(A, B)
        assert np.array_equal(A, B)

    def test_in_place(self, dtype, normal):
        A = normal(dtype, 827, 40, 35)
        B = A.copy(order="F")
        layout.py_copy(B, B, 0.5, True)
        assert np.array_equal(B, A.conj() / 2)

    def test_source_may_be_read_only(self, dtype, normal):
        A = normal(dtype, 829, 3, 2)
        A.flags.writeable = False
        B = np.empty_like(A)
        layout.py_copy(A, B)
        assert np.array_equal(A, B)
        with pytest.raises(ValueError, match="read-only"):
            layout.py_copy(B, A)

    def test_scales_what_is_subnormal_or_nearly_too_large(self, dtype):
        info = np.finfo(dtype)
        A = np.array([[info.smallest_subnormal, -3 * info.smallest_subnormal]], dtype)
        B = np.empty_like(A, order="F")
        up = 2.0 ** (100 if info.maxexp == 128 else 1000)
        layout.py_copy(A, B, up)
        assert np.array_equal(B, A.astype(np.result_type(dtype, float)) * up)
        layout.py_copy(B.copy(), B, 1 / up)
        assert np.array_equal(B, A)
        layout.py_copy(np.array([[info.max, -info.max]], dtype), B, 1 / up)
        assert np.array_equal(B.real, [[info.max / up, -info.max / up]])

    @pytest.mark.parametrize("conjugate", [False, True])
    @pytest.mark.parametrize("value", [-0.0, np.inf, -np.inf, np.nan])
    def test_keeps_special_values(self, dtype, value, conjugate):
        entries = [value, 1.0]
        if dtype.kind == "c":
            entries = [complex(*pair) for pair in itertools.product([value, 1.0, -1.0], repeat=2)]
        A = np.array([entries], dtype)
        B = np.empty_like(A, order="F")
        layout.py_copy(A, B, 1.0, conjugate)
        wanted = parts(A.conj() if conjugate else A)
        np.testing.assert_array_equal(parts(B), wanted)
        numbers = ~np.isnan(wanted)
        assert np.array_equal(np.signbit(parts(B))[numbers], np.signbit(wanted)[numbers])

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
    def test_of_nothing(self, dtype, shape):
        layout.py_copy(np.zeros(shape, dtype), np.zeros(shape, dtype, order="F"))
        assert layout.py_magnitude(np.zeros(shape, dtype)) == 0


class TestUpper:
    @pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 5), (6, 6), (9, 4), (4, 9), (40, 70)])
    def test_every_number_of_rows(self, dtype, normal, shape):
        A = normal(dtype, 853, *shape)
        before = A.copy()
        for k in range(shape[0] + 1):
            R = np.full((k, shape[1]), np.nan, dtype, order="F")
            layout.py_upper(A, R)
            assert np.array_equal(R, np.triu(A[:k]))
        assert np.array_equal(A, before)

    def test_does_not_read_below_the_diagonal(self, dtype, normal):
        A = np.triu(normal(dtype, 857, 6, 8))
        hidden = np.asfortranarray(np.where(np.tri(6, 8, -1, dtype=bool), np.nan, A).astype(dtype))
        R = np.empty((6, 8), dtype, order="F")
        layout.py_upper(hidden, R)
        assert np.array_equal(R, A)

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
    def test_of_nothing(self, dtype, shape):
        """No row is asked for, or there is no column: A is not read, nothing is written."""
        A = np.full((shape[0] + 2, shape[1]), np.nan, dtype, order="F")
        around = np.full((shape[0] + 1, shape[1] + 1), 7, dtype, order="F")
        R = np.ndarray(shape, dtype, around, order="F")
        layout.py_upper(A, R)
        assert np.all(around == 7)

    @pytest.mark.parametrize("shape", [(6, 5), (5, 4), (5, 6)])
    def test_refuses_another_shape(self, dtype, shape):
        with pytest.raises(ValueError, match="columns of A"):
            layout.py_upper(np.zeros((5, 5), dtype, order="F"), np.zeros(shape, dtype, order="F"))


class TestRefusals:
    def test_strides_that_are_not_whole_elements(self, dtype):
        record = np.zeros((3, 2), np.dtype([("flag", "i1"), ("x", dtype)], align=False))
        for A in (record["x"], record["x"].T):
            if A.flags.aligned:
                pytest.skip("this machine calls any address aligned")
            with pytest.raises(ValueError, match="whole elements"):
                layout.py_magnitude(A)
            with pytest.raises(ValueError, match="whole elements"):
                layout.py_copy(A, np.zeros(A.shape, dtype, order="F"))

    def test_shapes(self, dtype):
        with pytest.raises(ValueError, match="same shape"):
            layout.py_copy(np.zeros((2, 3), dtype), np.zeros((3, 2), dtype, order="F"))
        with pytest.raises(ValueError, match="contiguous"):
            layout.py_copy(np.zeros((2, 3), dtype), np.zeros((2, 3), dtype))
