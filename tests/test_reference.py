"""The oracle against NumPy, SciPy and the checks."""

import numpy as np
import pytest
import reference
import scipy.linalg

from fastsub import testing as ft

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


class TestReference:
    @dtypes
    @pytest.mark.parametrize("shape", [(9, 6), (6, 9), (7, 7)])
    def test_subspaces(self, dtype, shape):
        for r in range(min(shape) + 1):
            A = ft.random_rank(*shape, r, 311, dtype)
            assert reference.matrix_rank(A) == r
            ft.check_complementary(reference.null_space(A), reference.row_space(A))
            ft.check_complementary(reference.left_null_space(A), reference.orth(A))
            ft.check_annihilates(A, reference.null_space(A))
            ft.check_annihilates(A.conj().T, reference.left_null_space(A))

    @dtypes
    def test_lstsq(self, dtype):
        A = ft.random_rank(9, 6, 4, 313, dtype)
        B = ft.random_rank(9, 2, 2, 317, dtype)
        for b in (B, B[:, 0]):
            x, rank = reference.lstsq(A, b)
            assert rank == 4
            rtol = 9 * np.finfo(dtype).eps
            np.testing.assert_allclose(x, np.linalg.lstsq(A, b, rcond=rtol)[0], atol=1e-4)

    @pytest.mark.parametrize("dtype", [float, complex])
    @pytest.mark.parametrize("shape", [(9, 6), (6, 9), (7, 7), (3, 1)])
    def test_pivoted_qr_and_compact_wy(self, dtype, shape):
        A = ft.random_rank(*shape, min(shape), 331, dtype)
        R, p, V, tau = reference.pivoted_qr(A)
        expected = scipy.linalg.qr(A, mode="r", pivoting=True)
        assert np.array_equal(p, expected[1])
        np.testing.assert_allclose(np.abs(R), np.abs(expected[0][: len(R)]), atol=1e-13)
        Q = np.eye(len(A)) - V @ reference.compact_wy(V, tau) @ V.conj().T
        ft.check_rrqr(A, (Q[:, : len(R)], R, p))
        assert not np.any(np.imag(np.diagonal(R)))

    @dtypes
    def test_gram(self, dtype):
        A = ft.random_rank(30, 7, 7, 337, dtype)
        G = reference.gram(A)
        assert G.dtype == dtype
        np.testing.assert_allclose(G, A.conj().T @ A, rtol=1e-3)
        assert np.array_equal(G, G.conj().T)
