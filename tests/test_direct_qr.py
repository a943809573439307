"""QR with column pivoting of a small matrix in one compiled call."""

import numpy as np
import pytest
import scipy.linalg

import fastsub
from fastsub import testing as ft
from fastsub.kernels import direct_qr


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 4), (4, 7), (33, 33), (64, 64)])
def test_every_rank_as_lapack(dtype, shape):
    m, n = shape
    for r in {0, 1, min(shape) // 2, min(shape)}:
        A = ft.random_rank(m, n, r, 1201, dtype) if r else np.zeros(shape, dtype)
        before = A.copy()
        F = fastsub.rrqr(A)
        np.testing.assert_array_equal(A, before)
        Q, R, p = F
        eps, norm = np.finfo(dtype).eps, np.linalg.norm(A)
        ft.check_orthonormal(Q)
        np.testing.assert_array_equal(np.tril(R, -1), 0)
        np.testing.assert_array_equal(np.sort(p), np.arange(n))
        assert np.linalg.norm(A[:, p] - Q @ R) <= 20 * eps * norm
        sizes = abs(np.diagonal(R))
        assert np.all(sizes[1:] <= sizes[:-1] * (1 + 20 * eps) + 20 * eps * norm)
        theirs = scipy.linalg.qr(A, mode="r", pivoting=True)[0]
        np.testing.assert_allclose(sizes, abs(np.diagonal(theirs)), atol=100 * eps * norm)
        assert (F.rank, F.p.dtype, F.R.dtype, F.shape) == (r, np.intp, dtype, shape)


def test_norms_that_cancel_are_made_anew():
    """Of columns nearly parallel to the first pivot nothing but rounding is left of the norms."""
    rng = np.random.default_rng(1213)
    A = rng.standard_normal((40, 1)) + 1e-9 * rng.standard_normal((40, 12))
    R = fastsub.rrqr(A).R
    for k in range(1, 12):
        largest = np.linalg.norm(R[k:, k:], axis=0).max()
        assert abs(R[k, k]) == pytest.approx(largest, rel=1e-6)


def test_layouts_have_the_same_bits():
    A = np.random.default_rng(1217).standard_normal((12, 18))
    wide = np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3]
    wanted = direct_qr.py_pivoted(A, 4096)
    for other in (np.asfortranarray(A), wide, A[::-1][::-1]):
        for ours, theirs in zip(direct_qr.py_pivoted(other, 4096), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_leaves_the_rest_to_others():
    A = np.eye(3)
    for other in (
        [[1.0]], A[0], A.astype(int), A.astype(">f8"), A * np.nan, A * 1e-200, A * 1e200,
        np.empty((0, 3)), np.ma.array(A), np.eye(9),
    ):  # fmt: skip
        assert direct_qr.py_pivoted(other, 80) is None
    for scale in (1e-200, 1e200):
        np.testing.assert_allclose(abs(np.diagonal(fastsub.rrqr(A * scale).R)), scale)
    with pytest.raises(ValueError, match="finite"):
        fastsub.rrqr(A * np.nan)
