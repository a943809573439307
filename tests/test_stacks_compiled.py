"""Stacks run compiled: no Python frame for any matrix, whatever it holds and whatever is asked."""

import sys
from functools import partial

import numpy as np
import pytest

import fastsub
import fastsub.testing as ft

BASES = ["null_space", "orth", "row_space", "left_null_space"]
DTYPES = ["float32", "float64", "complex64", "complex128"]


def undecided(m, n, seed, dtype="float64", count=30):
    """The last singular value within a factor 2 of the cutoff: only singular values can tell."""
    rng, k = np.random.default_rng(seed), min(m, n)
    last = np.finfo(dtype).eps * max(m, n) * rng.uniform(0.6, 1.8, count)
    sigmas = [[*np.linspace(1, 0.5, k - 1), s] for s in last]
    return np.stack([ft.with_singular_values(s, m, n, seed + i) for i, s in enumerate(sigmas)])


def of_rank(r):
    return np.stack([ft.random_rank(6, 4, r, 5527 + i) for i in range(30)])


def with_nan():
    A = of_rank(4)
    A[::3, 1, 2], A[1::3, 5, 3] = np.nan, np.inf
    return A


STACKS = {
    "full": of_rank(4),
    "deficient": of_rank(3),
    "undecided": undecided(6, 4, 5741),
    "huge": of_rank(4) * 1e300,
    "tiny": of_rank(3) * 1e-300,
    "zero": of_rank(4) * np.arange(30)[:, None, None] % 2,
    "not finite": with_nan(),
}
b = np.random.default_rng(5743).standard_normal((6, 2))
loose = {"check_finite": False}
CALLS = {
    **{name: partial(getattr(fastsub, name), padded=True, **loose) for name in BASES},
    "gesvd": lambda A: fastsub.null_space(A, ragged=True, lapack_driver="gesvd", **loose),
    "certified": lambda A: fastsub.orth(A, padded=True, full_output=True, **loose),
    "pinv": lambda A: fastsub.pinv(A, return_rank=True, **loose),
    "pinv atol": lambda A: fastsub.pinv(A, atol=0.1, rtol=0.1, full_output=True, **loose),
    "lstsq": lambda A: fastsub.lstsq(A, b, **loose),
    "certified lstsq": lambda A: fastsub.lstsq(A, b[:, 0], full_output=True, **loose),
    "lstsq cond": lambda A: fastsub.lstsq(A, b, 0.4, **loose),
    "lstsq gelsd": lambda A: fastsub.lstsq(A, b, lapack_driver="gelsd", **loose),
    "lstsq huge b": lambda A: fastsub.lstsq(A, 1e290 * b, **loose),
    "lstsq complex b": lambda A: fastsub.lstsq(A, 1j * b, lapack_driver="gelsy", **loose),
    "lstsq b of NaN": lambda A: fastsub.lstsq(A, b * [1, np.nan], **loose),
    "qr": lambda A: fastsub.qr(A, **loose),
    "pivoted qr": lambda A: fastsub.qr(A, mode="raw", pivoting=True, **loose),
}
FINITE = {
    "matrix_rank": fastsub.matrix_rank,
    "rank by tol": lambda A: fastsub.matrix_rank(A, np.full(len(A), 0.2), full_output=True),
    "Hermitian": lambda A: fastsub.matrix_rank(A[:, :4], hermitian=True),
}


def frames_of(call, A):
    frames = []

    def count(frame, event, _):
        # A build for debugging reports functions of the kernels, too.
        if event == "call" and not frame.f_code.co_filename.endswith((".pyx", ".pxd")):
            frames.append(frame.f_code.co_name)

    call(A)
    frames.clear()
    sys.setprofile(count)
    try:
        call(A)
    finally:
        sys.setprofile(None)
    return len(frames)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr("fastsub.factor.parallel.thread_count", lambda: 1)  # to be counted


@pytest.mark.parametrize("what", STACKS)
@pytest.mark.parametrize("name", [*CALLS, *FINITE])
def test_no_python_frame_a_matrix(name, what):
    """Frames of a stack of 600 are those of a stack of 30, and a few for its pieces."""
    A = STACKS[what]
    if name in FINITE and what == "not finite":
        return
    call = {**CALLS, **FINITE}[name]
    assert frames_of(call, np.tile(A, (20, 1, 1))) < frames_of(call, A) + 100


@pytest.mark.parametrize("what", ["full", "deficient", "huge"])
def test_angles(what):
    def call(A):
        return fastsub.subspace_angles(A, A[:, ::-1])

    A = STACKS[what]
    assert frames_of(call, np.tile(A, (20, 1, 1))) < frames_of(call, A) + 200


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (19, 11)])
class TestUndecided:
    """Singular values decide: as NumPy's do."""

    def make(self, shape, dtype):
        A = undecided(*shape, 5749, dtype)
        if "c" in dtype:
            A = A * np.exp(2j * np.linspace(0, 3, shape[1]))
        return A.astype(dtype)

    def truncated(self, A, ranks):
        """The pseudoinverse at these ranks."""
        U, sigma, Vh = np.linalg.svd(A.astype(np.result_type(A, "f8")), full_matrices=False)
        sigma[np.arange(sigma.shape[1]) >= ranks[:, None]] = np.inf
        return np.swapaxes(Vh.conj(), 1, 2) / sigma[:, None] @ np.swapaxes(U.conj(), 1, 2)

    def test_ranks(self, dtype, shape):
        A = self.make(shape, dtype)
        (_, ranks), certificate = fastsub.pinv(A, return_rank=True, full_output=True)
        assert set(ranks.tolist()) == {min(shape) - 1, min(shape)}
        assert (certificate.decided_by == "svd").mean() > 0.5
        ft.check_certificate(A, certificate)
        (_, _, again, _), certificate = fastsub.lstsq(A, A, full_output=True)
        ft.check_certificate(A, certificate)
        assert abs(again - ranks).max() <= 1  # of A and of A^T: rounding breaks a tie

    @pytest.mark.parametrize("options", [{"atol": 0.3}, {"rtol": 0.7}, {"atol": 0.2, "rtol": 0.5}])
    def test_pinv(self, dtype, shape, options):
        """Well apart from any singular value, so that it is well-conditioned."""
        A = self.make(shape, dtype)
        A *= A.real.dtype.type(1.1)
        B, ranks = fastsub.pinv(A, return_rank=True, **options)
        sigma = np.linalg.svd(A, compute_uv=False)
        cutoff = options.get("atol", 0) + options.get("rtol", 0) * sigma[:, :1]
        assert ranks.tolist() == (sigma > cutoff).sum(1).tolist()
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(B, self.truncated(A, ranks), rtol=0, atol=300 * eps)
        for M, X in zip(A[:4], B, strict=False):
            alone = fastsub.pinv(M, **options)
            np.testing.assert_allclose(X, alone, rtol=0, atol=300 * eps)

    @pytest.mark.parametrize("driver", [None, "gelsy", "gelsd", "gelss"])
    @pytest.mark.parametrize("exponents", [(0, 0), (30, 0), (-30, 0), (0, 30), (0, -30), (-10, 20)])
    def test_lstsq(self, dtype, shape, driver, exponents):
        """The solution of least norm, wherever the scales of A and b lie."""
        A = self.make(shape, dtype)
        of_a, of_b = (e * (9 if np.finfo(dtype).maxexp > 200 else 1) for e in exponents)
        rng = np.random.default_rng(5779)
        b = rng.standard_normal((30, shape[0], 3)).astype(dtype)
        x, residues, ranks, s = fastsub.lstsq(
            A * A.real.dtype.type(10.0**of_a),
            b * A.real.dtype.type(10.0**of_b),
            0.6,
            lapack_driver=driver,
        )
        wanted = self.truncated(A, ranks) @ b
        # In two steps: 10^(of_b - of_a) may be out of range.
        got = x * 10.0 ** (of_a / 2) * 10.0 ** (of_a / 2 - of_b)
        atol = 400 * np.finfo(dtype).eps
        if of_a <= of_b:  # else it may underflow
            np.testing.assert_allclose(got, wanted, rtol=0, atol=atol)
        assert residues.shape == (30, 0)
        if driver in ("gelsd", "gelss"):
            sigma = np.linalg.svd(A, compute_uv=False)
            np.testing.assert_allclose(
                s / 10.0**of_a, sigma, rtol=0, atol=1e2 * np.finfo(dtype).eps
            )
        else:
            assert s is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("driver", [None, "gelsd"])
@pytest.mark.parametrize("power", [0, -1, 1])
def test_residues(dtype, driver, power):
    rng = np.random.default_rng(5783)
    scale = np.dtype(dtype).type(10.0 ** (power * 12)) if "c" not in dtype else 10.0 ** (power * 12)
    A = rng.standard_normal((40, 9, 4)).astype(dtype)
    b = (rng.standard_normal((40, 9, 2)) * scale).astype(dtype)
    x, residues, _, _ = fastsub.lstsq(A, b, lapack_driver=driver)
    left = np.linalg.norm((b - A @ x).astype("c16"), axis=1) ** 2
    np.testing.assert_allclose(residues, left, rtol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
def test_backward_errors_have_no_scale(dtype, shape):
    rng = np.random.default_rng(5791)
    A, b = (rng.standard_normal((21, shape[0], n)).astype(dtype) for n in (shape[1], 2))
    unit = 2.0 ** (100 if np.finfo(dtype).maxexp < 200 else 990)
    for of_a, of_b in ((1, 1), (unit, unit), (1 / unit, 1 / unit), (1, unit), (1, 1 / unit)):
        A_, b_ = A * A.real.dtype.type(of_a), b * b.real.dtype.type(of_b)
        _, certificate = fastsub.lstsq(A_, b_, full_output=True)
        assert (certificate.backward_error < 10 * np.finfo(dtype).eps).all()


def test_matrices_that_are_not_finite():
    """NaN where they are asked about, their neighbours untouched."""
    A, bad = with_nan(), np.arange(30) % 3 < 2
    good = {name: CALLS[name](A[~bad]) for name in ("orth", "pinv", "lstsq")}
    (Q, ranks), (B, _), (x, residues, _, _) = (CALLS[name](A) for name in good)
    assert (ranks == 4).all()
    for found, alone in ((Q, good["orth"][0]), (B, good["pinv"][0]), (x, good["lstsq"][0])):
        assert np.isnan(found[bad]).all()
        np.testing.assert_allclose(found[~bad], alone, rtol=0, atol=1e-11)
    assert np.isnan(residues[bad]).all()
    x, _, _, _ = CALLS["lstsq b of NaN"](A[~bad])
    assert np.isnan(x[..., 1]).all()
    np.testing.assert_allclose(x[..., 0], good["lstsq"][0][..., 0], rtol=0, atol=1e-11)


EMPTY = {
    **{name: partial(getattr(fastsub, name), full_output=True) for name in BASES},
    "rank": partial(fastsub.matrix_rank, full_output=True),
    "pinv": partial(fastsub.pinv, full_output=True),
    "lstsq": lambda A: fastsub.lstsq(A, np.ones((A.shape[-2], 2)), full_output=True),
    "lstsq gelsd": lambda A: fastsub.lstsq(A, np.ones(A.shape[-2]), lapack_driver="gelsd"),
    "qr": fastsub.qr,
    "pivoted qr": partial(fastsub.qr, mode="raw", pivoting=True),
}


def parts_of(answer):
    """The arrays of an answer, whatever it is made of."""
    if isinstance(answer, fastsub.Certificate):
        return parts_of([answer.rank, answer.tol, answer.decided_by, answer.method])
    if isinstance(answer, tuple | list):
        return [part for one in answer for part in parts_of(one)]
    return [] if answer is None else [np.asarray(answer)]


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_matrices(name, shape):
    """As a single one is answered, and once for all of them."""
    call, A = EMPTY[name], np.zeros((2, 3, *shape))
    for whole, alone in zip(parts_of(call(A)), parts_of(call(A[0, 0])), strict=True):
        assert (whole == alone).all()
        assert whole.shape == (2, 3, *alone.shape)
    assert frames_of(call, np.zeros((300, *shape))) < frames_of(call, A) + 50


@pytest.mark.parametrize("shape", [(9, 4), (4, 9)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_no_right_hand_sides(shape, dtype):
    A = np.random.default_rng(5801).standard_normal((5, *shape))
    A[2, :, 1] = A[2, 1] = 0
    b = np.zeros((5, shape[0], 0), dtype)
    x, residues, ranks, s = fastsub.lstsq(A, b, lapack_driver="gelss")
    assert (x.shape, x.dtype, residues.shape) == ((5, shape[1], 0), dtype, (5, 0))
    assert ranks.tolist() == [4, 4, 3, 4, 4]
    np.testing.assert_allclose(s, np.linalg.svd(A, compute_uv=False), rtol=0, atol=1e-14)
