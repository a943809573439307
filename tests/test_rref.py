"""Reduced row echelon form: exact rank profiles, invariants at every rank, honest doubts."""

import functools
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
import reference
import scipy.linalg

import fastsub
from fastsub import testing as ft
from fastsub.kernels import echelon

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


def integers(rng, m, n, r, dtype=np.int64):
    """Small integers of rank r at most, so that every dtype holds them exactly."""
    return (rng.integers(-3, 4, (m, r)) @ rng.integers(-3, 4, (r, n))).astype(dtype)


@functools.cache
def every_rank_of_every_shape():
    """(A, R, pivots) for all shapes up to 12 x 12 and all their ranks; R is exact, in floats."""
    rng = np.random.default_rng(1789)
    found = []
    for m, n in itertools.product(range(1, 13), repeat=2):
        for r in range(min(m, n) + 1):
            pivots = None
            while pivots is None or len(pivots) < r:
                A = integers(rng, m, n, r)
                R, pivots = reference.rref(A)
            found.append((A, R.astype(float), pivots))
    return found


class TestAgainstFractions:
    @dtypes
    def test_every_rank_of_every_shape(self, dtype):
        for A, R, pivots in every_rank_of_every_shape():
            E = fastsub.rref(A.astype(dtype))
            assert E.pivots == pivots
            ft.check_echelon(A.astype(dtype), E)
            size = max(1.0, float(np.max(np.abs(R), initial=0)))
            error = np.max(np.abs(E.R - R), initial=0)
            assert error <= 1e3 * np.finfo(dtype).eps * size**2

    def test_leftmost_columns(self):
        """Zero and repeated columns in front, dependent ones between."""
        A = [[0, 1, 2, 0, 1], [0, 2, 4, 1, 3], [0, 3, 6, 1, 4]]
        E = fastsub.rref(A)
        assert E.pivots == (1, 3)
        assert E.free == (0, 2, 4)
        np.testing.assert_allclose(E.R[:2], [[0, 1, 2, 0, 1], [0, 0, 0, 1, 1]], atol=1e-14)

    def test_textbook(self):
        np.testing.assert_array_equal(
            fastsub.rref([[1, 2], [3, 6], [4, 8]]).null_basis, [[-2], [1]]
        )
        E = fastsub.rref([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
        assert E.rank == 2
        np.testing.assert_allclose(E.row_basis, [[1, 0, -1], [0, 1, 2]], atol=1e-14)


class TestBlocked:
    @dtypes
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_invariants(self, dtype, order):
        rng = np.random.default_rng(1815)
        for m, n, r in [(120, 90, 90), (90, 120, 61), (64, 200, 64), (200, 50, 17), (33, 33, 0)]:
            A = ft.random_rank(m, n, r, rng=rng, dtype=dtype)
            # Dependent columns among the first ones, too.
            A[:, 3::7] = A[:, 2::7][:, : A[:, 3::7].shape[1]] * 2
            A = np.asarray(A, order=order)
            E = fastsub.rref(A)
            assert E.rank == reference.matrix_rank(A)
            assert not any(j % 7 == 3 for j in E.pivots)
            ft.check_echelon(A, E)
            N = E.null_basis
            assert np.linalg.matrix_rank(N) == n - E.rank if n else True
            size = np.linalg.norm(A) * np.linalg.norm(N)
            assert np.linalg.norm(A @ N) <= 10 * max(m, n) * np.finfo(dtype).eps * size
            assert E.pivot_columns(A).shape == (m, E.rank)

    @dtypes
    def test_transform(self, dtype):
        rng = np.random.default_rng(1848)
        for m, n, r in [(40, 60, 25), (60, 40, 40), (5, 0, 0), (1, 4, 1)]:
            A = ft.random_rank(m, n, r, rng=rng, dtype=dtype)
            E = fastsub.rref(A, transform=True)
            assert E.T.shape == (m, m)
            eps = np.finfo(dtype).eps
            limit = 20 * max(m, n) * eps * np.linalg.norm(E.T) * max(np.linalg.norm(A), 1)
            assert np.linalg.norm(E.T @ A - E.R) <= limit
            assert np.linalg.matrix_rank(E.T) == m

    def test_one_slab_or_many(self):
        """More columns than are eliminated between two looks at the keyboard."""
        rng = np.random.default_rng(1871)
        A = ft.random_rank(70, 2100, 60, rng=rng)
        A[:, :1990] = A[:, :20] @ rng.standard_normal((20, 1990))
        E = fastsub.rref(A)
        assert E.rank == 60
        assert E.pivots[20:] == tuple(range(1990, 2030))
        ft.check_echelon(A, E)

    def test_same_bits(self):
        A = np.random.default_rng(1905).standard_normal((150, 170))
        np.testing.assert_array_equal(fastsub.rref(A).R, fastsub.rref(A).R)


class TestTolerance:
    def test_amplified_noise_is_not_rank(self):
        """Nearly parallel pivot columns make noise of a column that depends on them."""
        rng = np.random.default_rng(1917)
        a, d = rng.standard_normal((2, 8, 1))
        A = np.hstack([a, a + 1e-10 * d, a + d, a - 3 * d])
        E = fastsub.rref(A)
        assert E.pivots == (0, 1)
        assert E.certificate.rank == 2

    @dtypes
    def test_scales(self, dtype):
        """Each column counts relative to itself, whatever its size."""
        sizes = [-120, 0, 100] if np.finfo(dtype).bits == 32 else [-1000, 0, 1000]
        A = np.ldexp(np.array([[1.0, 2, 1], [1, 2, 3], [2, 4, 7]]), sizes).astype(dtype)
        E = fastsub.rref(A, transform=True)
        assert E.pivots == (0, 2)
        ft.check_echelon(np.eye(3)[:, [0, 0, 1]], (np.sign(np.abs(E.R)), E.pivots))

    def test_whole_matrix_scaled(self):
        A = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
        for power in (-1000, 1000):
            np.testing.assert_array_equal(fastsub.rref(np.ldexp(A, power)).R, fastsub.rref(A).R)

    def test_doubt_is_said(self):
        rtol = 1e-8
        A = np.array([[1.0, 1.0], [1.0, 1.0 + 2 * rtol]])
        E = fastsub.rref(A, rtol=rtol)
        assert E.ambiguous == (1,)
        assert "doubt" in repr(E)
        A[1, 1] = 2
        assert fastsub.rref(A, rtol=rtol).ambiguous == ()

    def test_kahan_certificate_reports_the_singular_values(self):
        A = ft.kahan(100)
        E = fastsub.rref(A)
        assert E.certificate.rank == reference.matrix_rank(A)
        assert E.rank != E.certificate.rank
        assert E.ambiguous

    @pytest.mark.parametrize("n", [6, 12, 20])
    def test_hilbert(self, n):
        """Backward stable whatever the rank: each column is that combination of the pivots."""
        A = scipy.linalg.hilbert(n)
        ft.check_echelon(A, fastsub.rref(A))

    def test_growth(self):
        n = 30
        A = np.eye(n) - np.tril(np.ones((n, n)), -1)
        A[:, -1] = 1
        assert fastsub.rref(A).growth == 2.0 ** (n - 1)
        assert fastsub.rref(np.eye(3)).growth == 1

    def test_certificate_is_of_the_matrix_as_it_was(self):
        A = np.array([[1.0, 2.0], [3.0, 6.0]])
        E = fastsub.rref(A)
        A[:] = np.eye(2)
        assert E.certificate.rank == 1


class TestObject:
    def test_transform_must_be_asked_for(self):
        with pytest.raises(ValueError, match="transform=True"):
            fastsub.rref(np.eye(2)).T  # noqa: B018 -- the property raises

    def test_transform_of_a_stream(self):
        with pytest.raises(TypeError, match="T would have as many columns as A has rows"):
            fastsub.rref(fastsub.stream([np.eye(2)]), transform=True)

    def test_pivot_columns_of_another_shape(self):
        with pytest.raises(ValueError, match=r"of shape \(2, 2\)"):
            fastsub.rref(np.eye(2)).pivot_columns(np.eye(3))

    def test_pickle(self):
        E = fastsub.rref([[1.0, 2.0], [3.0, 6.0]])
        copy = pickle.loads(pickle.dumps(E))
        np.testing.assert_array_equal(copy.R, E.R)
        assert copy.pivots == E.pivots
        assert repr(E) == "<Echelon of 2 x 2 float64: rank 1>"

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
    def test_empty(self, shape):
        E = fastsub.rref(np.zeros(shape), transform=True)
        assert E.R.shape == shape
        assert E.rank == E.certificate.rank == 0
        np.testing.assert_array_equal(E.null_basis, np.eye(shape[1]))
        np.testing.assert_array_equal(E.T, np.eye(shape[0]))


class TestCheckEchelon:
    """The checker itself fails on what is wrong."""

    @pytest.mark.parametrize(
        ("R", "pivots", "said"),
        [
            ([[1, 0, 0]], [0], "shape"),
            ([[1, 2], [0, 1]], [0], "below the last pivot"),
            ([[1, 2], [0, 0]], [1, 0], "ascending"),
            ([[1, 2], [0, 1]], [0, 1], "unit vector"),
            ([[0, 1], [1, 0]], [1, 0], "ascending"),
            ([[1, 1], [0, 0]], [1], "left of pivot 0"),
        ],
    )
    def test_form(self, R, pivots, said):
        with pytest.raises(AssertionError, match=said):
            ft.check_echelon([[1.0, 2.0], [3.0, 6.0]], (np.array(R, float), pivots))

    def test_exact(self):
        A = np.array([[1, 2], [3, 5]], dtype=object)
        ft.check_echelon(A, (np.array([[1, 0], [0, 1]], dtype=object), [0, 1]))
        wrong = np.array([[Fraction(1), Fraction(2)], [0, 0]], dtype=object)
        with pytest.raises(AssertionError, match="equality"):
            ft.check_echelon(A, (wrong, [0]))


class TestKernel:
    def test_refuses_short_arrays(self):
        W, two = np.ones((2, 2), order="F"), np.empty(2)
        pivots = np.empty(2, np.intc)
        with pytest.raises(ValueError, match="columns"):
            echelon.py_eliminate(W, 3, 0.0, two, pivots, pivots, two, two)
        with pytest.raises(ValueError, match="norms"):
            echelon.py_eliminate(W, 2, 0.0, two[:1], pivots, pivots, two, two)
        with pytest.raises(ValueError, match="pivots"):
            echelon.py_eliminate(W, 2, 0.0, two, pivots[:1], pivots, two, two)
        with pytest.raises(ValueError, match="shape of W"):
            echelon.py_reduce(W, pivots, two, two, 3, W.copy(order="F"))
