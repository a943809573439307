"""Structured elimination: the same spaces as the dense one finds, and real networks."""

import gzip
import math
from pathlib import Path

import exact_oracle
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from test_exact import check_null_space

from fastsub import exact
from fastsub import testing as ft
from fastsub.data import as_sparse_arrays
from fastsub.exact import sparse
from fastsub.exact.numbers import read


def check_sparse(A):
    """Null spaces, rank and column space of a sparse matrix against the oracle."""
    S = scipy.sparse.coo_array(A)
    r = len(exact_oracle.rref(A)[1])
    m, n = A.shape
    check_null_space(A, exact.null_space(S), n - r)
    check_null_space(A.T, exact.left_null_space(S), m - r)
    assert exact.rank(S) == exact.rank(S.T) == r
    basis = exact.column_space(S)
    assert basis.shape == (m, r)
    assert len(exact_oracle.rref(np.hstack([basis, A]))[1]) == r
    assert exact.rref(S) == exact.rref(A)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("entries", [(-1, 1), (-3, -2, 1, 2), (2, 3), (6, 10, 15), (10**9, 1, -1)])
def test_random(share, entries):
    rng = np.random.default_rng(int(100 * share) + len(entries))
    for m, n in ((1, 1), (1, 9), (9, 1), (8, 12), (15, 10), (20, 20)):
        A = rng.choice(entries, (m, n)) * (rng.random((m, n)) < share)
        check_sparse(A)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (4, 5)])
def test_without_entries(shape):
    check_sparse(np.zeros(shape, int))


def test_numbers_that_outgrow_64_bits():
    """A chain of factors 10^9 and a unit each: the null vector holds 10^(9 n)."""
    n = 9
    A = np.eye(n, n + 1, dtype=object) - 10**9 * np.eye(n, n + 1, 1, dtype=object)
    S = scipy.sparse.coo_array(A.astype(np.int64))
    N = exact.null_space(S)
    assert N.dtype == object
    check_null_space(A, N, 1)
    assert max(abs(x) for x in N[:, 0]) == 10 ** (9 * n)


def test_incidence_matrix_of_a_graph():
    """Null space: cycles; left null space: one vector for each component."""
    rng = np.random.default_rng(911)
    edges = [tuple(sorted(rng.choice(120, 2, replace=False))) for _ in range(150)]
    A = ft.incidence(edges)
    S = scipy.sparse.csr_array(np.asarray(A, dtype=np.int64))
    N, L = exact.null_space(S), exact.left_null_space(S)
    r = exact.rank(S)
    assert (N.shape[1], L.shape[1]) == (S.shape[1] - r, S.shape[0] - r)
    assert not (S @ N).any()
    assert not (S.T @ L).any()
    assert r == np.linalg.matrix_rank(S.toarray())


def test_a_wrong_vector_is_noticed():
    M = read(scipy.sparse.coo_array([[1, 2, 0], [0, 1, 1]]))
    good = np.array([[2], [-1], [1]])
    assert sparse.annihilates(M, good)
    assert sparse.annihilates(M, good.astype(object))
    for k in range(3):
        for off in (1, 2**32, -(2**61)):
            bad = good.copy()
            bad[k, 0] += off
            assert not sparse.annihilates(M, bad)
            assert not sparse.annihilates(M, bad.astype(object))


@pytest.fixture(scope="module")
def genome_scale():
    """iJO1366, 1805 metabolites and 2583 reactions."""
    with gzip.open(Path(__file__).parent / "data" / "iJO1366.mtx.gz") as stored:
        return scipy.io.mmread(stored, **as_sparse_arrays(scipy.io.mmread))


def test_genome_scale_network(genome_scale):
    S = genome_scale
    assert exact.rank(S, decimals=True) == 1766
    N = exact.null_space(S, decimals=True)
    L = exact.left_null_space(S, decimals=True)
    assert (N.shape, L.shape) == ((2583, 817), (1805, 39))
    # Exact again, by other means: integers of each column, or row, in Python.
    M = read(S, decimals=True)
    for Z, scale, basis in ((M, M.columns, N), (M.T, M.columns, L)):
        rows = [{} for _ in range(Z.shape[0])]
        for i, j, z in zip(Z.i.tolist(), Z.j.tolist(), Z.Z.tolist(), strict=True):
            rows[i][j] = z
        if Z is M:
            common = math.lcm(*scale)
            factor = [common // c for c in scale]
            rows = [{j: z * factor[j] for j, z in row.items()} for row in rows]
        some = np.random.default_rng(733).choice(basis.shape[1], 12, replace=False)
        vectors = basis[:, some].astype(object)
        for row in rows:
            assert not any(sum(z * vectors[j] for j, z in row.items()) if row else ())


def test_core_network_by_both_ways():
    A = ft.ecoli_core()
    dense, structured = (exact.null_space(X, decimals=True) for X in (A, scipy.sparse.csr_array(A)))
    assert dense.shape == structured.shape == (95, 28)
    assert exact.rank(np.hstack([dense, structured])) == 28
    assert exact.rref(A, decimals=True) == exact.rref(scipy.sparse.csr_array(A), decimals=True)
