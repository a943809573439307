"""QR with SciPy's signature: every mode, pivoted and plain, shape by shape."""

import itertools
import warnings

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
MODES = ("full", "r", "economic", "raw")
SHAPES = [(1, 1), (7, 7), (12, 5), (5, 12), (90, 60), (60, 90), (150, 140)]


def flat(answer):
    """Parts of an answer in a row: mode raw packs two of them."""
    for part in answer:
        yield from part if isinstance(part, tuple) else (part,)


def check_factors(A, answer, mode, pivoting):
    """Shapes and dtypes of SciPy's, and A[:, P] = Q R where Q is there."""
    peer = scipy.linalg.qr(A, mode=mode, pivoting=pivoting)
    assert len(answer) == len(peer)
    for got, wanted in zip(flat(answer), flat(peer), strict=True):
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    R = answer[-2] if pivoting else answer[-1]
    assert not np.any(np.tril(R, -1))
    P = answer[-1] if pivoting else np.arange(A.shape[1])
    assert sorted(P) == list(range(A.shape[1]))
    if mode in ("full", "economic"):
        ft.check_rrqr(A, (answer[0], R, P))
    elif mode == "raw":
        (qr, tau), k = answer[0], min(A.shape)
        np.testing.assert_array_equal(np.triu(qr)[: len(R)], R)
        # The reflectors are LAPACK's: its own routine forms the same Q from them.
        form = scipy.linalg.get_lapack_funcs("ungqr" if A.dtype.kind == "c" else "orgqr", (A,))
        Q = form(np.asfortranarray(qr[:, :k]), tau)[0]
        ft.check_rrqr(A, (Q, R[:k], P))
    if pivoting:
        diagonal = np.abs(np.diagonal(R)).astype(float)
        slack = 10 * np.finfo(A.dtype).eps * diagonal.max(initial=0)
        assert np.all(np.diff(diagonal) <= slack)


@dtypes
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pivoting", [False, True])
def test_every_mode(dtype, mode, pivoting):
    for shape, order in itertools.product(SHAPES, "CF"):
        for r in {1, min(shape) // 2, min(shape)} - {0}:
            A = np.array(ft.random_rank(*shape, r, 827, dtype), order=order)
            check_factors(A, fastsub.qr(A, mode=mode, pivoting=pivoting), mode, pivoting)


@dtypes
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pivoting", [False, True])
@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_empty(dtype, mode, pivoting, shape):
    A = np.zeros(shape, dtype)
    answer = list(flat(fastsub.qr(A, mode=mode, pivoting=pivoting)))
    peer = list(flat(scipy.linalg.qr(A, mode=mode, pivoting=pivoting)))
    assert [x.shape for x in answer] == [x.shape for x in peer]
    assert [x.dtype for x in answer] == [x.dtype for x in peer]
    if mode == "full":
        assert np.array_equal(answer[0], np.eye(shape[0]))


@settings(max_examples=60)
@given(
    m=st.integers(1, 13),
    n=st.integers(1, 13),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from(DTYPES),
    mode=st.sampled_from(MODES),
    pivoting=st.booleans(),
    data=st.data(),
)
def test_any_shape_and_rank(m, n, seed, dtype, mode, pivoting, data):
    r = data.draw(st.integers(0, min(m, n)))
    A = ft.integers_of_rank(m, n, r, seed).astype(dtype)
    check_factors(A, fastsub.qr(A, mode=mode, pivoting=pivoting), mode, pivoting)


@dtypes
def test_pivots_are_scipys(dtype):
    for shape in ((9, 9), (14, 6), (6, 14), (90, 60)):
        A = ft.random_rank(*shape, min(shape), 829, dtype)
        R, P = fastsub.qr(A, mode="r", pivoting=True)
        R_peer, P_peer = scipy.linalg.qr(A, mode="r", pivoting=True)
        assert list(P) == list(P_peer)
        scale = float(np.linalg.norm(A))
        np.testing.assert_allclose(
            np.abs(R), np.abs(R_peer), atol=100 * np.finfo(dtype).eps * scale
        )


@dtypes
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("mode", MODES)
def test_near_the_ends_of_the_range(dtype, sign, mode):
    power = sign * (110 if dtype in ("float32", "complex64") else 990)
    for shape, pivoting in itertools.product(((8, 8), (13, 6), (6, 13)), (False, True)):
        A = times_power_of_two(ft.random_rank(*shape, 4, 839, dtype), power).astype(dtype)
        answer = fastsub.qr(A, mode=mode, pivoting=pivoting)
        plain = fastsub.qr(
            times_power_of_two(A, -power).astype(dtype), mode=mode, pivoting=pivoting
        )
        R, R_plain = (x[-2] if pivoting else x[-1] for x in (answer, plain))
        np.testing.assert_array_equal(R, times_power_of_two(R_plain, power).astype(dtype))
        if mode in ("full", "economic"):
            np.testing.assert_array_equal(answer[0], plain[0])


@dtypes
def test_overwriting(dtype):
    for shape, mode, pivoting in itertools.product(SHAPES[:6], MODES, (False, True)):
        A = np.asfortranarray(ft.random_rank(*shape, 1, 853, dtype))
        wanted = list(flat(fastsub.qr(A, mode=mode, pivoting=pivoting)))
        got = flat(fastsub.qr(A, overwrite_a=True, mode=mode, pivoting=pivoting))
        for x, y in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pivoting", [False, True])
def test_stacks(mode, pivoting):
    stack = np.stack([ft.random_rank(6, 4, 4, seed, "F") for seed in range(857, 863)])
    answer = list(flat(fastsub.qr(stack.reshape(2, 3, 6, 4), mode=mode, pivoting=pivoting)))
    for index in np.ndindex(2, 3):
        alone = flat(fastsub.qr(stack.reshape(2, 3, 6, 4)[index], mode=mode, pivoting=pivoting))
        for whole, part in zip(answer, alone, strict=True):
            assert whole[index].dtype == part.dtype
            np.testing.assert_allclose(whole[index], part, rtol=0, atol=3e-5)


def test_positional_arguments_are_scipys():
    A = ft.random_rank(5, 4, 4, 863)
    with warnings.catch_warnings():  # SciPy 1.18 will do without lwork some day
        warnings.simplefilter("ignore", DeprecationWarning)
        peer = scipy.linalg.qr(A, False, None, "economic", True, True)
    ours = fastsub.qr(A, False, None, "economic", True, True)
    assert [x.shape for x in ours] == [x.shape for x in peer]
