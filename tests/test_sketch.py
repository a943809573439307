"""The sketch kernel: an explicit S, any layout, the same bits whatever the pieces."""

import numpy as np
import pytest

from fastsub import testing as ft
from fastsub.factor import parallel
from fastsub.factor.tall.proposal import Sketch
from fastsub.kernels import sketch

SEED = 20260311
SHAPES = [(1, 1), (5, 3), (64, 8), (65, 9), (300, 130), (1000, 17)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def sketch_of(A, d, seed=SEED, first=0):
    """Y, counts and ||A||_F^2."""
    Y, counts = np.full((d, A.shape[1]), np.nan, A.dtype, order="F"), np.zeros(d, np.intc)
    work = np.full(sketch.py_work_size(A, d), np.nan, A.dtype)
    return Y, counts, sketch.py_sketch(A, Y, counts, work, seed, first)


def explicit(m, d):
    """S itself: the sketch of the identity."""
    return sketch_of(np.eye(m), d)[0]


class TestMatrix:
    @pytest.mark.parametrize(("m", "d"), [(1, 4), (50, 8), (400, 64), (3000, 100)])
    def test_four_signs_a_column(self, m, d):
        S = explicit(m, d)
        assert np.all(np.isin(S, (-1.0, 0.0, 1.0)))
        quarters = np.abs(S).reshape(4, d // 4, m).sum(axis=1)
        assert np.all(quarters == 1)

    def test_counts_bound_the_norm(self):
        for m, d in ((50, 8), (400, 64), (3000, 100)):
            S = explicit(m, d)
            counts = sketch_of(np.ones((m, 1)), d)[1]
            np.testing.assert_array_equal(counts, np.count_nonzero(S, axis=1))
            assert np.linalg.norm(S, 2) <= 2 * np.sqrt(counts.max()) * (1 + 1e-14)

    def test_places_and_signs_are_spread(self):
        S = explicit(3000, 40)
        # 300 nonzeros a row are expected, with a standard deviation of 16.
        assert np.all(np.abs(np.count_nonzero(S, axis=1) - 300) < 5 * 16)
        assert np.all(np.abs(S.sum(axis=1)) < 5 * np.sqrt(300))

    def test_embeds_a_subspace(self):
        """A is not lost in any direction, whatever its rows: random ones, and a few that matter."""
        rng = np.random.default_rng(1201)
        for Q in (np.linalg.qr(rng.standard_normal((4000, 40)))[0], np.eye(4000, 40)):
            sigma = np.linalg.svd(sketch_of(Q, 160)[0], compute_uv=False) / 2
            assert 0.3 < sigma[-1] <= sigma[0] < 2

    def test_another_seed_is_another_sketch(self):
        A = np.eye(60)
        assert not np.array_equal(sketch_of(A, 8)[0], sketch_of(A, 8, seed=SEED + 7)[0])


class TestProduct:
    @shapes
    def test_is_the_product(self, dtype, normal, shape):
        A = normal(dtype, 1207, *shape)
        before = A.copy()
        Y, _, sumsq = sketch_of(A, 16)
        S = explicit(shape[0], 16)
        eps = np.finfo(dtype).eps
        limit = eps * np.abs(S).sum(axis=1, keepdims=True) * (np.abs(S) @ np.abs(A))
        assert np.all(np.abs(Y - S @ A.astype(np.result_type(dtype, np.float64))) <= limit)
        wanted = np.sum(np.square(np.abs(A), dtype=float))
        assert abs(sumsq - wanted) <= 70 * eps * wanted
        assert np.array_equal(A, before)

    @shapes
    def test_layouts_give_the_same_bits(self, dtype, normal, shape):
        A = normal(dtype, 1213, *shape)
        m, n = shape
        wide = np.zeros((2 * m, 3 * n), dtype)
        wide[::2, 1::3] = A
        reversed_ = np.ascontiguousarray(A[::-1, ::-1])[::-1, ::-1]
        Y, counts, sumsq = sketch_of(A, 16)
        for B in (np.ascontiguousarray(A), wide[::2, 1::3], reversed_, A.copy().T.copy().T):
            again = sketch_of(B, 16)
            assert np.array_equal(again[0], Y)
            assert np.array_equal(again[1], counts)
            assert again[2] == sumsq

    def test_pieces_add_up(self, normal):
        A = normal("float64", 1217, 500, 20)
        Y, counts, _ = sketch_of(A, 24)
        parts = [sketch_of(A[i : i + 130], 24, first=i) for i in range(0, 500, 130)]
        np.testing.assert_allclose(sum(part[0] for part in parts), Y, atol=1e-12)
        np.testing.assert_array_equal(sum(part[1] for part in parts), counts)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_nothing_that_is_not_finite_is_lost(self, dtype, normal, bad):
        A = normal(dtype, 1223, 200, 19)
        for i, j in ((0, 0), (199, 18), (64, 7), (63, 8), (130, 16)):
            B = A.copy()
            B[i, j] = bad
            Y, _, sumsq = sketch_of(B, 16)
            assert not np.isfinite(sumsq)
            assert not np.isfinite(Y).all()

    def test_of_nothing(self):
        for shape in ((0, 3), (4, 0)):
            Y, counts, sumsq = sketch_of(np.zeros(shape), 8)
            assert not Y.any()
            assert not counts.any() or shape[1] == 0
            assert sumsq == 0

    def test_refuses_other_shapes(self):
        A, work = np.ones((9, 3)), np.zeros(1000)
        for d, n, c in ((6, 3, 6), (8, 4, 8), (8, 3, 4)):
            with pytest.raises(ValueError, match="multiple of 4"):
                sketch.py_sketch(A, np.zeros((d, n), order="F"), np.zeros(c, np.intc), work, 7)
        with pytest.raises(ValueError, match="too small"):
            sketch.py_sketch(A, np.zeros((8, 3), order="F"), np.zeros(8, np.intc), work[:9], 7)


class TestThreads:
    @pytest.mark.parametrize("shape", [(200_000, 6), (9000, 300), (30_000, 130)])
    def test_same_bits_for_any_number(self, monkeypatch, shape):
        A = ft.random_rank(*shape, min(shape) - 1, 1229, np.float32)
        found = []
        for threads in (1, 2, 5):
            monkeypatch.setattr(parallel, "thread_count", lambda threads=threads: threads)
            found.append(Sketch.of(A, None))
        for other in found[1:]:
            assert np.array_equal(other.Y, found[0].Y)
            assert (other.norm, other.c) == (found[0].norm, found[0].c)

    def test_count(self, monkeypatch):
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        free = parallel.thread_count()
        assert free >= 1
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert parallel.thread_count() == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
        assert parallel.thread_count() == free

    def test_an_exception_comes_through(self, monkeypatch):
        def fail(piece):
            raise KeyError(piece)

        for threads in (1, 3):
            monkeypatch.setattr(parallel, "thread_count", lambda threads=threads: threads)
            with pytest.raises(KeyError):
                parallel.map_pieces(fail, 4)
            assert parallel.map_pieces(abs, 5) == [0, 1, 2, 3, 4]
            assert parallel.map_pieces(abs, 0) == []
