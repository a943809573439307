"""The rank: NumPy's semantics, the SVD's answer."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (7, 7), (12, 5), (5, 12), (220, 215), (700, 60), (60, 700)]


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank(dtype, shape):
    full = min(shape)
    for r in range(full + 1) if full < 13 else (0, 1, full // 2, full - 1, full):
        A = ft.random_rank(*shape, r, 811 + r, dtype)
        rank, certificate = fastsub.matrix_rank(A, full_output=True)
        assert rank == r == certificate.rank
        assert isinstance(rank, int)
        ft.check_certificate(A, certificate)
        assert certificate.decided_by == "bounds"
        assert np.linalg.matrix_rank(A) == r


@settings(max_examples=100)
@given(
    m=st.integers(1, 16),
    n=st.integers(1, 16),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from(DTYPES),
    data=st.data(),
)
def test_integer_matrices(m, n, seed, dtype, data):
    r = data.draw(st.integers(0, min(m, n)))
    A = ft.integers_of_rank(m, n, r, seed)
    assert fastsub.matrix_rank(A.astype(dtype)) == r
    assert fastsub.matrix_rank(A) == r


class TestVectorsAndNumbers:
    @pytest.mark.parametrize("given", [0, 0.0, [], [0, 0], np.zeros(5), False, 0j])
    def test_zero(self, given):
        assert fastsub.matrix_rank(given) == np.linalg.matrix_rank(given) == 0

    @pytest.mark.parametrize("given", [3, -1e-320, [0, 2], [1e-300], True, 1j, np.ones(7)])
    def test_not_zero(self, given):
        assert fastsub.matrix_rank(given) == np.linalg.matrix_rank(given) == 1

    def test_certificate(self):
        rank, certificate = fastsub.matrix_rank([3.0, 4.0], full_output=True)
        assert (rank, certificate.rank) == (1, 1)
        assert certificate.sigma_next_upper <= certificate.tol < certificate.sigma_r_lower <= 5
        assert fastsub.matrix_rank([0.0, 0.0], full_output=True)[1].sigma_r_lower == math.inf


class TestTolerances:
    A = np.diag([1.0, 1e-3, 1e-6, 0.0])

    @pytest.mark.parametrize("size", [0, 230])
    @pytest.mark.parametrize("tol", [0.5, 1e-2, 1e-4, 1e-8, 2.0, 1e3, 1e300, math.inf])
    def test_as_numpy(self, size, tol):
        A = np.pad(self.A, (0, size))
        for options in ({"tol": tol}, {"rtol": tol}):
            wanted = np.linalg.matrix_rank(A, **options)
            rank, certificate = fastsub.matrix_rank(A, full_output=True, **options)
            assert rank == wanted == certificate.rank
            if tol < 10:
                ft.check_certificate(A, certificate, **options)

    @pytest.mark.parametrize("size", [6, 230])
    def test_zero_counts_what_is_not_zero(self, size):
        for A in (np.eye(size), ft.random_rank(size, size, size, 821), np.zeros((size, size))):
            for options in ({"tol": 0}, {"rtol": 0}):
                wanted = np.linalg.matrix_rank(A, **options)
                rank, certificate = fastsub.matrix_rank(A, full_output=True, **options)
                assert rank == wanted
                assert certificate.tol == 0

    @pytest.mark.parametrize("power", [-990, -300, 300, 990])
    @pytest.mark.parametrize("size", [0, 230])
    def test_absolute_tolerance_of_scaled_matrices(self, power, size):
        A = times_power_of_two(np.pad(self.A, (0, size)), power)
        for tol in (1e-2, 1e-4, 1e-8, 4.0):
            scaled = float(np.ldexp(tol, power))
            assert fastsub.matrix_rank(A, tol=scaled) == fastsub.matrix_rank(self.A, tol=tol)
        # Tolerances from another world than the matrix.
        assert fastsub.matrix_rank(A, tol=1e10) == (0 if power < 100 else 3)
        assert fastsub.matrix_rank(A, tol=1e-250) == (0 if power == -990 else 3)

    def test_one_for_each_matrix_of_a_stack(self):
        stack = np.stack([self.A, 10 * self.A, self.A])
        tol = np.array([1e-2, 1e-5, 1e-4])
        for options in ({"tol": tol}, {"rtol": tol}, {"tol": 1e-4}, {"rtol": [1e-4] * 3}):
            ranks = fastsub.matrix_rank(stack, **options)
            np.testing.assert_array_equal(ranks, np.linalg.matrix_rank(stack, **options))
            assert ranks.dtype == np.intp
        _, certificate = fastsub.matrix_rank(stack, tol, full_output=True)
        assert certificate.tol.tolist() == tol.tolist()
        square = np.broadcast_to(self.A, (2, 3, 4, 4))
        assert fastsub.matrix_rank(square, tol=[1e-2, 1e-4, 1e-8]).tolist() == [[1, 2, 3]] * 2

    def test_bad_ones_in_a_stack(self):
        for bad in ([1e-3, np.nan], [1e-3, -1.0]):
            with pytest.raises(ValueError, match="tol must be a nonnegative number"):
                fastsub.matrix_rank(np.ones((2, 3, 3)), tol=bad)
        with pytest.raises(ValueError, match=r"broadcast|shape"):
            fastsub.matrix_rank(np.ones((2, 3, 3)), tol=[1e-3] * 5)

    def test_a_tolerance_that_only_a_rounding_separates_from_the_norm(self):
        """Two ways to add up the norm of what is left must not wait for each other for ever."""
        code = (
            "import math, numpy, fastsub\n"
            "A = numpy.array([[0.9577587029597641, -0.19980212906658],\n"
            "    [0.024259565076664623, 1.545820851212812],\n"
            "    [0.5451055226876446, -0.505228735614018]])\n"
            "tol = 4 * float(numpy.linalg.norm(A))\n"
            "for steps in range(-3, 4):\n"
            "    near = tol * (1 + steps * 2.0**-52)\n"
            "    print(fastsub.matrix_rank(A, tol=near), fastsub.COD(A, tol=near).rank)\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.stdout.split() == ["0"] * 14, ran.stderr


class TestHermitian:
    @dtypes
    def test_reads_the_lower_triangle_only(self, dtype):
        for size in (6, 230):
            for r in (1, 4, 6):
                B = ft.random_orthonormal(size, r, 823 + r, dtype)
                A = B @ B.conj().T
                assert fastsub.matrix_rank(A, hermitian=True) == r
                above = np.triu_indices(size, 1)
                A[above] = np.nan
                given = A.copy()
                assert fastsub.matrix_rank(A, hermitian=True) == r
                np.testing.assert_array_equal(A, given)

    def test_indefinite_and_stacks(self):
        A = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.0]])
        stack = np.stack([A, np.diag([1, -1, 2.0]), 0 * A])
        assert fastsub.matrix_rank(stack, hermitian=True).tolist() == [2, 3, 0]
        assert fastsub.matrix_rank(stack, 1.5, hermitian=True).tolist() == [0, 1, 0]

    def test_imaginary_part_of_the_diagonal_is_not_read(self):
        A = np.array([[1 + 5j, 0], [1j, 1]])
        assert fastsub.matrix_rank(A, hermitian=True) == 1
        assert np.linalg.matrix_rank(np.array([[1, -1j], [1j, 1]]), hermitian=True) == 1


def test_stack():
    stack = np.stack([np.diag([1.0] * r + [0.0] * (4 - r)) for r in range(5)])
    assert fastsub.matrix_rank(stack).tolist() == [0, 1, 2, 3, 4]
    ranks, certificate = fastsub.matrix_rank(stack[None], full_output=True)
    assert ranks.shape == (1, 5)
    ft.check_certificate(stack[None], certificate)
