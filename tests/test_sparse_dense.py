"""Small sparse matrices are made dense: the same answers, bit for bit, and the same refusals."""

import numpy as np
import pytest
import scipy.sparse as sp

import fastsub
from fastsub.sparse import fundamental_subspaces

BASES = ("null_space", "orth", "row_space", "left_null_space")


@pytest.fixture
def pair(dtype):
    """Of rank 7: a sparse matrix, and a dense one."""
    rng = np.random.default_rng(2903)
    A = (rng.standard_normal((20, 7)) @ rng.integers(-1, 2, (7, 12))).astype(dtype)
    return sp.csr_array(A), A


@pytest.mark.parametrize("name", BASES)
def test_bases_are_those_of_the_dense_matrix(pair, name):
    S, A = pair
    (Q, certificate), (P, wanted) = (getattr(fastsub, name)(M, full_output=True) for M in (S, A))
    np.testing.assert_array_equal(Q, P)
    assert Q.dtype == A.dtype
    assert certificate == wanted


def test_rank_and_least_squares(pair):
    S, A = pair
    assert fastsub.matrix_rank(S, full_output=True) == fastsub.matrix_rank(A, full_output=True)
    b = np.arange(20.0)
    (x, *_), (y, *_) = (fastsub.lstsq(M, b.astype(A.dtype)) for M in (S, A))
    np.testing.assert_array_equal(x, y)
    assert fundamental_subspaces(S).rank == 7
    assert fastsub.solutions(S, b).kind == "none"


def test_what_is_asked_of_the_sparse_path_is_answered_by_it(pair):
    S, _ = pair
    assert sp.issparse(fastsub.null_space(S, sparse=True))
    assert "markowitz" in fastsub.matrix_rank(S, engine="markowitz", full_output=True)[1].method


def test_large_ones_are_not_made_dense(monkeypatch):
    S = sp.eye_array(3000, format="csr")
    monkeypatch.setattr(sp.csr_array, "toarray", lambda *_: pytest.fail("made dense"))
    assert fastsub.matrix_rank(S) == 3000


@pytest.mark.parametrize("eliminated", [False, True])
@pytest.mark.parametrize(("kind", "value"), [("?", True), ("b", 100), ("e", 3e4), ("f", 2.0**24)])
def test_entries_that_are_there_twice(request, eliminated, kind, value):
    """They add up in the dtype of A, as in its dense array: True and True is True."""
    if eliminated:
        request.getfixturevalue("elimination")
    dtype = np.dtype(kind) if kind != "e" else np.dtype("f")
    data = np.array([value, value, 1, 1], dtype)
    for form in (sp.csr_array, sp.csc_array):
        S = form((data, np.array([1, 1, 0, 1]), np.array([0, 3, 4])), shape=(2, 2))
        if kind == "?":
            assert fastsub.matrix_rank(S) == np.linalg.matrix_rank(S.toarray()) == 2
        Q, P = fastsub.null_space(S[:1]), fastsub.null_space(S[:1].toarray())
        np.testing.assert_allclose(abs(Q), abs(P), atol=1e-6)
        assert not S.has_canonical_format
