"""Gram matrix and Cholesky factor against extended precision."""

import numpy as np
import pytest
import reference

from fastsub import testing as ft
from fastsub.kernels import gram

SHAPES = [(1, 1), (1, 5), (6, 1), (4, 7), (9, 9), (70, 33), (500, 20)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def gram_of(A):
    n = A.shape[1]
    G = np.full((n, n), np.nan, A.dtype, order="F")
    gram.py_gram(A, G)
    return G


def eps(A):
    return float(np.finfo(A.dtype).eps)


class TestGram:
    @pytest.mark.parametrize("order", ["F", "C"])
    @shapes
    def test_entries(self, dtype, normal, shape, order):
        A = normal(dtype, 701, *shape, order=order)
        before = A.copy()
        G = gram_of(A)
        assert np.array_equal(A, before)
        assert not np.any(np.tril(G, -1))
        assert not np.any(np.imag(np.diagonal(G)))
        # Higham 2002, section 3.5: |dG| <= gamma_m |A|^H |A|.
        limit = 4 * (shape[0] + 2) * eps(A) * (abs(A).T @ abs(A))
        assert np.all(np.abs(G - np.triu(reference.gram(A))) <= limit)

    def test_of_no_columns(self, dtype):
        G = np.zeros((0, 0), dtype, order="F")
        gram.py_gram(np.zeros((3, 0), dtype, order="F"), G)
        assert gram.py_cholesky(G) == 0

    def test_refuses_another_shape(self):
        A = np.ones((4, 3), order="F")
        for shape in ((3, 4), (4, 3), (2, 2)):
            with pytest.raises(ValueError, match="n x n"):
                gram.py_gram(A, np.zeros(shape, order="F"))


class TestCholesky:
    @shapes
    def test_factor(self, dtype, shape):
        n = shape[1]
        A = np.asfortranarray(ft.random_rank(*shape, min(shape), 709, dtype))
        G = gram_of(A) + np.asfortranarray(np.eye(n, dtype=dtype))
        R = G.copy(order="F")
        assert gram.py_cholesky(R) == 0
        assert not np.any(np.tril(R, -1))
        # Higham 2002, theorem 10.3: |R^H R - G| <= gamma_{n+1} |R|^H |R|.
        error = np.abs(np.triu(R.conj().T @ R - G))
        assert np.all(error <= 4 * (n + 2) * eps(A) * (abs(R).T @ abs(R)))

    @pytest.mark.parametrize("kappa", [1e0, 1e1, 1e2])
    def test_qr(self, dtype, kappa):
        """Q = A R^-1 loses kappa^2 u of its orthogonality, no more."""
        A = ft.with_singular_values(np.geomspace(1, 1 / kappa, 8), 60, 8, 719, dtype)
        R = gram_of(np.asfortranarray(A))
        assert gram.py_cholesky(R) == 0
        Q = np.linalg.solve(R.T, A.T).T
        error = np.linalg.norm(Q.conj().T @ Q - np.eye(8), 2)
        assert error <= 20 * kappa**2 * eps(A)

    def test_says_which_column_depends_on_those_before(self, dtype):
        for n in (2, 5, 40):
            for j in range(1, n, 1 + n // 8):
                A = np.eye(n, dtype=dtype, order="F")
                A[:, j] = A[:, 0]  # all of it exact, the zero pivot too
                assert gram.py_cholesky(gram_of(A)) == j + 1

    def test_of_nothing(self, dtype):
        assert gram.py_cholesky(np.zeros((0, 0), dtype, order="F")) == 0
