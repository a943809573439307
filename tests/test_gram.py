"""Gram matrix and Cholesky factor against extended precision."""

import numpy as np
import pytest
import reference

from fastsub import testing as ft
from fastsub.factor import gram as threaded
from fastsub.factor import parallel
from fastsub.factor.gram import gram_matrix
from fastsub.kernels import gram

SHAPES = [(1, 1), (1, 5), (6, 1), (4, 7), (9, 9), (70, 33), (500, 20)]
# Panels hold 4 to 16 columns, and 128 rows at a time; tiles take up to three panels.
PACKED = [
    *((m, n, k) for m in (1, 127, 128, 300) for n in (1, 3, 8, 16, 17, 25, 50) for k in (0, 1, 2)),
    *((m, n, k) for m in (0, 5) for n in (0, 5) for k in (0, 3)),
    (129, 100, 0),
    (500, 70, 60),
]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def gram_of(A):
    n = A.shape[1]
    G = np.full((n, n), np.nan, A.dtype, order="F")
    gram.py_gram(A, G)
    return G


def gram_with(A, B):
    order = A.shape[1] + B.shape[1]
    G = np.full((order, order), np.nan, A.dtype, order="F")
    # Whatever the workspace holds is no part of the answer.
    work = np.full(gram.py_gram_work_size(A, B.shape[1]), np.nan, A.dtype)
    gram.py_gram_with(A, B, G, work)
    return G


def check_gram(G, A):
    """G is the upper triangle of A^H A; Higham 2002, section 3.5: |dG| <= gamma_m |A|^H |A|."""
    assert not np.any(np.tril(G, -1))
    assert not np.any(np.imag(np.diagonal(G)))
    limit = 4 * (A.shape[0] + 2) * eps(A) * (abs(A).T @ abs(A))
    assert np.all(np.abs(G - np.triu(reference.gram(A))) <= limit)


def laid_out(A, layout):
    """Return A in another layout; all the entries around it are NaN."""
    if layout in "CF":
        return np.array(A, order=layout)
    m, n = A.shape
    around = np.full((2 * m + 1, 3 * n + 1), np.nan, A.dtype)
    inside = around[1::2, -1:0:-3]
    inside[...] = A
    return inside


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
        check_gram(G, A)

    def test_of_no_columns(self, dtype):
        G = np.zeros((0, 0), dtype, order="F")
        gram.py_gram(np.zeros((3, 0), dtype, order="F"), G)
        assert gram.py_cholesky(G) == 0

    def test_refuses_another_shape(self):
        A = np.ones((4, 3), order="F")
        for shape in ((3, 4), (4, 3), (2, 2)):
            with pytest.raises(ValueError, match="n x n"):
                gram.py_gram(A, np.zeros(shape, order="F"))


class TestGramWith:
    @pytest.mark.parametrize("layout", ["C", "F", "strided, reversed"])
    def test_entries(self, dtype, normal, layout):
        for m, n, k in PACKED:
            both = normal(dtype, 727, m, n + k)
            A, B = laid_out(both[:, :n], layout), laid_out(both[:, n:], layout)
            G = gram_with(A, B)
            check_gram(G, both)
            assert np.array_equal(both, np.hstack([A, B]))
            assert np.array_equal(G, gram_with(both[:, :n], both[:, n:])), "depends on the layout"

    def test_of_small_integers_is_exact(self, dtype):
        rng = np.random.default_rng(733)
        A = rng.integers(-8, 9, (700, 60)).astype(dtype)
        if A.dtype.kind == "c":
            A = A + A.dtype.type(1j) * A[::-1]
        for order in "CF":
            G = gram_with(np.array(A, order=order), A[:, :0])
            assert np.array_equal(G, np.triu(A.conj().T @ A))

    def test_nan_and_infinity_stay_in_their_columns(self, dtype):
        for bad in (np.nan, np.inf):
            A = np.ones((200, 20), dtype, order="F")
            A[150, 7] = bad
            G = gram_with(A, A[:, :1])
            touched = np.zeros((21, 21), bool)
            touched[7, 7:] = touched[:8, 7] = True
            assert not np.any(np.isfinite(G[touched]))
            assert np.array_equal(G[~touched], np.triu(np.full((21, 21), 200))[~touched])

    def test_refuses_what_does_not_fit(self, dtype):
        A, B = np.ones((4, 3), dtype), np.ones((4, 2), dtype)
        G, work = np.zeros((5, 5), dtype, order="F"), np.zeros(10**4, dtype)
        for args in (
            (A, B[1:], G, work),
            (A, B[:, 1:], G, work),
            (A, B, G[1:, 1:].copy("F"), work),
        ):
            with pytest.raises(ValueError, match="order of both"):
                gram.py_gram_with(*args)
        with pytest.raises(ValueError, match="too small"):
            gram.py_gram_with(A, B, G, work[:8])


class TestThreadedGram:
    @pytest.mark.parametrize("packed", [True, False])
    @pytest.mark.parametrize("layout", ["C", "F", "strided, reversed"])
    def test_entries(self, dtype, normal, monkeypatch, packed, layout):
        monkeypatch.setattr(threaded, "is_packed", lambda *_: packed)
        monkeypatch.setattr(threaded, "_PAIR", 1 << 14)
        for m, n, k in ((0, 3, 1), (1, 1, 0), (5, 0, 2), (40, 6, 0), (400, 6, 1), (900, 33, 2)):
            both = normal(dtype, 739, m, n + k)
            G = gram_matrix(laid_out(both[:, :n], layout), laid_out(both[:, n:], layout))
            assert G.flags.f_contiguous
            check_gram(G, both)

    def test_same_bits_for_any_number_of_threads(self, dtype, normal, monkeypatch):
        A = normal(dtype, 743, 20000, 100)
        found = set()
        for threads in (1, 2, 3, 16):
            monkeypatch.setattr(parallel, "thread_count", lambda threads=threads: threads)
            found.add(gram_matrix(A, A[:, :1]).tobytes())
        assert len(found) == 1

    def test_long_sums_lose_nothing(self):
        """A million equal squares: one sum after the other would lose a thousand units."""
        A = np.full((1 << 20, 2), np.float32(0.1))
        exact = float(np.float32(0.1)) ** 2 * len(A)
        assert abs(gram_matrix(A) - np.triu(np.full((2, 2), exact))).max() <= 1e-4 * exact


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
