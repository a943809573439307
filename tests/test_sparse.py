"""Sparse rank and null spaces against the SVD, over structures, ranks, dtypes and formats."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from reference import svd

import fastsub
from fastsub.factor.sparse.arrays import read_sparse
from fastsub.factor.sparse.bounds import sigma_1_bracket
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.testing import check_annihilates, check_certificate, check_orthonormal

pytestmark = pytest.mark.usefixtures("elimination")

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")


def random(rng, m, n, density, dtype):
    A = sp.random_array((m, n), density=density, rng=rng, data_sampler=rng.standard_normal)
    if dtype.kind == "c":
        A = A + 1j * sp.random_array((m, n), density=density, rng=rng)
    return A.toarray().astype(dtype)


def of_rank(rng, m, n, density, dtype):
    r = min(m, n) // 2 + 1
    return random(rng, m, r, density, dtype) @ random(rng, r, n, density, dtype)


def graded(rng, m, n, density, dtype):
    return (random(rng, m, n, density, dtype).T * 10 ** rng.uniform(-9, 9, m)).T.astype(dtype)


def diagonal(rng, m, n, density, dtype):
    A = np.zeros((m, n), dtype)
    np.fill_diagonal(A, 10 ** rng.uniform(-18, 0, min(m, n)))
    return A


def arrow(rng, m, n, density, dtype):
    A = np.eye(m, n, dtype=dtype)
    A[0], A[:, 0] = rng.standard_normal(n), rng.standard_normal(m)
    return A


def banded(rng, m, n, density, dtype):
    return np.triu(np.tril(random(rng, m, n, 1.0, dtype), 1), -2)


def tied(rng, m, n, density, dtype):
    A = random(rng, m, n, density, dtype)
    A[:, -1] = A[:, 0] + 2 * A[:, n // 2]
    return A


def kahan(rng, m, n, density, dtype):
    k = min(m, n)
    A = np.zeros((m, n), dtype)
    s, c = math.sin(1.2), math.cos(1.2)
    A[:k, :k] = (s ** np.arange(k) * (np.eye(k) - c * np.triu(np.ones((k, k)), 1)).T).T
    return A


def wilkinson(rng, m, n, density, dtype):
    """Growth 2^(k - 1) under partial pivoting by columns."""
    k = min(m, n)
    A = np.zeros((m, n), dtype)
    A[:k, :k] = np.eye(k) - np.tril(np.ones((k, k)), -1)
    A[:k, k - 1] = 1
    return A


def of_blocks(rng, m, n, density, dtype):
    """Blocks of very different scales."""
    A = np.zeros((m, n), dtype)
    h, w = m // 3, n // 3
    for b, scale in enumerate((1, 1e-9, 1e-22)):
        A[b * h : b * h + h, b * w : b * w + w] = scale * random(rng, h, w, 0.4, dtype)
    return A


MAKERS = (
    random,
    of_rank,
    graded,
    diagonal,
    arrow,
    banded,
    tied,
    kahan,
    wilkinson,
    of_blocks,
)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("shape", [(30, 30), (24, 51), (60, 33)])
def test_rank_and_null_space_are_those_of_the_svd(make, shape, dtype):
    rng = np.random.default_rng(2311)
    proved = total = 0
    for density in (0.02, 0.07, 0.2):
        A = make(rng, *shape, density, dtype)
        _, sigma, _, rank = svd(A)
        tol = np.finfo(dtype).eps * max(shape) * sigma[0]
        S = sp.csr_array(A)
        got, certificate = fastsub.matrix_rank(S, full_output=True)
        check_certificate(A, certificate)
        if not np.any((sigma > tol / 2) & (sigma < 2 * tol)):
            assert got == rank
        gap = not np.any((sigma > tol / 30) & (sigma < 30 * tol))
        proved += gap and certificate.decided_by == "bounds"
        total += gap
        N, again = fastsub.null_space(S, full_output=True)
        assert (N.shape, N.dtype) == ((shape[1], shape[1] - got), dtype)
        assert again.rank == got
        check_orthonormal(N)
        if got == rank:
            check_annihilates(A, N)
    assert proved == total


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("shape", [(30, 41), (52, 23)])
def test_the_other_spaces(make, shape, dtype):
    rng = np.random.default_rng(3112)
    A = make(rng, *shape, 0.08, dtype)
    S = sp.coo_array(A)
    V, Q, Y = fastsub.row_space(S), fastsub.orth(S), fastsub.left_null_space(S)
    Z, certificate = fastsub.null_space(S, sparse=True, full_output=True)
    r = certificate.rank
    wide = A.astype(np.result_type(dtype, float))
    for basis, rows, k in ((V, 1, r), (Q, 0, r), (Y, 0, shape[0] - r)):
        assert (basis.shape, basis.dtype) == ((shape[rows], k), dtype)
        check_orthonormal(basis)
    limit = max(certificate.tol, certificate.sigma_next_upper)
    limit += 40 * np.finfo(dtype).eps * np.linalg.norm(wide, 2)
    assert np.linalg.norm(wide - wide @ V @ V.conj().T, 2) <= limit
    assert np.linalg.norm(wide - Q @ (Q.conj().T @ wide), 2) <= limit
    if Y.size:
        assert np.linalg.norm(Y.conj().T @ wide, 2) <= limit
    assert isinstance(Z, sp.csc_array)
    assert (Z.shape, Z.dtype) == ((shape[1], shape[1] - r), dtype)
    if Z.shape[1]:
        sigma = np.linalg.svd(Z.toarray(), compute_uv=False)
        assert sigma[-1] >= 1 - 10 * np.finfo(dtype).eps
        assert np.linalg.norm(wide @ Z.toarray(), 2) <= limit * sigma[0]


def test_a_sparse_basis_is_for_sparse_input():
    with pytest.raises(TypeError, match=r"sparse=True is for a scipy\.sparse A, got a ndarray"):
        fastsub.null_space(np.eye(3), sparse=True)
    with pytest.raises(TypeError, match=r"engine='suitesparse' is for a scipy\.sparse A"):
        fastsub.matrix_rank(np.eye(3), engine="suitesparse")
    with pytest.raises(ValueError, match='engine must be "markowitz" or "suitesparse"'):
        fastsub.matrix_rank(sp.eye_array(3), engine="spqr")


class _DenseQR:
    """What sparseqr.rz returns, by a dense QR with pivoting: that package need not be there."""

    @staticmethod
    def rz(A, B, tolerance):
        assert tolerance == -1
        R, order = scipy.linalg.qr(A.toarray(), mode="r", pivoting=True)
        return None, sp.coo_matrix(R[: min(A.shape)]), order, min(A.shape)


@pytest.mark.parametrize("shape", [(30, 41), (52, 23)])
def test_another_engine(shape, dtype, monkeypatch):
    monkeypatch.setitem(sys.modules, "sparseqr", _DenseQR)
    A = of_rank(np.random.default_rng(44), *shape, 0.2, dtype)
    rank, certificate = fastsub.matrix_rank(sp.csr_array(A), full_output=True, engine="suitesparse")
    assert rank == svd(A)[3]
    assert certificate.method == "suitesparse"
    check_certificate(A, certificate)
    N = fastsub.null_space(sp.csr_array(A), engine="suitesparse")
    check_orthonormal(N)
    check_annihilates(A, N)


def test_a_missing_engine_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sparseqr", None)
    with pytest.raises(ImportError, match="pip install sparseqr"):
        fastsub.matrix_rank(sp.eye_array(3), engine="suitesparse")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_array_and_matrix(form):
    rng = np.random.default_rng(77)
    A = random(rng, 24, 36, 0.1, np.dtype(float))
    A[:, 5] = 0
    for container in (sp.csr_array, sp.csr_matrix):
        S = container(A).asformat(form)
        before = S.toarray()
        assert fastsub.matrix_rank(S) == np.linalg.matrix_rank(A)
        assert np.array_equal(S.toarray(), before)


def test_duplicates_and_explicit_zeros_and_integers():
    S = sp.coo_array(([1, 2, -1, 0], ([0, 0, 1, 1], [0, 0, 1, 0])), shape=(3, 2))
    assert fastsub.matrix_rank(S) == 2
    S = sp.coo_array(([1, -1, 3], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    assert fastsub.matrix_rank(S) == 1
    S = sp.csr_array(np.array([[True, False], [True, False]]))
    N = fastsub.null_space(S)
    assert N.dtype == np.float64
    np.testing.assert_array_equal(np.abs(N), [[0], [1]])
    assert S.nnz == 2


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0), (3, 5)])
def test_empty_and_zero(shape, dtype):
    S = sp.csr_array(shape, dtype=dtype)
    rank, certificate = fastsub.matrix_rank(S, full_output=True)
    assert rank == 0
    assert certificate.decided_by == "bounds"
    N = fastsub.null_space(S)
    np.testing.assert_array_equal(N, np.eye(shape[1]))
    assert N.dtype == dtype


@pytest.mark.parametrize("value", [np.nan, np.inf, complex(0, np.nan)])
def test_what_is_not_finite_is_named(value):
    S = sp.csr_array(np.array([[0, 1], [value, 2]]))
    for function in (fastsub.matrix_rank, fastsub.null_space):
        with pytest.raises(ValueError, match=r"A must be finite, got .* at \(1, 0\)"):
            function(S)


@pytest.mark.parametrize("exponent", [-300, 300])
def test_scaling(exponent):
    rng = np.random.default_rng(5)
    A = of_rank(rng, 30, 40, 0.2, np.dtype(float))
    rank, certificate = fastsub.matrix_rank(sp.csr_array(A), full_output=True)
    scaled, other = fastsub.matrix_rank(sp.csr_array(A * 2.0**exponent), full_output=True)
    assert rank == scaled
    assert other.tol == pytest.approx(certificate.tol * 2.0**exponent, rel=1e-9)


def incidence(edges, vertices):
    k = len(edges)
    values, rows = np.repeat([1.0, -1.0], k), np.concatenate([edges[:, 0], edges[:, 1]])
    return sp.coo_array((values, (rows, np.tile(np.arange(k), 2))), shape=(vertices, k))


@pytest.mark.parametrize("count", [1, 7])
def test_incidence_of_graphs(count):
    """The rank is the number of vertices less that of the components."""
    rng = np.random.default_rng(90)
    side, edges = 20, []
    for g in range(count):
        index = g * side**2 + np.arange(side**2).reshape(side, side)
        across = np.column_stack([index[:, :-1].ravel(), index[:, 1:].ravel()])
        down = np.column_stack([index[:-1].ravel(), index[1:].ravel()])
        edges += [across, down]
    edges = rng.permutation(np.concatenate(edges))
    vertices = count * side**2
    A = incidence(edges, vertices)
    rank, certificate = fastsub.matrix_rank(A, full_output=True)
    assert rank == vertices - count
    assert certificate.decided_by == "bounds"


def test_a_large_grid_is_proved_by_bounds():
    index = np.arange(10000).reshape(100, 100)
    edges = np.concatenate(
        [
            np.column_stack([index[:, :-1].ravel(), index[:, 1:].ravel()]),
            np.column_stack([index[:-1].ravel(), index[1:].ravel()]),
        ]
    )
    rank, certificate = fastsub.matrix_rank(incidence(edges, 10000), full_output=True)
    assert rank == 9999
    assert certificate.decided_by == "bounds"
    # sigma^2 of a grid graph: 2 - 2 cos(pi / 100) is the smallest that is not zero.
    assert certificate.sigma_r_lower <= math.sqrt(2 - 2 * math.cos(math.pi / 100))


def test_an_arrow_costs_its_entries():
    n = 30000
    index = np.arange(1, n)
    zeros, ones = np.zeros(n - 1, int), np.ones(n - 1)
    A = sp.coo_array(
        (
            np.concatenate([ones, ones, ones, [0.5]]),
            (np.r_[index, index, zeros, 0], np.r_[index, zeros, index, 0]),
        ),
        shape=(n, n),
    )
    F = SparseFactors(read_sparse(A))
    assert F.rank == n
    assert F.lu.L.nnz + F.lu.U.nnz + F.lu.p.size <= A.nnz


def test_the_largest_singular_value_is_bracketed(dtype):
    rng = np.random.default_rng(12)
    for density in (0.01, 0.1, 0.9):
        A = random(rng, 40, 60, density, dtype)
        low, high = sigma_1_bracket(sp.csr_array(A.astype(np.result_type(dtype, float))))
        exact = np.linalg.norm(A.astype(np.result_type(dtype, float)), 2)
        assert low * (1 - 1e-12) <= exact <= high * (1 + 1e-12)
        assert exact < 1.5 * low
        assert high <= np.linalg.norm(A.astype(np.result_type(dtype, float))) * (1 + 1e-12)


def test_who_decides_where_comparison_matrices_are_too_coarse(monkeypatch):
    """They lose a thousand here; all columns of the inverse lose nothing, powers of it a four."""
    rng = np.random.default_rng(19)
    A = sp.random_array((300, 300), density=2 / 300, rng=rng, data_sampler=rng.standard_normal)
    A = A + 1.5 * sp.eye_array(300)
    tol = np.linalg.norm(A.toarray(), -2) / 30
    deciders = []
    for name in (None, "_BUDGET", "_DENSE"):
        if name:
            monkeypatch.setattr(f"fastsub.factor.sparse.rank.{name}", 0.0)
        rank, certificate = fastsub.matrix_rank(A, tol, full_output=True)
        assert rank == 300
        check_certificate(A.toarray(), certificate, tol=tol)
        deciders.append((certificate.decided_by, 0 < certificate.failure_probability < 1e-15))
    assert deciders == [("bounds", False), ("bounds", False), ("probabilistic", True)]


def test_a_cutoff_of_zero_counts_noise_and_warns_of_nothing():
    """A core of rounding errors has no bound from below."""
    rng = np.random.default_rng(20)
    A = sp.random_array((60, 50), density=0.08, rng=rng, format="csr")
    A = sp.vstack([A, A[:20]])
    assert fastsub.matrix_rank(A) == 49
    rank, certificate = fastsub.matrix_rank(A, tol=0, full_output=True)
    assert rank >= 49
    assert certificate.decided_by == "svd"


def test_a_core_that_is_too_large_is_an_error_with_sizes(monkeypatch):
    rng = np.random.default_rng(20)
    A = sp.random_array((400, 400), density=0.1, rng=rng)
    monkeypatch.setattr("fastsub.factor.memory._physical_memory", lambda: 200_000)
    with pytest.raises(MemoryError, match=r"dense core of shape \(\d+, \d+\), .* bytes"):
        fastsub.matrix_rank(A)


def test_threads_share_an_input_and_get_the_same_bits():
    A = sp.csr_array(of_rank(np.random.default_rng(55), 60, 80, 0.1, np.dtype(float)))
    for array in (A.data, A.indices, A.indptr):
        array.flags.writeable = False
    want = fastsub.null_space(A)
    with ThreadPoolExecutor(4) as pool:
        for N in pool.map(lambda _: fastsub.null_space(A), range(8)):
            np.testing.assert_array_equal(N, want)
