"""Normal equations, LU and preconditioning: every path is taken, and none claims too much."""

import numpy as np
import pytest
import reference
from test_least_squares_accuracy import householder_solution, karlson_walden

import fastsub
from fastsub import testing as ft
from fastsub.factor import choose
from fastsub.factor.choose import SMALL_ENTRIES
from fastsub.factor.least_squares import normal as factor_normal
from fastsub.factor.least_squares import refine as factor_refine
from fastsub.factor.rank.decide import Cutoff
from fastsub.factor.rank.fullrank import prove_by_cholesky
from fastsub.functions import least_squares
from fastsub.kernels import gram, lu, normal

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
orders = pytest.mark.parametrize("order", ["C", "F"])
U = float(np.finfo(float).eps)


def eps(A):
    return float(np.finfo(A.dtype).eps)


def arrays(dtype, order, seed, k=3):
    rng = np.random.default_rng(seed)

    def some(*shape):
        A = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        return np.asfortranarray(A if np.dtype(dtype).kind == "c" else A.real).astype(dtype)

    return np.array(some(23, 7), order=order), some(23, k), some(7, k)


class TestKernels:
    @dtypes
    @orders
    @pytest.mark.parametrize("k", [1, 4, 9])
    def test_products_where_a_lies(self, dtype, order, k):
        A, B, X = arrays(dtype, order, 1021, k)
        assert normal.py_reads(A)
        R, G = np.empty_like(B), np.empty_like(X)
        before = A.copy(), B.copy(), X.copy()
        normal.py_residual(A, B, X, R)
        np.testing.assert_allclose(R, B - A @ X, atol=100 * eps(A))
        normal.py_adjoint(A, R, G)
        np.testing.assert_allclose(G, A.conj().T @ R, atol=1000 * eps(A))
        for now, then in zip((A, B, X), before, strict=True):
            np.testing.assert_array_equal(now, then)

    @dtypes
    @pytest.mark.parametrize("k", [1, 9])
    def test_substitution(self, dtype, k):
        rng = np.random.default_rng(1033)
        R = np.asfortranarray((np.triu(rng.standard_normal((6, 6))) + 6 * np.eye(6)).astype(dtype))
        G = np.asfortranarray(rng.standard_normal((6, k)).astype(dtype))
        for adjoint, T in ((True, R.conj().T), (False, R)):
            Z = G.copy(order="F")
            normal.py_half(R, Z, adjoint)
            np.testing.assert_allclose(T @ Z, G, atol=100 * eps(R))

    def test_refuses_what_it_cannot_read(self):
        A = np.ones((6, 6))[::2, ::2]
        assert not normal.py_reads(A)
        assert not normal.py_reads(np.ones((0, 3)))
        with pytest.raises(ValueError, match="contiguous"):
            normal.py_adjoint(A, np.ones((3, 1), order="F"), np.ones((3, 1), order="F"))
        with pytest.raises(ValueError, match="m x k"):
            normal.py_adjoint(np.ones((4, 2)), np.ones((3, 1), order="F"), np.ones((2, 1)))

    @dtypes
    @pytest.mark.parametrize("transposed", [False, True])
    @pytest.mark.parametrize("k", [1, 9])
    def test_lu(self, dtype, transposed, k):
        rng = np.random.default_rng(1039)
        A = np.asfortranarray(rng.standard_normal((8, 8)).astype(dtype))
        B = np.asfortranarray(rng.standard_normal((8, k)).astype(dtype))
        W, p = A.copy(order="F"), np.empty(16, np.intc)
        assert lu.py_factor(W, p) == 0
        L, R = np.tril(W, -1) + np.eye(8, dtype=dtype), np.triu(W)
        np.testing.assert_allclose(L @ R, A[p[:8]], atol=50 * eps(A))
        np.testing.assert_allclose(
            lu.py_norms(W), (np.linalg.norm(L), np.linalg.norm(R)), rtol=10 * eps(A)
        )
        wanted = np.linalg.solve((L @ R).T if transposed else L @ R, B)
        for inverted in (False, True):
            if inverted:
                assert lu.py_invert(W, False) == lu.py_invert(W, True) == 0
                np.testing.assert_allclose(np.triu(W) @ R, np.eye(8), atol=1e3 * eps(A))
            X = B.copy(order="F")
            lu.py_apply(W, X, transposed, inverted)
            np.testing.assert_allclose(X, wanted, rtol=0, atol=2e3 * eps(A) * abs(wanted).max())

    def test_a_singular_lu_is_reported(self):
        assert lu.py_factor(np.zeros((3, 3), order="F"), np.empty(6, np.intc)) > 0


class TestProof:
    def test_is_not_moved_by_scaled_columns(self):
        """The relative bound proves what the absolute one cannot."""
        rng = np.random.default_rng(1049)
        A = np.asfortranarray(rng.standard_normal((400, 20)) * 2.0 ** -np.arange(0, 40, 2))
        G = np.empty((20, 20), order="F")
        gram.py_gram(A, G)
        squares = np.diagonal(G).copy()
        assert gram.py_cholesky(G) == 0
        decision = prove_by_cholesky(G, squares, 400, Cutoff(1e-14))
        sigma = reference.svd(A)[1][-1]
        assert sigma / 10 < decision.sigma_r_lower <= sigma

    def test_is_none_where_the_gram_matrix_lost_the_rank(self):
        A = ft.with_singular_values(np.geomspace(1, 1e-9, 20), 400, 20, 1051, float)
        assert factor_normal.CholeskyFactor(A, Cutoff(1e-13)).decision is None


def answer(A, b, cond=None):
    (x, residues, rank, _), certificate = fastsub.lstsq(A, b, cond, full_output=True)
    ft.check_certificate(A, certificate, rtol=cond)
    assert rank == certificate.rank
    return x, residues, certificate


SHAPES = {"tall": (700, 60), "wide": (60, 700), "square": (70, 70)}


class TestPaths:
    @pytest.fixture(autouse=True)
    def small_matrices_take_them(self, monkeypatch):
        for module in (choose, least_squares):
            monkeypatch.setattr(module, "SMALL_ENTRIES", 64 * 64)

    @dtypes
    @orders
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_well_conditioned(self, dtype, order, shape):
        A = ft.with_singular_values(np.geomspace(3, 1, min(shape)), *shape, 1061, dtype)
        A = np.array(A, order=order)
        b = np.random.default_rng(1063).standard_normal((shape[0], 2)).astype(dtype)
        x, residues, certificate = answer(A, b)
        # The rounding of an LU in single precision leaves no room for a proof.
        square = "lu" if eps(A) < 1e-10 else "qr"
        path = square if shape[0] == shape[1] else "normal equations"
        assert certificate.method.startswith(path)
        wanted = reference.lstsq(A, b)[0]
        np.testing.assert_allclose(x, wanted, rtol=0, atol=300 * eps(A) * abs(wanted).max())
        assert certificate.backward_error <= eps(A)
        if shape[0] > shape[1]:
            squares = np.linalg.norm(b - A @ wanted, axis=0) ** 2
            np.testing.assert_allclose(residues, squares, rtol=1e3 * eps(A))

    @pytest.mark.parametrize("dtype", ["float64", "complex128"])
    @pytest.mark.parametrize(("power", "path"), [(5, "normal"), (9, "preconditioned"), (14, "qr")])
    def test_of_every_condition(self, dtype, power, path):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 50), 800, 50, 1069, dtype)
        b = A @ np.ones(50)
        x, _, certificate = answer(A, b, 1e-18)
        assert certificate.method.startswith(path)
        peer = karlson_walden(A, b, householder_solution(A, b))
        assert karlson_walden(A, b, x) <= 10 * max(peer, U / 2)

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_deficient_rank_is_left_to_a_decomposition(self, shape):
        A = ft.with_singular_values(np.geomspace(3, 1, 50), *shape, 1087, float)
        b = np.random.default_rng(1091).standard_normal(shape[0])
        x, residues, certificate = answer(A, b)
        assert (certificate.rank, residues.shape) == (50, (0,))
        np.testing.assert_allclose(x, reference.lstsq(A, b)[0], atol=1e-13)

    def test_columns_are_judged_one_by_one(self):
        """A normwise small error would lose the coefficient of a long column's neighbour."""
        rng = np.random.default_rng(1093)
        scale = 10.0 ** rng.uniform(-8, 8, 20)
        A = ft.with_singular_values(np.geomspace(1, 1e-4, 20), 500, 20, rng, float)
        b = rng.standard_normal(500)
        x, _, certificate = answer(A * scale, b, 1e-30)
        assert certificate.method.startswith("normal equations")
        wanted = householder_solution(A, b) / scale
        np.testing.assert_allclose(x, wanted, rtol=1e-9)

    def test_a_failed_attempt_leaves_a_alone(self):
        A = ft.with_singular_values(np.geomspace(1, 1e-9, 60), 300, 60, 1097, float)
        before = A.copy()
        for overwrite in (False, True):
            fastsub.lstsq(A if not overwrite else A.copy(), np.ones(300), overwrite_a=overwrite)
            np.testing.assert_array_equal(A, before)

    def test_refinement_that_does_not_gain_is_given_up(self):
        """The factor of another matrix: no error is small, and none is called so."""
        rng = np.random.default_rng(1103)
        A, other = (np.asfortranarray(rng.standard_normal((200, 30))) for _ in range(2))
        factor = factor_normal.CholeskyFactor(other, Cutoff(1e-13))
        b = np.asfortranarray(rng.standard_normal((200, 1)))
        assert factor_refine.refine(A, b, factor, honest=True) is None


class TestAdversarial:
    rng = np.random.default_rng(1109)
    A = rng.standard_normal((900, 40))

    @pytest.mark.parametrize("mu", [1e-3, 1e-6, 1e-8, 1e-10])
    def test_lauchli(self, mu):
        A = np.vstack([np.ones((1, 60)), mu * np.eye(60)] * 4)
        b = np.random.default_rng(1117).standard_normal(len(A))
        x, _, certificate = answer(A, b)
        assert certificate.rank == 60
        assert karlson_walden(A, b, x) <= 10 * U

    @pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
    def test_scale(self, size):
        b = np.random.default_rng(1123).standard_normal(900)
        x = answer(self.A * size, b * size)[0]
        np.testing.assert_allclose(x, answer(self.A, b)[0], rtol=1e-12)

    def test_right_hand_sides_of_every_kind_at_once(self):
        Q = np.linalg.qr(self.A)[0]
        far = self.rng.standard_normal(900)
        for _ in range(2):
            far -= Q @ (Q.T @ far)
        near = self.A @ np.arange(40.0)
        b = np.stack([far, near, 0 * near, 1e8 * near + far, near + 1e-9 * far], axis=1)
        x, residues, certificate = answer(self.A, b)
        assert certificate.backward_error <= U
        assert np.linalg.norm(x[:, 0]) <= 1e-13
        np.testing.assert_allclose(x[:, 1], np.arange(40.0), atol=1e-12)
        assert not x[:, 2].any()
        assert residues[2] == 0
        np.testing.assert_allclose(residues[[0, 4]], far @ far * np.array([1, 1e-18]), rtol=1e-2)

    def test_zero_and_repeated_columns(self):
        b = self.rng.standard_normal(900)
        for extra in (np.zeros((900, 1)), self.A[:, :1]):
            B = np.hstack([self.A, extra])
            x, _, certificate = answer(B, b)
            assert certificate.rank == 40
            np.testing.assert_allclose(x, reference.lstsq(B, b)[0], atol=1e-13)

    @dtypes
    @orders
    @pytest.mark.parametrize("shape", [(500, 200), (200, 500), (230, 230)])
    def test_nothing_but_zeros(self, dtype, order, shape):
        A = np.zeros(shape, dtype, order=order)
        b = np.random.default_rng(1127).standard_normal((shape[0], 2)).astype(dtype)
        x, residues, certificate = answer(A, b)
        assert (x.shape, x.dtype, residues.size) == ((shape[1], 2), A.dtype, 0)
        assert not x.any()
        assert (certificate.rank, certificate.method) == (0, "zero")
        A[-1, -1] = 2
        x, _, certificate = answer(A, b)
        assert certificate.rank == 1
        np.testing.assert_allclose(x[-1], b[-1] / 2, rtol=10 * eps(A))
        A[-1, -1] = np.nan
        with pytest.raises(ValueError, match="a must be finite"):
            fastsub.lstsq(A, b)

    def test_growth_of_pivots(self):
        """Wilkinson's matrix: pivots grow by 2^(n-1), and refinement or QR repairs it."""
        W = np.tril(-np.ones((90, 90)), -1) + np.eye(90)
        W[:, -1] = 1
        b = np.random.default_rng(1129).standard_normal(90)
        for A in (W, np.asfortranarray(W)):
            x, _, certificate = answer(A, b)
            assert np.linalg.norm(b - A @ x) <= 10 * U * np.linalg.norm(A) * np.linalg.norm(x)
            assert certificate.rank == 90

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_not_finite(self, shape, bad):
        A = np.random.default_rng(1151).standard_normal(shape)
        A[5, 7] = bad
        with pytest.raises(ValueError, match="a must be finite"):
            fastsub.lstsq(A, np.ones(shape[0]))


@dtypes
def test_small_in_one_call_agrees_with_a_decomposition(dtype):
    """All ranks, shapes, orders, numbers of right-hand sides; with a certificate or not."""
    rng = np.random.default_rng(1153)
    for m, n in ((1, 1), (1, 4), (4, 1), (6, 4), (4, 6), (9, 9), (17, 20), (40, 3), (3, 40)):
        assert m * n <= SMALL_ENTRIES
        for r in range(0, min(m, n) + 1, 1 if min(m, n) < 9 else 4):
            sigma = np.geomspace(8, 1, r)
            A = np.asarray(
                ft.with_singular_values(sigma, m, n, rng, dtype), order=rng.choice(["C", "F"])
            )
            for k in ((), (1,), (11,)):
                b = rng.standard_normal((m, *k)).astype(dtype)
                x, residues, certificate = answer(A, b)
                assert certificate.method.startswith("small")
                assert certificate.rank == r
                wanted = reference.lstsq(A, b)[0]
                scale = max(float(np.abs(wanted).max(initial=0)), 1e-3)
                np.testing.assert_allclose(x, wanted, rtol=0, atol=1e3 * eps(A) * scale)
                plain = fastsub.lstsq(A, b)
                np.testing.assert_array_equal(plain[0], x)
                np.testing.assert_array_equal(plain[1], residues)
                assert plain[2] == r
