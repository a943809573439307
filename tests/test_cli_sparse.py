"""The command line with sparse files: they stay sparse, and what cannot says so."""

import json

import numpy as np
import pytest
import scipy.io
import scipy.sparse


def grid(k):
    """Incidence matrix of a k x k grid graph, nodes x edges."""
    node = np.arange(k * k).reshape(k, k)
    pairs = [(node[:, :-1], node[:, 1:]), (node[:-1], node[1:])]
    tail, head = (np.concatenate([pair[end].ravel() for pair in pairs]) for end in (0, 1))
    edge = np.arange(tail.size)
    ones = np.ones(tail.size)
    return scipy.sparse.coo_array(
        (np.r_[ones, -ones], (np.r_[tail, head], np.r_[edge, edge])), shape=(k * k, tail.size)
    )


@pytest.fixture
def large(here, monkeypatch):
    """Files of a sparse matrix that nobody may make dense: 1600 x 3120 of rank 1599."""
    A = grid(40)
    scipy.io.mmwrite(here / "grid.mtx", A)
    scipy.sparse.save_npz(here / "grid.npz", scipy.sparse.csr_array(A))
    make_dense = scipy.sparse.csr_array.toarray

    def toarray(self, *arguments, **options):
        assert self.shape != A.shape
        return make_dense(self, *arguments, **options)

    monkeypatch.setattr(scipy.sparse.csr_array, "toarray", toarray)
    return A


@pytest.mark.parametrize("name", ["grid.mtx", "grid.npz"])
def test_a_sparse_file_stays_sparse(large, call, here, name):
    facts = json.loads(call("report", name, "--json"))
    assert (facts["rank"], facts["nullity"], facts["sparse"]) == (1599, 1521, True)
    assert facts["rank_plus_nullity_is_n"]
    assert facts["null_residual"] <= 1e-13
    # The singular values of a product of paths.
    condition = np.sqrt(2) * np.sin(39 * np.pi / 80) / np.sin(np.pi / 80)
    assert 0.1 * condition <= facts["condition"] <= 100 * condition
    assert "float64, sparse" in call("report", name)
    assert "not orthonormal" in " ".join(call("null", name, "--sparse", "-o", "Z.npz").split())
    Z = scipy.sparse.load_npz(here / "Z.npz")
    assert Z.shape == (3120, 1521)
    assert abs(large.tocsr() @ Z).max() <= 1e-14
    b = np.random.default_rng(71).standard_normal(1600)
    np.save(here / "b.npy", b - b.mean())
    assert "infinitely many" in call("solve", name, "b.npy", "-o", "x.npy")
    np.testing.assert_allclose(large @ np.load(here / "x.npy"), b - b.mean(), atol=1e-12)


def test_what_needs_a_dense_matrix_says_so(large, refuse, monkeypatch):
    for module in ("memory", "sparse"):
        monkeypatch.setattr(f"fastsub.cli.{module}.physical_memory", lambda: 3e7)
    for words, hint in (
        (["rref", "grid.mtx"], "echelon form is dense"),
        (["rref", "grid.mtx", "--mod", "7"], "echelon form is dense"),
        (["report", "grid.mtx", "--html", "out.html"], "leave --html out"),
        (["identify", "grid.mtx"], "GB"),
    ):
        message = refuse(*words)
        assert "as a dense matrix needs" in message
        assert hint in message
    monkeypatch.setattr("fastsub.factor.memory._physical_memory", lambda: 3 * 10**7)
    assert "--sparse -o N.npz" in refuse("null", "grid.mtx")


def test_the_json_of_null_holds_a_small_basis(here, call, refuse):
    np.savetxt(here / "a.csv", [[1.0, 2.0], [3.0, 6.0]], delimiter=",")
    facts = json.loads(call("null", "a.csv", "--json"))
    np.testing.assert_allclose(np.abs(facts["basis"]), np.array([[2], [1]]) / np.sqrt(5))
    np.save(here / "w.npy", np.ones((1, 102)))
    assert json.loads(call("null", "w.npy", "--json"))["basis"] is None
    assert ".npy" in refuse("null", "w.npy", "-o", "N.npz")
    assert "not orthonormal" in " ".join(call("null", "w.npy", "--sparse").split())


def test_a_sparse_file_with_nan_or_strange_indices(large, here, refuse):
    A = scipy.sparse.csr_array(large)
    A.data[7] = np.nan
    scipy.sparse.save_npz(here / "nan.npz", A)
    assert "(counted from 1) is nan" in refuse("report", "nan.npz")
    A.data[7], A.indices[7] = 1, 10**6
    scipy.sparse.save_npz(here / "far.npz", A)
    assert "not a readable .npz file" in refuse("report", "far.npz")
