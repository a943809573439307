"""Q as a product of reflectors: factored, applied, and its columns formed, at every rank."""

import math

import numpy as np
import pytest
import reference

from fastsub import testing as ft
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.reflectors import AvoidingQR, Product, Reflectors, pivoted_qr

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (6, 1), (1, 6), (9, 9), (14, 6), (6, 14)]


def precision(dtype):
    return 50 * float(np.finfo(dtype).eps)


def fortran(A):
    return np.array(A, order="F")


def check_factors(A, Q, p=None, k=None):
    """A[:, p] = Q R with R in the upper trapezoid of Q.V and Q unitary."""
    m = A.shape[0]
    U = Q.columns(0, m)
    ft.check_orthonormal(U)
    R = np.zeros_like(A)
    rows = min(A.shape) if k is None else k
    R[:rows] = np.triu(Q.V[:rows])
    R[rows:, rows:] = Q.V[rows:, rows:]
    B = A if p is None else A[:, p]
    np.testing.assert_allclose(U @ R, B, atol=precision(A.dtype) * np.linalg.norm(A))
    return U


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", [1, 4, 64])
def test_unpivoted_at_every_rank(dtype, shape, block):
    for r in range(min(shape) + 1):
        A = ft.random_rank(*shape, r, 577 + r, dtype)
        Q = Reflectors.of_qr(fortran(A), block)
        assert Q.count == min(shape)
        U = check_factors(A, Q)
        check_uses_of(Q, U)


def check_uses_of(Q, U):
    """Q and Q^H applied, and every range of columns, against the explicit matrix U."""
    m = U.shape[0]
    close = {"atol": precision(U.dtype) * m}
    C = ft.random_rank(m, 3, min(m, 3), 587, U.dtype)
    for adjoint, wanted in ((False, U @ C), (True, U.conj().T @ C)):
        D = fortran(C)
        Q.apply(D, adjoint=adjoint)
        np.testing.assert_allclose(D, wanted, **close)
    for start in range(m + 1):
        for stop in range(start, m + 1):
            np.testing.assert_allclose(Q.columns(start, stop), U[:, start:stop], **close)


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_pivoted_at_every_rank(dtype, shape):
    plan = choose(*shape, dtype, want="qr")
    for r in range(min(shape) + 1):
        A = ft.random_rank(*shape, r, 593 + r, dtype)
        Q, p, k, left = pivoted_qr(fortran(A), plan)
        assert (k, left) == (min(shape), 0)
        assert sorted(p) == list(range(shape[1]))
        check_uses_of(Q, check_factors(A, Q, p))
        diagonal = np.abs(np.diagonal(Q.V)).astype(float)
        assert np.all(np.diff(diagonal) <= precision(dtype) * diagonal.max(initial=0))


@dtypes
def test_pivots_are_those_of_businger_and_golub(dtype):
    for shape in ((9, 9), (14, 6), (6, 14)):
        A = ft.random_rank(*shape, min(shape), 599, dtype)
        R, p, _, _ = reference.pivoted_qr(A)
        Q, got, k, _ = pivoted_qr(fortran(A), choose(*shape, dtype, want="qr"))
        assert list(got) == list(p)
        np.testing.assert_allclose(
            np.abs(np.triu(Q.V[:k])), np.abs(R), atol=precision(dtype) * np.linalg.norm(A)
        )


@dtypes
@pytest.mark.parametrize("shape", [(9, 9), (14, 6), (6, 14)])
def test_stops_at_a_rank(dtype, shape):
    A = ft.random_rank(*shape, min(shape), 601, dtype)
    for rank in range(min(shape) + 2):
        Q, p, k, left = pivoted_qr(fortran(A), choose(*shape, dtype, want="qr"), rank=rank)
        assert k == Q.count == min(rank, *shape)
        U = check_factors(A, Q, p, k)
        remainder = (U.conj().T @ A[:, p])[k:, k:]
        assert left == pytest.approx(np.linalg.norm(remainder), abs=precision(dtype) * 10)


@dtypes
def test_stops_at_a_norm(dtype):
    for r in range(1, 9):
        A = ft.random_rank(12, 9, r, 607 + r, dtype)
        norm = float(np.linalg.norm(A))
        Q, p, k, left = pivoted_qr(fortran(A), choose(12, 9, dtype, want="qr"), stop=1e-4 * norm)
        assert k == r
        assert 0 <= left <= 1e-4 * norm
        check_factors(A, Q, p, k)
    Q, p, k, left = pivoted_qr(fortran(A), choose(12, 9, dtype, want="qr"), stop=2 * norm)
    assert (k, Q.count) == (0, 0)
    assert left == pytest.approx(norm, rel=1e-6)


@dtypes
def test_pivots_by_a_sketch(dtype):
    plan = choose(700, 640, dtype, want="rrqr")
    assert plan.sketch
    A = ft.random_rank(700, 640, 200, 613, dtype)
    norm = float(np.linalg.norm(A))
    Q, p, k, left = pivoted_qr(fortran(A), plan, stop=1e-4 * norm)
    assert 200 <= k <= 200 + plan.sketch
    assert left <= 1e-4 * norm
    assert sorted(p) == list(range(640))
    U = Q.columns(0, k)
    ft.check_orthonormal(U)
    np.testing.assert_allclose(U @ np.triu(Q.V[:k]), A[:, p], atol=precision(dtype) * norm)
    # The same seed, the same pivots; another seed, others, and as good.
    again = pivoted_qr(fortran(A), plan, stop=1e-4 * norm)
    assert np.array_equal(again[1], p)
    other = pivoted_qr(fortran(A), plan, stop=1e-4 * norm, rng=617)
    assert not np.array_equal(other[1], p)
    assert 200 <= other[2] <= 200 + plan.sketch


@dtypes
def test_product(dtype):
    for orders in ([9], [9, 9], [9, 6], [9, 6, 2]):
        factors, wanted = [], np.eye(9)
        for i, order in enumerate(orders):
            A = ft.random_rank(order, max(1, order - 1), max(1, order - 1), 619 + i, dtype)
            factors.append(Reflectors.of_qr(fortran(A), 4))
            whole = np.eye(9, dtype=dtype)
            whole[:order, :order] = factors[-1].columns(0, order)
            wanted = wanted @ whole
        check_uses_of(Product(*factors), wanted.astype(dtype))


def test_tau_is_lapacks():
    A = ft.random_rank(7, 5, 5, 631)
    _, _, V, tau = reference.pivoted_qr(np.asarray(A))
    Q, _, _, _ = pivoted_qr(fortran(A), choose(7, 5, "float64", want="qr"))
    np.testing.assert_allclose(Q.tau, tau, atol=1e-13)
    np.testing.assert_allclose(np.tril(Q.V, -1), np.tril(V, -1), atol=1e-13)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_empty(shape):
    for Q in (
        Reflectors.of_qr(np.zeros(shape, order="F"), 8),
        pivoted_qr(np.zeros(shape, order="F"), choose(*shape, "float64", want="qr"))[0],
    ):
        assert Q.count == 0
        assert np.array_equal(Q.columns(0, shape[0]), np.eye(shape[0]))


class TestColumns:
    @dtypes
    def test_where_r_may_be_lost_and_into_a_view(self, dtype):
        A = ft.random_rank(14, 5, 5, 661, dtype)
        Q = Reflectors.of_qr(fortran(A), 2)
        for start, stop in ((5, 14), (7, 12), (0, 5), (6, 8)):
            wanted = Q.columns(start, stop)
            out = np.full((17, 10), np.nan, dtype, order="F")[2:16, : stop - start]
            spent = Reflectors(Q.V.copy(order="F"), Q.T)
            got = spent.columns(start, stop, consume=True, out=out)
            assert got is out
            np.testing.assert_array_equal(got, wanted)
            # What is below the diagonal is needed still.
            np.testing.assert_array_equal(np.tril(spent.V, -1), np.tril(Q.V, -1))


def dependent(m, n, dependent_columns, dtype, seed):
    """A matrix whose named columns are combinations of those before them, and its rank."""
    rng = np.random.default_rng(seed)
    A = np.array(ft.random_rank(m, n, min(m, n), rng, dtype))
    for j in dependent_columns:
        weights = rng.standard_normal(j).astype(A.real.dtype)
        A[:, j] = A[:, :j] @ weights / max(1.0, np.linalg.norm(weights))
    return fortran(A)


class TestAvoidingQR:
    """Columns that depend on those before them are put off; then completed, or pivoted."""

    CASES = (
        ((12, 9), ()),
        ((12, 9), (0, 3, 4)),
        ((9, 9), (4, 8)),
        ((40, 30), (1, 2, 17, 18, 29)),
        ((9, 14), (2,)),
    )
    cases = pytest.mark.parametrize(("shape", "off"), CASES)

    @staticmethod
    def factor(shape, off, dtype):
        A = dependent(*shape, off, dtype, 673)
        C = fortran(A)
        limit = 1e-4 * float(np.linalg.norm(A))
        return A, C, AvoidingQR(C, choose(*shape, dtype, want="all"), limit)

    @dtypes
    @cases
    def test_puts_off_what_depends(self, dtype, shape, off):
        A, C, qr = self.factor(shape, off, dtype)
        k = min(shape[0], shape[1] - len(off))
        assert qr.k == k
        assert sorted(qr.p) == list(range(shape[1]))
        if shape[0] >= shape[1]:
            assert set(qr.p[k:]) == set(off)
        remainder = np.linalg.norm(C[k:, k:].astype(complex))
        assert qr.left == pytest.approx(remainder, rel=1e-5, abs=1e-30)
        assert qr.left <= precision(dtype) * np.linalg.norm(A)
        assert np.abs(np.diagonal(C)[:k]).min() > 1e-4 * np.linalg.norm(A)
        check_uses_of(qr.Q, check_factors(A, qr.Q, qr.p, k))

    @dtypes
    @cases
    def test_completed(self, dtype, shape, off):
        A, _, qr = self.factor(shape, off, dtype)
        qr.complete()
        assert (qr.k, qr.left) == (min(shape), 0)
        assert qr.Q.count == min(shape)
        check_uses_of(qr.Q, check_factors(A, qr.Q, qr.p, qr.k))

    @dtypes
    @cases
    @pytest.mark.parametrize("stop", [-1.0, 1e-2])
    def test_finished_with_pivots(self, dtype, shape, off, stop):
        A = dependent(*shape, off, dtype, 677)
        A[:, list(off)] += 1e-2 * ft.random_rank(shape[0], len(off), min(len(off), shape[0]), 683)
        C, norm = fortran(A), float(np.linalg.norm(A))
        qr = AvoidingQR(C, choose(*shape, dtype, want="all"), 0.05 * norm)
        before = qr.k
        qr.finish(stop * norm)
        assert before <= qr.k <= min(shape)
        if stop < 0:
            assert (qr.k, qr.left) == (min(shape), 0)
        else:
            assert qr.left <= stop * norm
        pivots = np.abs(np.diagonal(C)[before : qr.k])
        assert np.all(pivots[1:] <= pivots[:-1] * (1 + 1e-3))
        check_uses_of(qr.Q, check_factors(A, qr.Q, qr.p, qr.k))

    def test_everything_is_put_off(self):
        A = ft.random_rank(8, 6, 6, 691)
        qr = AvoidingQR(fortran(A), choose(8, 6, "float64", want="all"), math.inf)
        assert (qr.k, qr.Q.count) == (0, 0)
        assert qr.left == pytest.approx(np.linalg.norm(A))
        qr.finish(-1.0)
        check_factors(A, qr.Q, qr.p, qr.k)
        assert qr.k == 6
