"""Pivoted QR: invariants at every rank, early stops, trust in the downdated norms."""

from dataclasses import dataclass

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from fastsub import testing as ft
from fastsub.kernels import qrcp

SHAPES = [(9, 6), (6, 9), (8, 8), (1, 7), (7, 1), (1, 1)]
DTYPES = ["float32", "float64", "complex64", "complex128"]


@dataclass
class Factored:
    r"""What py_qrcp made of A: W = V\R, with `left` the norm of W[k:, k:]."""

    A: np.ndarray
    W: np.ndarray
    p: np.ndarray
    tau: np.ndarray
    k: int
    left: float

    @property
    def diagonal(self):
        return np.abs(np.diagonal(self.W)[: self.k])

    @property
    def reduced(self):
        """Q^H A P: R in the first k columns, what is left below."""
        B = self.W.copy()
        B[:, : self.k] = np.triu(B[:, : self.k])
        return B


def factor(A, nb=3, rank=None, stop=-1.0, done=0):
    """Factor A; the first `done` columns in a call of their own."""
    m, n = A.shape
    W = np.array(A, order="F")
    p, tau = np.arange(n, dtype=np.intc), np.zeros(min(m, n), A.dtype)
    rank = min(m, n) if rank is None else rank
    arguments = {"nb": nb, "work": np.full(qrcp.py_work_size(n, nb), np.nan, A.dtype)}
    if done > 0:
        qrcp.py_qrcp(W, p, tau, np.full(2 * n, np.nan), rank=done, stop=-1, **arguments)
    norms = np.full(2 * n, np.nan)
    k, left = qrcp.py_qrcp(W, p, tau, norms, rank=rank, stop=stop, start=done, **arguments)
    return Factored(np.asarray(A), W, p, tau[:k], k, left)


def eps(A):
    return float(np.finfo(A.dtype).eps)


def check_factors(F, explicit_q):
    """A P = Q (R; what is left), Q unitary, p a permutation, `left` the norm of what is left."""
    Q = explicit_q(F.W, F.tau)
    B, m, n = F.reduced, *F.A.shape
    ft.check_orthonormal(Q)
    assert sorted(F.p) == list(range(n))
    limit = 20 * eps(F.A) * np.linalg.norm(F.A, 2)
    assert np.linalg.norm(F.A[:, F.p] - Q @ B, 2) <= limit
    np.testing.assert_allclose(
        F.left, np.linalg.norm(B[F.k :, F.k :].astype(np.result_type(B, float))), rtol=1e-13 * m * n
    )
    if F.k == min(m, n):
        ft.check_rrqr(F.A, (Q[:, : F.k], B[: F.k], F.p))


def check_pivots(F):
    """Each pivot is the largest of the norms that were left, so |diag R| does not increase.

    A norm is recomputed before cancellation has taken half its digits (Drmac and Bujanovic 2008):
    that is how far the choice can be off. Columns of rounding noise have no order.
    """
    slack, noise = 1 + 4 * np.sqrt(eps(F.A)), 20 * eps(F.A) * np.linalg.norm(F.A)
    wide = F.reduced.astype(np.result_type(F.W, float))
    for j, pivot in enumerate(F.diagonal):
        norms = np.linalg.norm(wide[j:, j:], axis=0)
        assert norms.max() <= pivot * slack + noise, f"column {j} is not the largest"
    assert np.all(F.diagonal[1:] <= F.diagonal[:-1] * slack + noise)


class TestEveryRank:
    @pytest.mark.parametrize("nb", [1, 2, 5, 64])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_invariants(self, dtype, shape, nb, explicit_q):
        for r in range(min(shape) + 1):
            A = ft.random_rank(*shape, r, 311 + r, dtype)
            F = factor(A, nb)
            assert F.k == min(shape)
            assert F.left == 0
            check_factors(F, explicit_q)
            check_pivots(F)
            noise = 20 * eps(A) * np.linalg.norm(A)
            assert np.count_nonzero(F.diagonal > noise) == r

    @pytest.mark.parametrize("shape", SHAPES)
    def test_stops_at_the_rank_it_is_told(self, dtype, shape, explicit_q):
        for r in range(min(shape) + 1):
            F = factor(ft.random_rank(*shape, min(shape), 313, dtype), rank=r)
            assert F.k == r
            check_factors(F, explicit_q)
            check_pivots(F)

    @pytest.mark.parametrize("nb", [1, 4])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_stops_where_nothing_is_left(self, dtype, shape, nb, explicit_q):
        for r in range(min(shape) + 1):
            A = ft.random_rank(*shape, r, 317, dtype)
            stop = 50 * eps(A) * np.linalg.norm(A)
            F = factor(A, nb, stop=stop)
            assert F.k == r
            assert F.left <= stop
            check_factors(F, explicit_q)
            check_pivots(F)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_resumes(self, dtype, shape, explicit_q):
        A = ft.random_rank(*shape, min(shape), 319, dtype)
        for done in range(min(shape)):
            for rank in {done, done + 1, min(shape)}:
                F = factor(A, rank=rank, done=done)
                assert F.k == rank
                check_factors(F, explicit_q)
                check_pivots(F)

    @pytest.mark.parametrize("shape", [(120, 70), (70, 120), (110, 110), (200, 20)])
    def test_larger(self, dtype, shape, explicit_q):
        for r in (min(shape), 13):
            A = ft.random_rank(*shape, r, 331, dtype)
            for F in (factor(A, 32), factor(A, 32, rank=r)):
                check_factors(F, explicit_q)
                check_pivots(F)

    @given(
        shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
        dtype=st.sampled_from(DTYPES),
        nb=st.integers(1, 9),
        data=st.data(),
    )
    def test_any_shape(self, explicit_q, shape, dtype, nb, data):
        r = data.draw(st.integers(0, min(shape)), label="rank")
        rank = data.draw(st.integers(0, min(shape)), label="columns at most")
        seed = data.draw(st.integers(2, 10**6), label="seed")
        A = ft.random_rank(*shape, r, seed, dtype)
        F = factor(A, nb, rank=rank)
        assert F.k == rank
        check_factors(F, explicit_q)
        check_pivots(F)


class TestStops:
    @pytest.mark.parametrize("nb", [1, 3, 8])
    def test_at_a_tolerance(self, dtype, nb, explicit_q):
        A = ft.with_singular_values(np.geomspace(1, 1e-3, 10), 14, 12, 337, dtype)
        for stop in np.geomspace(2, 1e-3, 15):
            F = factor(A, nb, stop=float(stop))
            check_factors(F, explicit_q)
            # `left` is at most `stop`, and was not one column before.
            assert F.left <= stop
            if F.k:
                assert np.hypot(F.left, np.linalg.norm(F.reduced[F.k - 1])) > stop

    def test_zero_matrix(self, dtype):
        A = np.zeros((4, 6), dtype)
        assert (factor(A, stop=0.0).k, factor(A, stop=0.0).left) == (0, 0)
        F = factor(A)
        assert F.k == 4
        assert not F.W.any()
        assert not F.tau.any()
        assert F.p.tolist() == list(range(6))

    def test_exact_zero_columns_go_last(self, dtype, explicit_q):
        A = ft.random_rank(8, 7, 7, 347, dtype)
        A[:, [0, 3]] = 0
        F = factor(A, stop=0.0)
        assert F.k == 5
        assert F.left == 0
        assert sorted(F.p[5:]) == [0, 3]
        check_factors(F, explicit_q)

    def test_at_the_norm_itself(self, interrupt):
        for seed in range(350, 400):
            A = ft.random_rank(5, 4, 4, seed)
            left = factor(A, rank=0).left
            for stop in (np.nextafter(left, 0), left, np.nextafter(left, 9)):
                try:
                    with interrupt(2):
                        F = factor(A, stop=float(stop))
                except KeyboardInterrupt:
                    pytest.fail(f"no end within 2 s: seed {seed}, stop {stop!r}")
                assert F.left <= stop

    @pytest.mark.parametrize("short", ["norms", "work", "tau"])
    def test_refuses_a_small_workspace(self, short):
        sizes = {"tau": 3, "norms": 8, "work": qrcp.py_work_size(4, 2)}
        sizes[short] -= 1
        arrays = {name: np.zeros(size) for name, size in sizes.items()}
        with pytest.raises(ValueError, match="too small"):
            qrcp.py_qrcp(
                np.ones((3, 4), order="F"), np.zeros(4, np.intc), **arrays, rank=3, stop=-1, nb=2
            )

    @pytest.mark.parametrize("start", [-1, 3, 4])
    def test_refuses_a_start_beyond_the_columns(self, start):
        with pytest.raises(ValueError, match="start"):
            factor(np.ones((3, 4)), done=start)

    def test_honours_an_interrupt(self, interrupt):
        A = ft.random_rank(1500, 1500, 1, 353)
        with pytest.raises(KeyboardInterrupt), interrupt(0.01):
            factor(A, nb=8)


class TestPivots:
    @pytest.mark.parametrize("nb", [1, 3, 20])
    @pytest.mark.parametrize("shape", [(15, 12), (12, 15), (13, 13)])
    def test_are_the_textbooks(self, dtype, shape, nb):
        for seed in range(359, 367):
            rng = np.random.default_rng(seed)
            scale = rng.permutation(2.0 ** -np.arange(shape[1]))
            A = (ft.random_rank(*shape, min(shape), seed, dtype) * scale).astype(dtype)
            R, p, _, _ = reference.pivoted_qr(A)
            F = factor(A, nb)
            assert F.p.tolist() == p.tolist()
            expected = np.abs(np.diagonal(R))
            np.testing.assert_allclose(F.diagonal, expected, rtol=1e4 * eps(A))

    @pytest.mark.parametrize("nb", [1, 7, 32])
    @pytest.mark.parametrize(
        ("make", "rtol"),
        [
            pytest.param(lambda: ft.kahan(90), 1e-3, id="kahan"),
            pytest.param(lambda: ft.kahan(60, 1.4), 1e-3, id="kahan, nearly diagonal"),
            pytest.param(ft.kahan_scaled, 1e-3, id="kahan_scaled"),
            pytest.param(lambda: ft.gu_eisenstat(60), 1, id="gu_eisenstat"),
            pytest.param(lambda: ft.devils_stairs(80), 1e-3, id="devils_stairs"),
            pytest.param(lambda: ft.heat(60), 1, id="heat"),
            pytest.param(lambda: ft.vandermonde(np.linspace(0.1, 1, 40)), 1, id="vandermonde"),
        ],
    )
    def test_survive_cancellation(self, dtype, explicit_q, make, rtol, nb):
        """Downdated norms lose their digits here; rtol 1 where ties let the pivots differ."""
        A = make().astype(dtype)
        F = factor(A, nb)
        check_factors(F, explicit_q)
        check_pivots(F)
        expected = np.abs(np.diagonal(reference.pivoted_qr(A)[0]))
        clear = expected > 100 * eps(A) * expected[0]
        ratio = F.diagonal[clear] / expected[clear]
        assert np.max(np.maximum(ratio, 1 / ratio)) <= 1 + rtol
