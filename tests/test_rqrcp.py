"""QR pivoted by a random sketch: the factorisation holds whatever the sketch chose; so do stops."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from fastsub import testing as ft
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.reflectors import Reflectors, pivoted_qr
from fastsub.kernels import rqrcp
from fastsub.testing.spectrum import precision as eps

SHAPES = [(29, 20), (20, 29), (24, 24), (80, 13), (13, 80)]
SMALL = [(9, 6), (6, 9), (7, 7), (1, 7), (7, 1), (1, 1)]
DTYPES = ["float32", "float64", "complex64", "complex128"]


@dataclass
class Factored:
    r"""What a sketch made of A: W = V\R, and `left` the norm of W[k:, k:] or -1, not looked at."""

    A: np.ndarray
    W: np.ndarray
    p: np.ndarray
    T: np.ndarray
    k: int
    left: float

    @property
    def Q(self):
        return Reflectors(self.W, self.T)

    @property
    def diagonal(self):
        return np.abs(np.diagonal(self.W)[: self.k])

    @property
    def reduced(self):
        """Q^H A P: R in the first k columns, what is left below."""
        B = self.W.copy(order="F")
        B[:, : self.k] = np.triu(B[:, : self.k])
        return B

    def left_after(self, k):
        """||what is left||_F after k <= self.k columns."""
        return float(np.linalg.norm(self.reduced[k:, k:].astype(np.result_type(self.W, float))))


def arguments(A, b=4, extra=8, seed=2017):
    """Every array of a call; what the kernel has to write first holds NaN."""
    (m, n), d = A.shape, b + extra
    nan = {"fill_value": np.nan, "dtype": A.dtype, "order": "F"}
    omega = np.random.default_rng(seed).standard_normal((d, m)).T
    return {
        "A": np.array(A, order="F"),
        "omega": np.asfortranarray(omega, A.dtype),
        "S": np.full((n, d), **nan),
        "jpvt": np.arange(n, dtype=np.intc),
        "T": np.full((b, min(m, n)), **nan),
        "norms": np.full(2 * max(n, b), np.nan),
        "work": np.full(rqrcp.py_work_size(m, n, b, d), **nan),
    }


def factor(A, b=4, rank=None, stop=-1.0, extra=8, seed=2017):
    """Factor A by blocks of b columns, with a sketch of b + extra rows."""
    arrays = arguments(A, b, extra, seed)
    k, left = rqrcp.py_rqrcp(**arrays, rank=min(A.shape) if rank is None else rank, stop=stop)
    return Factored(np.asarray(A), arrays["A"], arrays["jpvt"], arrays["T"][:, :k], k, left)


def finish(A, sketch, **options):
    """Factor A to its end, the last columns by the classical kernel."""
    W = np.array(A, order="F")
    plan = replace(choose(*A.shape, A.dtype, want="rrqr"), sketch=sketch)
    Q, p, k, left = pivoted_qr(W, plan, **options)
    assert Q.V is W
    return Factored(np.asarray(A), W, p, Q.T, k, left)


def noise(A):
    """What rounding may leave of an exact zero, with some room."""
    return 50 * eps(A) * float(np.linalg.norm(A))


def check_factors(F):
    """A P = Q (R; what is left) by columns, Q unitary, p a permutation, `left` the norm or -1.

    Householder QR is stable column by column (Higham 2002, theorem 19.4), whatever their scales.
    """
    m, n = F.A.shape
    assert sorted(F.p) == list(range(n))
    ft.check_orthonormal(F.Q.columns(0, m))
    product = F.reduced
    F.Q.apply(product)
    wide = np.result_type(F.A, float)
    error = np.linalg.norm((F.A[:, F.p] - product).astype(wide), axis=0)
    limit = 40 * eps(F.A) * np.linalg.norm(F.A[:, F.p].astype(wide), axis=0)
    worst = int(np.argmax(error - limit))
    assert np.all(error <= limit), f"column {worst}: {error[worst]:.2e} > {limit[worst]:.2e}"
    if F.left != -1:
        np.testing.assert_allclose(F.left, F.left_after(F.k), rtol=10 * eps(F.A))
    if F.k == min(m, n):
        ft.check_rrqr(F.A, (F.Q.columns(0, F.k), np.triu(F.W[: F.k]), F.p))


def check_triangles(F, explicit_q):
    """T belongs to the reflectors: Q applied is the product of H_j = I - tau_j v_j v_j^H."""
    Q = explicit_q(F.W, F.Q.tau)
    error = np.linalg.norm(F.Q.columns(0, len(Q)) - Q, 2)
    assert error <= 20 * eps(F.A), f"got {error:.2e}, want at most {20 * eps(F.A):.2e}"


def columns_done(shape, b, rank):
    """Whole blocks until `rank` columns are done, as long as a whole block is left to do."""
    return min(-(-rank // b), min(shape) // b) * b


def check_quality(F, factor=10):
    """|diag R| is within a factor of that of classical pivoting, but for rounding noise.

    Smaller only down to the singular value: Kahan hides one from classical pivots that a sketch
    may well find.
    """
    expected = np.abs(np.diagonal(reference.pivoted_qr(F.A)[0]))[: F.k]
    sigma = np.linalg.svd(F.A.astype(np.result_type(F.A, float)), compute_uv=False)
    least = np.minimum(expected, sigma[: F.k])
    clear = least > 100 * eps(F.A) * expected[0]
    high, low = F.diagonal[clear] / expected[clear], least[clear] / F.diagonal[clear]
    assert np.max(high, initial=0) <= factor, f"got {np.max(high):.1f} times the textbook's"
    assert np.max(low, initial=0) <= factor, f"got 1 / {np.max(low):.1f} of the singular value"


class TestEveryRank:
    @pytest.mark.parametrize("b", [4, 7, 16])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_invariants(self, dtype, shape, b, explicit_q):
        for r in (0, 1, b, 10, min(shape)):
            A = ft.random_rank(*shape, r, 701 + r, dtype)
            F = factor(A, b)
            assert F.k == columns_done(shape, b, min(shape))
            check_factors(F)
            check_triangles(F, explicit_q)
            assert np.count_nonzero(F.diagonal > noise(A)) == min(r, F.k)

    @pytest.mark.parametrize("extra", [0, 3])
    @pytest.mark.parametrize("b", [1, 2, 9])
    @pytest.mark.parametrize("shape", SMALL)
    def test_a_sketch_as_large_as_the_matrix(self, dtype, shape, b, extra):
        for r in range(min(shape) + 1):
            A = ft.random_rank(*shape, r, 709, dtype)
            F = factor(A, b, extra=extra)
            assert F.k == columns_done(shape, b, min(shape))
            check_factors(F)

    @pytest.mark.parametrize("b", [4, 6])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_stops_where_nothing_is_left(self, dtype, shape, b):
        for r in range(1, min(shape) - b, 3):
            A = ft.random_rank(*shape, r, 727, dtype)
            F = factor(A, b, stop=noise(A))
            assert F.k == columns_done(shape, b, r)
            assert 0 <= F.left <= noise(A)
            check_factors(F)

    @given(
        shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
        dtype=st.sampled_from(DTYPES),
        b=st.integers(1, 9),
        data=st.data(),
    )
    def test_any_shape(self, shape, dtype, b, data):
        r = data.draw(st.integers(0, min(shape)), label="rank")
        rank = data.draw(st.integers(0, min(shape)), label="columns at least")
        seed = data.draw(st.integers(2, 10**6), label="seed")
        F = factor(ft.random_rank(*shape, r, seed, dtype), b, rank=rank, seed=seed + 1)
        assert F.k == columns_done(shape, b, rank)
        check_factors(F)


class TestStops:
    @pytest.mark.parametrize("b", [1, 4, 7])
    def test_at_a_tolerance(self, dtype, b):
        A = ft.with_singular_values(np.geomspace(1, 1e-3, 28), 40, 32, 733, dtype)
        for stop in np.geomspace(3, 1e-3, 9):
            F = factor(A, b, stop=float(stop))
            check_factors(F)
            # At least one block; else not one block before.
            assert F.k == b or F.left_after(F.k - b) > stop
            assert F.left_after(F.k) <= stop or F.k == columns_done(A.shape, b, 32)
            assert F.left >= 0 or F.left_after(F.k) > stop

    def test_zero_matrix(self, dtype):
        A = np.zeros((20, 17), dtype)
        for stop, k in ((-1.0, 16), (0.0, 4)):
            F = factor(A, stop=stop)
            assert F.k == k
            assert not F.W.any()
            assert not F.Q.tau.any()
            check_factors(F)

    def test_exact_zero_columns_go_last(self, dtype):
        A = ft.random_rank(30, 21, 21, 739, dtype)
        A[:, [0, 3, 4, 8, 20]] = 0
        F = factor(A, stop=0.0)
        assert (F.k, F.left) == (16, 0)
        assert sorted(F.p[16:]) == [0, 3, 4, 8, 20]
        check_factors(F)

    def test_of_duplicated_columns_one_each_comes_first(self, dtype):
        B = ft.random_rank(40, 12, 12, 743, dtype)
        A = np.hstack([B, -B, B])
        F = factor(A, stop=noise(A))
        assert F.k == 12
        assert sorted(F.p[:12] % 12) == list(range(12))
        check_factors(F)

    @pytest.mark.parametrize("short", ["omega", "S", "T", "norms", "work"])
    def test_refuses_a_small_workspace(self, short):
        arrays = arguments(np.ones((9, 7)))
        arrays[short] = np.asfortranarray(arrays[short][..., :-1])
        with pytest.raises(ValueError, match="too small"):
            rqrcp.py_rqrcp(**arrays, rank=7, stop=-1)
        with pytest.raises(ValueError, match="too small"):
            factor(np.ones((9, 7)), extra=-1)  # fewer rows than a block has columns

    def test_honours_an_interrupt(self, interrupt):
        arrays = arguments(ft.random_rank(900, 900, 900, 751), 2)
        with pytest.raises(KeyboardInterrupt), interrupt(0.01):
            rqrcp.py_rqrcp(**arrays, rank=900, stop=-1)


class TestPivots:
    @pytest.mark.parametrize("b", [4, 16])
    @pytest.mark.parametrize("shape", [(60, 48), (48, 60), (54, 54)])
    @pytest.mark.parametrize("last", [1, 0.1, 1e-3, 1e-6, 1e-12])
    def test_are_nearly_as_good_as_the_textbooks(self, dtype, shape, b, last):
        sigma = np.geomspace(1, last, min(shape))
        for seed in (757, 761):
            check_quality(factor(ft.with_singular_values(sigma, *shape, seed, dtype), b))
        check_quality(factor(ft.random_rank(*shape, min(shape), 769, dtype), b))

    @pytest.mark.parametrize("b", [3, 8, 16])
    def test_over_a_huge_dynamic_range(self, dtype, b):
        """The sketch is renewed: R11 too ill-conditioned to update it, or too little left."""
        rng = np.random.default_rng(773)
        scale = rng.permutation(np.geomspace(1e-12, 1e12, 40)).astype(np.float32)
        A = (ft.random_rank(50, 40, 40, 787, dtype) * scale).astype(dtype)
        F = factor(A, b)
        check_factors(F)
        expected = np.abs(np.diagonal(reference.pivoted_qr(A)[0]))[: F.k]
        assert np.all((F.diagonal < 10 * expected) & (expected < 10 * F.diagonal))

    @pytest.mark.parametrize("b", [4, 16])
    @pytest.mark.parametrize(
        "make", [ft.kahan, ft.kahan_scaled, ft.gu_eisenstat, ft.devils_stairs, ft.heat, ft.foxgood]
    )
    def test_adversarial(self, dtype, make, b, explicit_q):
        F = factor(make(61).astype(dtype), b)
        check_factors(F)
        check_triangles(F, explicit_q)
        check_quality(F)

    def test_are_the_same_for_the_same_sketch_and_as_good_for_another(self, dtype):
        A = ft.with_singular_values(np.geomspace(1, 1e-4, 33), 47, 33, 797, dtype)
        for seed in range(811, 819):
            F, again = factor(A, seed=seed), factor(A, seed=seed)
            check_factors(F)
            check_quality(F)
            for name in ("W", "p", "T"):
                np.testing.assert_array_equal(getattr(F, name), getattr(again, name))


class TestOrderColumns:
    """QRCP of the few columns that a sketch chose, without the BLAS."""

    def order(self, B):
        w = B.shape[1]
        order = np.full(w, -1, np.intc)
        rqrcp.py_order_columns(np.array(B, order="F"), order, np.full(2 * w, np.nan))
        return order

    @pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 5), (9, 9), (12, 7), (7, 12), (72, 64)])
    def test_is_the_textbooks(self, dtype, shape, normal):
        for seed in (857, 859):
            B = normal(dtype, seed, *shape) * np.geomspace(1, 0.01, shape[1]).astype(dtype)
            # Once all rows are gone, whatever is left is in no order.
            count = min(shape)
            np.testing.assert_array_equal(self.order(B)[:count], reference.pivoted_qr(B)[1][:count])
            assert sorted(self.order(B)) == list(range(shape[1]))

    def test_recomputes_norms_that_cancel(self, dtype):
        """Columns that differ in their last digits: downdated norms would be rounding alone."""
        B = np.ones((40, 6)) + 1e-3 * np.random.default_rng(863).standard_normal((40, 6))
        B = (B * [1, 1.5, 1.2, 1.1, 1.4, 1.3]).astype(dtype)
        np.testing.assert_array_equal(self.order(B), reference.pivoted_qr(B)[1])

    def test_zero_and_equal_columns(self, dtype):
        assert list(self.order(np.zeros((5, 3), dtype))) == [0, 1, 2]
        B = np.zeros((6, 5), dtype)
        B[2, 3], B[4, 1], B[0, 4] = 3, 2, 1
        assert list(self.order(B)[:3]) == [3, 1, 4]
        same = np.repeat(np.eye(4, 2, dtype=dtype), 3, axis=1)
        assert {int(c) // 3 for c in self.order(same)[:2]} == {0, 1}

    def test_refuses_a_small_workspace(self):
        B = np.ones((4, 3), order="F")
        with pytest.raises(ValueError, match="too small"):
            rqrcp.py_order_columns(B, np.empty(2, np.intc), np.empty(6))
        with pytest.raises(ValueError, match="too small"):
            rqrcp.py_order_columns(B, np.empty(3, np.intc), np.empty(5))


class TestChoosePivots:
    def choose(self, S, w):
        n, d = S.shape
        ipiv, norms, work = np.empty(2 * n + d, np.intc), np.empty(2 * w), np.empty(n * d, S.dtype)
        rqrcp.py_choose_pivots(np.array(S, order="F"), ipiv, norms, work, w)
        return ipiv[:w]

    def test_finds_the_columns_that_matter(self, dtype):
        for n, d, w in ((30, 9, 5), (9, 9, 9), (1, 1, 1), (40, 4, 4)):
            B = ft.random_rank(d, n, min(d, n), 877, dtype)
            large = np.random.default_rng(881).permutation(n)[:w]
            B[:, large] *= 1e4
            found = self.choose(B.T, w)
            assert sorted(found) == sorted(large)
            chosen = B[:, sorted(found)]
            expected = np.array(sorted(found))[reference.pivoted_qr(chosen)[1]]
            np.testing.assert_array_equal(found, expected)

    def test_of_a_singular_sketch_takes_whatever(self, dtype):
        S = np.zeros((12, 6), dtype)
        S[7, :] = 1
        found = self.choose(S, 4)
        assert found[0] == 7
        assert len(set(found)) == 4

    def test_refuses(self):
        S, norms = np.ones((6, 4), order="F"), np.empty(8)
        for w, ipiv, work in ((5, 16, 24), (0, 16, 24), (4, 15, 24), (4, 16, 23)):
            with pytest.raises(ValueError, match="too small"):
                rqrcp.py_choose_pivots(S, np.empty(ipiv, np.intc), norms, np.empty(work), w)


class TestFinishedClassically:
    @pytest.mark.parametrize("sketch", [3, 6, 64])
    @pytest.mark.parametrize("shape", SHAPES + SMALL)
    def test_to_a_rank(self, dtype, shape, sketch, explicit_q):
        full = min(shape)
        for r in {1, full}:
            A = ft.random_rank(*shape, r, 827, dtype)
            for rank in {0, min(6, full), full - 1, None}:
                F = finish(A, sketch, rank=rank, rng=853)
                low = full if rank is None else rank
                assert low <= F.k <= min(full, low + sketch - 1)
                assert F.left >= 0
                check_factors(F)
                check_triangles(F, explicit_q)

    @pytest.mark.parametrize("sketch", [3, 6])
    def test_to_a_tolerance(self, dtype, sketch, explicit_q):
        A = ft.with_singular_values(np.geomspace(1, 1e-3, 20), 29, 20, 829, dtype)
        for stop in np.geomspace(3, 5e-4, 9):
            F = finish(A, sketch, stop=float(stop))
            assert 0 <= F.left <= stop
            check_factors(F)
            check_triangles(F, explicit_q)
