"""The replacements answer as the peers do, to the letter; what they do not serve, the peers do."""

import itertools
import warnings

import numpy as np
import pytest
import scipy
import scipy.linalg

from fastsub.patch import calls, patched, reset_calls
from fastsub.patch.tally import Calls

SEED = 20260713
DTYPES = ["f4", "f8", "c8", "c16", "i8", "i2", "?", ">f8"]
SHAPES = [(1, 1), (3, 3), (9, 4), (4, 9), (70, 12), (12, 70), (80, 75), (600, 30)]
SCIPY = ["null_space", "orth", "lstsq", "pinv", "subspace_angles", "qr"]
NUMPY = ["matrix_rank", "lstsq", "pinv"]
BASES = ("null_space", "orth")
COMPILED = tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18)


def matrix(rng, shape, dtype, rank=None):
    """A matrix of small integers, so that every dtype holds it and the rank is exact."""
    m, n = shape
    r = min(m, n) if rank is None else rank
    A = rng.integers(-3, 4, (m, r)) @ rng.integers(-3, 4, (r, n)) if r < min(m, n) else None
    if A is None:
        A = rng.integers(-9, 10, shape)
    if np.dtype(dtype).kind == "c":
        A = A * (1 + 1j)
    if np.dtype(dtype).kind == "b":
        A = A > 0
    return A.astype(dtype)


def as_the_peer_reads(a):
    """Return `a` in native byte order for SciPy 1.18, whose answers are wrong for any other."""
    swapped = COMPILED and isinstance(a, np.ndarray) and not a.dtype.isnative
    return a.astype(a.dtype.newbyteorder("=")) if swapped else a


def both(function, *args, **kwargs):
    """Return what the peer answers, what is answered under the patch, and who answered."""
    home, _, name = function.rpartition(".")
    module = {"scipy.linalg": scipy.linalg, "numpy.linalg": np.linalg}[home]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*deprecated.*SciPy", DeprecationWarning)
        theirs = getattr(module, name)(*map(as_the_peer_reads, args), **kwargs)
        reset_calls()
        with patched():
            ours = getattr(module, name)(*args, **kwargs)
    return theirs, ours, calls()[function]


def check_letter(ours, theirs):
    """Types, dtypes, shapes, container by container."""
    assert type(ours) is type(theirs)
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for mine, peers in zip(ours, theirs, strict=True):
            check_letter(mine, peers)
    elif isinstance(theirs, np.ndarray):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert ours.flags.writeable


def check_close(ours, theirs, eps, scale=1.0):
    if isinstance(theirs, (tuple, list)):
        for mine, peers in zip(ours, theirs, strict=True):
            check_close(mine, peers, eps, scale)
    elif theirs is not None:
        size = float(np.max(np.abs(theirs), initial=1.0))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e5 * eps * size * scale)


def check_same_space(ours, theirs, eps):
    gram = [np.swapaxes(X, -1, -2).conj() for X in (ours, theirs)]
    np.testing.assert_allclose(ours @ gram[0], theirs @ gram[1], rtol=0, atol=1e4 * eps)


def eps_of(dtype):
    single = np.dtype(dtype).char in "fFh?"
    return float(np.finfo(np.float32 if single else np.float64).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bases_to_the_letter(dtype):
    rng = np.random.default_rng(SEED)
    for shape, name in itertools.product(SHAPES, BASES):
        for rank in {None, min(shape) // 2}:
            A = matrix(rng, shape, dtype, rank)
            theirs, ours, who = both(f"scipy.linalg.{name}", A, rcond=1e-4)
            assert who.served == 1, (shape, rank, who)
            check_letter(ours, theirs)
            check_same_space(ours, theirs, eps_of(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_qr_to_the_letter(dtype):
    rng = np.random.default_rng(SEED + 1)
    modes = ("full", "r", "economic", "raw")
    for shape, mode, pivoting in itertools.product(SHAPES, modes, (False, True)):
        A = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if "c" in dtype else 0)
        A = A.astype(dtype)
        theirs, ours, who = both("scipy.linalg.qr", A, mode=mode, pivoting=pivoting)
        check_letter(ours, theirs)
        if dtype == "?":  # of rank one: what noise pivots nobody knows
            continue
        if pivoting:
            np.testing.assert_array_equal(ours[-1], theirs[-1])
        if who.served:  # the signs, too
            check_close(ours, theirs, eps_of(dtype), 1e2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rank_and_pinv_to_the_letter(dtype):
    rng = np.random.default_rng(SEED + 2)
    for shape in SHAPES:
        for rank in {None, min(shape) // 2}:
            A = matrix(rng, shape, dtype, rank)
            theirs, ours, who = both("numpy.linalg.matrix_rank", A, rtol=1e-4)
            assert who.served == 1
            check_letter(ours, theirs)
            assert ours == theirs
            for name, option in (("scipy.linalg.pinv", "rtol"), ("numpy.linalg.pinv", "rcond")):
                theirs, ours, who = both(name, A, **{option: 1e-4})
                assert who.served == 1
                check_letter(ours, theirs)
                check_close(ours, theirs, eps_of(dtype), 10)
            theirs, ours, _ = both("scipy.linalg.pinv", A, atol=1e-3, return_rank=True)
            check_letter(ours, theirs)
            assert ours[1] == theirs[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("driver", ["gelsd", "gelss", "gelsy", None, "numpy"])
def test_least_squares_to_the_letter(dtype, driver):
    rng = np.random.default_rng(SEED + 3)
    function = f"{'numpy' if driver == 'numpy' else 'scipy'}.linalg.lstsq"
    options = {} if driver in (None, "numpy") else {"lapack_driver": driver}
    served = []
    tolerance = {"rcond" if driver == "numpy" else "cond": 1e-4}
    for shape in SHAPES:
        for rank, k in itertools.product({None, min(shape) // 2}, (None, 1, 3)):
            A = matrix(rng, shape, dtype, rank)
            b = matrix(rng, (shape[0], k or 1), "c8" if k == 3 else dtype)
            theirs, ours, who = both(function, A, b if k else b[:, 0], **tolerance, **options)
            served.append(who.served)
            check_letter(ours, theirs)
            assert ours[2] == theirs[2]
            eps = max(eps_of(dtype), eps_of(b.dtype)) if driver != "numpy" else eps_of("f4")
            size = max(1.0, float(np.linalg.norm(b)) ** 2)  # of residues
            check_close(ours, theirs, eps, size)
    # gelsy estimates: only what is clear by a factor is served.
    assert np.mean(served) >= (0.5 if driver == "gelsy" else 1)


def test_angles_to_the_letter():
    rng = np.random.default_rng(SEED + 4)
    for first, second in itertools.product(["f4", "f8", "c16", "i2"], repeat=2):
        A, B = matrix(rng, (12, 3), first), matrix(rng, (12, 5), second, 2)
        theirs, ours, who = both("scipy.linalg.subspace_angles", A, B)
        assert who.served == 1
        check_letter(ours, theirs)
        np.testing.assert_allclose(ours, theirs, atol=1e-3 if "f4" in (first, second) else 1e-6)


def test_stacks_to_the_letter():
    rng = np.random.default_rng(SEED + 5)
    A, b = rng.standard_normal((2, 3, 7, 4)), rng.standard_normal((3, 7, 2))
    cases = [
        ("scipy.linalg.null_space", (A,), {}),
        ("scipy.linalg.orth", (A,), {}),
        ("scipy.linalg.subspace_angles", (A, b), {}),
        ("scipy.linalg.lstsq", (A, b), {}),
        ("scipy.linalg.lstsq", (A, b[0, :, 0]), {}),
        ("scipy.linalg.pinv", (A,), {"return_rank": True}),
        ("scipy.linalg.qr", (A,), {"mode": "economic", "pivoting": True}),
        ("scipy.linalg.qr", (A,), {"mode": "r"}),
        ("numpy.linalg.matrix_rank", (A,), {}),
        ("numpy.linalg.matrix_rank", (A,), {"tol": np.full((2, 3), 0.1)}),
        ("numpy.linalg.pinv", (A,), {}),
        ("numpy.linalg.pinv", (A @ A.swapaxes(-1, -2),), {"hermitian": True, "rcond": 1e-10}),
    ]
    for function, args, options in cases:
        theirs, ours, who = both(function, *args, **options)
        assert who.served == 1, (function, who)
        check_letter(ours, theirs)
        if "space" not in function and "orth" not in function:
            check_close(ours, theirs, 1e-15)


NAN = np.array([[1.0, np.nan], [2.0, 3.0]])
SQUARE = np.array([[2.0, 1.0], [1.0, 3.0]])
MASKED = np.ma.masked_array(SQUARE, mask=[[True, False], [False, False]])


class Child(np.ndarray):
    """A subclass of no particular kind."""


@pytest.mark.parametrize(
    ("function", "args", "options", "reason"),
    [
        ("scipy.linalg.null_space", (np.ones((0, 3)),), {}, "an empty array"),
        ("scipy.linalg.null_space", (SQUARE,), {"rcond": -1.0}, "a negative or NaN tolerance"),
        ("scipy.linalg.null_space", (SQUARE.astype("f2"),), {}, "dtype float16"),
        ("scipy.linalg.orth", (SQUARE.astype("g"),), {}, f"dtype {np.dtype('g')}"),
        ("scipy.linalg.orth", (MASKED.data.view(Child),), {}, "a Child, not an array"),
        pytest.param(
            *("scipy.linalg.lstsq", (SQUARE, np.ones(2)), {"cond": [0.1]}, "a tolerance for each"),
            marks=pytest.mark.skipif(COMPILED, reason="an error from SciPy 1.18 on"),
        ),
        ("scipy.linalg.qr", (SQUARE,), {"lwork": 99}, "a workspace of a given size"),
        ("scipy.linalg.qr", (SQUARE + 0,), {"overwrite_a": True}, "overwrite_a"),
        ("scipy.linalg.pinv", (SQUARE.view(np.matrix),), {}, "a matrix, not an array"),
        ("numpy.linalg.pinv", (SQUARE.view(np.matrix),), {}, "a matrix, not an array"),
        ("numpy.linalg.pinv", (SQUARE,), {"rcond": -1.0}, "a negative or NaN tolerance"),
        ("numpy.linalg.matrix_rank", (MASKED,), {}, "a MaskedArray, not an array"),
        ("numpy.linalg.matrix_rank", (7,), {}, "a int, not an array"),
        ("numpy.linalg.matrix_rank", ([1.0, 2.0],), {}, "not a matrix"),
        ("numpy.linalg.matrix_rank", (SQUARE,), {"tol": [0.1, 9.0]}, "a tolerance of another"),
    ],
)
def test_what_is_passed_on(function, args, options, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # np.matrix
        warnings.filterwarnings("ignore", ".*deprecated.*SciPy", DeprecationWarning)
        theirs, ours, who = both(function, *args, **options)
    assert who.served == 0
    assert [why[: len(reason)] for why in who.passed_on] == [reason]
    check_letter(ours, theirs)
    np.testing.assert_equal(ours, theirs)


@pytest.mark.parametrize(
    ("function", "args", "options"),
    [
        ("scipy.linalg.null_space", (NAN,), {}),
        ("scipy.linalg.null_space", (SQUARE,), {"lapack_driver": "qr"}),
        ("scipy.linalg.null_space", (SQUARE, 0.1, True), {}),
        ("scipy.linalg.null_space", (np.stack([SQUARE, np.ones((2, 2))]),), {}),
        ("scipy.linalg.orth", (NAN,), {"rcond": 0.1}),
        ("scipy.linalg.lstsq", (NAN, np.ones(2)), {}),
        ("scipy.linalg.lstsq", (SQUARE, NAN), {}),
        ("scipy.linalg.lstsq", (SQUARE, np.ones(3)), {}),
        ("scipy.linalg.lstsq", (SQUARE, np.ones(2)), {"lapack_driver": "qr"}),
        ("scipy.linalg.pinv", (SQUARE,), {"atol": -1.0}),
        ("scipy.linalg.qr", (SQUARE,), {"mode": "none"}),
        ("scipy.linalg.qr", ([["a", "b"], ["c", "d"]],), {}),
        ("scipy.linalg.subspace_angles", (SQUARE, np.ones((3, 1))), {}),
        ("numpy.linalg.matrix_rank", (NAN,), {}),
        ("numpy.linalg.matrix_rank", (SQUARE,), {"tol": 0.1, "rtol": 0.1}),
        ("numpy.linalg.lstsq", (SQUARE, np.ones(3)), {}),
        ("numpy.linalg.lstsq", (SQUARE[None], np.ones(2)), {}),
        ("numpy.linalg.pinv", (SQUARE,), {"rcond": 0.1, "rtol": 0.1}),
        ("numpy.linalg.pinv", (SQUARE[:, :1],), {"hermitian": True}),
        ("numpy.linalg.pinv", (SQUARE.astype(int),), {"rtol": None}),
        ("numpy.linalg.pinv", (SQUARE.astype("f2"),), {}),
    ],
)
def test_errors_are_those_of_the_peer(function, args, options):
    home, _, name = function.rpartition(".")
    module = scipy.linalg if home == "scipy.linalg" else np.linalg
    with pytest.raises(Exception) as theirs:  # noqa: PT011  (whatever it is)
        getattr(module, name)(*args, **options)
    with patched(), pytest.raises(type(theirs.value)) as ours:
        getattr(module, name)(*args, **options)
    assert str(ours.value) == str(theirs.value)
    assert ours.value.__context__ is theirs.value.__context__ is None


def test_a_rank_that_rounding_decides_is_left_to_the_peer():
    rng = np.random.default_rng(SEED + 6)
    A = rng.standard_normal((60, 40)) @ rng.standard_normal((40, 60))
    theirs, ours, who = both("scipy.linalg.lstsq", A, np.ones(60))  # SciPy's cutoff is eps
    assert who == Calls(0, {"a singular value too near the cutoff": 1})
    assert ours[2] == theirs[2]
    A = np.diag([1.0, 1e-15])
    for shift in (-1e-16, 1e-16):
        theirs, ours, who = both("numpy.linalg.matrix_rank", A, rtol=1e-15 + shift)
        assert who.served == 0
        assert ours == theirs


@pytest.mark.parametrize("function", ["scipy.linalg.pinv", "numpy.linalg.pinv"])
def test_an_inverse_that_overflows_is_left_to_the_peer_to_warn_of(function):
    A = np.diag([1e-300, 3e-309])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs, ours, who = both(function, A)
    assert who == Calls(0, {"an inverse that overflows": 1})
    np.testing.assert_equal(ours, theirs)


def test_inputs_are_left_alone():
    rng = np.random.default_rng(SEED + 7)
    A, b = rng.standard_normal((40, 4)), rng.standard_normal(40)
    keep = A.copy(), b.copy()
    with patched():
        scipy.linalg.null_space(A, overwrite_a=True)
        scipy.linalg.lstsq(A, b, overwrite_a=True, overwrite_b=True)
    np.testing.assert_array_equal(A, keep[0])
    np.testing.assert_array_equal(b, keep[1])
