"""Each check passes on right input, at every scale and dtype, and fails on wrong input."""

import itertools

import numpy as np
import pytest
import reference
import scipy.linalg

from fastsub import testing as ft
from fastsub.testing import spectrum

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


class TestChecks:
    @dtypes
    def test_all_pass_on_the_oracle(self, dtype):
        for case in itertools.islice(ft.cases(dtype), None, None, 3):
            A, found = case.A, ft.gap(case.A)
            unit = spectrum.to_unit_scale(A)[0]
            N = reference.null_space(unit.astype(dtype)).astype(dtype)
            Q = reference.orth(unit.astype(dtype)).astype(dtype)
            ft.check_orthonormal(N, peer=N)
            ft.check_annihilates(A, N, tol=max(found.tol, 1e-300), peer=N)
            ft.check_in_range(A, Q)

    @pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
    def test_empty(self, shape):
        A = np.zeros(shape)
        N, Q = reference.null_space(A), reference.orth(A)
        ft.check_orthonormal(N)
        ft.check_annihilates(A, N)
        ft.check_in_range(A, Q)
        ft.check_same_subspace(N, N, atol=0)
        ft.check_complementary(N, reference.row_space(A))
        k = min(shape)
        ft.check_rrqr(A, (np.eye(shape[0], k), A[:k], np.arange(shape[1])))

    def test_orthonormal(self):
        Q = ft.random_orthonormal(40, 9, 239)
        with pytest.raises(AssertionError, match=r"norm\(Q\^H Q - I\): got 2"):
            ft.check_orthonormal(Q * np.sqrt(3))
        with pytest.raises(AssertionError, match="want at most 4"):
            ft.check_orthonormal(Q * (1 + 1e-14))
        ft.check_orthonormal(Q * (1 + 1e-14), peer=Q * (1 + 1e-14))
        ft.check_orthonormal((Q * (1 + 1e-14)).astype(np.float32))
        with pytest.raises(AssertionError, match="got 40 of them"):
            ft.check_orthonormal(Q.T)
        with pytest.raises(AssertionError, match="NaN"):
            ft.check_orthonormal(np.full((2, 1), np.nan))
        with pytest.raises(AssertionError, match="got 1 dim"):
            ft.check_orthonormal(np.ones(1))

    @pytest.mark.parametrize("power", [-996, 0, 996])
    def test_annihilates(self, power):
        A = spectrum.times_power_of_two(ft.random_rank(12, 10, 6, 241), power)
        N = reference.null_space(spectrum.to_unit_scale(A)[0])
        ft.check_annihilates(A, N)
        wrong = N + 1e-13
        with pytest.raises(AssertionError, match=r"norm\(A N\)"):
            ft.check_annihilates(A, wrong)
        with pytest.raises(AssertionError, match=r"norm\(A N\)"):
            ft.check_annihilates(A, wrong, peer=wrong)  # the peer does not excuse more than tol
        ft.check_annihilates(A, wrong, tol=np.ldexp(1e-9, power), peer=wrong)
        with pytest.raises(AssertionError, match="shapes"):
            ft.check_annihilates(A, N[1:])

    def test_annihilates_knows_the_best_possible(self):
        A = np.diag([1.0, 1e-14, 1e-14, 1e-14])  # 20 eps < sigma_2 <= tol
        N = np.eye(4)[:, 1:]
        ft.check_annihilates(A, N, tol=2e-14)
        ft.check_annihilates(A, N, tol=2e-14, peer=N)
        with pytest.raises(AssertionError, match=r"norm\(A N\)"):
            ft.check_annihilates(A, N)
        with pytest.raises(AssertionError, match=r"norm\(A N\)"):
            ft.check_annihilates(A, N + 1e-13, tol=1e-9)

    def test_same_subspace(self):
        Q = ft.random_orthonormal(20, 5, 251, np.complex128)
        turn = ft.random_orthonormal(5, 5, 257, np.complex128)
        ft.check_same_subspace(Q, Q @ turn, atol=1e-14)
        with pytest.raises(AssertionError, match="Sine"):
            ft.check_same_subspace(Q, ft.random_orthonormal(20, 5, 263, np.complex128), atol=0.1)
        with pytest.raises(AssertionError, match="shapes"):
            ft.check_same_subspace(Q, Q[:, :4], atol=1)
        with pytest.raises(AssertionError, match="Q2 is a basis"):
            ft.check_same_subspace(Q, Q @ np.diag([1, 1, 1, 1, 0]), atol=1e-8)

    def test_in_range(self):
        A = ft.random_rank(12, 9, 4, 269)
        ft.check_in_range(A, A @ np.ones((9, 1)))
        ft.check_in_range(1e-300 * A, A[:, :2])
        with pytest.raises(AssertionError, match="Distance"):
            ft.check_in_range(A, np.eye(12)[:, :1])
        ft.check_in_range(A, np.eye(12)[:, :1], atol=1)
        ft.check_in_range(np.zeros((3, 3)), np.zeros((3, 2)))
        with pytest.raises(AssertionError, match="Distance"):
            ft.check_in_range(np.zeros((3, 3)), np.ones((3, 1)))
        with pytest.raises(AssertionError, match="shapes"):
            ft.check_in_range(A, np.ones((11, 1)))

    def test_complementary(self):
        A = ft.random_rank(12, 9, 4, 271, np.complex64)
        N, R = reference.null_space(A), reference.row_space(A)
        ft.check_complementary(N, R)
        with pytest.raises(AssertionError, match="shapes"):
            ft.check_complementary(N, R[:, 1:])
        with pytest.raises(AssertionError, match="U V"):
            ft.check_complementary(N, N[:, :4])
        skew = R + 1e-4 * N[:, :4]
        ft.check_complementary(N, skew, atol=1e-3)
        with pytest.raises(AssertionError, match="U V"):
            ft.check_complementary(N, skew)

    @dtypes
    @pytest.mark.parametrize("shape", [(9, 6), (6, 9), (7, 7)])
    @pytest.mark.parametrize("mode", ["full", "economic"])
    def test_rrqr(self, dtype, shape, mode):
        extreme = 900 if np.finfo(dtype).maxexp > 128 else 90
        for power in (-extreme, 0, extreme):
            A = spectrum.times_power_of_two(ft.random_rank(*shape, 4, 277, dtype), power)
            A = A.astype(dtype)
            Q, R, p = scipy.linalg.qr(A, mode=mode, pivoting=True)
            ft.check_rrqr(A, (Q, R, p))
            for wrong, message in [
                ((Q, R, p[::-1]), "A\\[:, p\\]"),
                ((Q, R, np.r_[p[:1], p[:-1]]), "permutation"),
                ((Q, R + R.max() * np.eye(*R.shape, -1), p), "below the diagonal"),
                ((2 * Q, R / 2, p), "Q\\^H Q"),
                ((Q, R[:-1], p), "shapes"),
                ((Q, R * (1 + 100 * np.finfo(dtype).eps), p), "A\\[:, p\\]"),
            ]:
                with pytest.raises(AssertionError, match=message):
                    ft.check_rrqr(A, wrong)
