"""Regularised normal equations as a preconditioner, and the order that keeps them sparse."""

import numpy as np
import pytest
from scipy import sparse
from test_least_squares_accuracy import karlson_walden

import fastsub
from fastsub.factor.sparse import regularised
from fastsub.factor.sparse import solve as sparse_solve
from fastsub.factor.sparse.conjugate import conjugate_gradients
from fastsub.factor.sparse.regularised import Regularised, minimum_degree
from fastsub.sparse import lstsq

pytestmark = pytest.mark.usefixtures("elimination")


def symbolic(K, order):
    """Entries and multiplications of a Cholesky factorisation, by the graph itself."""
    B = K.toarray()[np.ix_(order, order)] != 0
    entries, work = len(B), 0
    for k in range(len(B)):
        near = np.flatnonzero(B[k + 1 :, k]) + k + 1
        B[np.ix_(near, near)] = True
        entries, work = entries + near.size, work + near.size**2
    return entries, work


@pytest.mark.parametrize("crowded", [0.5, 10.0])
def test_order_and_its_cost(monkeypatch, crowded):
    """Every cost is a bound, and the orders leave far less than chance does."""
    monkeypatch.setattr(regularised, "_CROWDED", crowded)
    rng = np.random.default_rng(1996)
    total, by_chance = 0, 0
    for _ in range(60):
        m, n = rng.integers(1, 70, 2)
        A = sparse.random_array((m, n), density=rng.choice([0.01, 0.03, 0.1]), rng=rng)
        K = sparse.csc_array(A @ A.T + sparse.eye_array(m))
        order, nonzeros, work = minimum_degree(K)
        np.testing.assert_array_equal(np.sort(order), np.arange(m))
        entries, products = symbolic(K, order)
        assert entries <= nonzeros <= m * (m + 1) / 2
        assert products <= work + 1e-9
        total += entries
        by_chance += symbolic(K, rng.permutation(m))[0]
    assert total < 0.9 * by_chance


def test_order_of_a_band():
    """A tridiagonal matrix fills in nowhere, nor does a matrix with one crowded row."""
    K = sparse.csc_array(sparse.diags_array([np.ones(499)] * 2, offsets=[-1, 1], shape=(500, 500)))
    assert minimum_degree(K)[1] == 999
    K = sparse.lil_array((500, 500))
    K[7, :] = K[:, [7]] = 1
    assert minimum_degree(sparse.csc_array(K))[1] == 999
    assert minimum_degree(sparse.csc_array((0, 0)))[0].size == 0


def graph(rng, side, dtype):
    """Vertices by edges of a square grid whose edges have weights: rank one less."""
    index = rng.permutation(side**2).reshape(side, side)
    tails = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    heads = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    k = tails.size
    weight = np.exp(rng.uniform(-3, 3, k)) * (
        np.exp(1j * rng.uniform(0, 6, k)) if dtype == "D" else 1
    )
    entries = np.concatenate([tails, heads]), np.tile(np.arange(k), 2)
    return sparse.csr_array((np.concatenate([weight, -weight]), entries), shape=(side**2, k))


@pytest.mark.parametrize("dtype", ["d", "D"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("consistent", [False, True])
def test_least_squares_of_a_graph(monkeypatch, dtype, transposed, consistent):
    """Minimum norm and backward error of a dense factorisation, of any right side."""
    rng = np.random.default_rng(1955)
    A = graph(rng, 13, dtype)
    A = sparse.csr_array(A.conj().T) if transposed else A
    m, n = A.shape
    B = A @ rng.standard_normal((n, 2)) if consistent else rng.standard_normal((m, 2))
    used = []

    def recorded(*args):
        found = conjugate_gradients(*args)
        used.append((args[3] is not None, found is not None))
        return found

    monkeypatch.setattr(sparse_solve, "conjugate_gradients", recorded)
    (X, _, rank, _), certificate = lstsq(A, B, full_output=True)
    assert used == [(True, True)]
    assert rank == 168
    D = A.toarray()
    wanted = np.linalg.lstsq(D, B)[0]
    sigma = np.linalg.svd(D, compute_uv=False)[:168]
    scale = np.linalg.norm(wanted) + np.linalg.norm(B - D @ wanted) / sigma[-1]
    error = np.linalg.norm(X - wanted)
    assert error <= 4e-15 * sigma[0] / sigma[-1] * scale
    assert certificate.backward_error <= 3e-16
    for b, x, dense in zip(B.T, X.T, wanted.T, strict=True):
        assert karlson_walden(D, b, x) <= 10 * max(karlson_walden(D, b, dense), 2e-17)
    # Nothing of the null space.
    N = fastsub.null_space(D)
    assert np.linalg.norm(N.conj().T @ X) <= 1e-14 * np.linalg.norm(X)


@pytest.mark.parametrize("shape", [(60, 200), (200, 60)])
@pytest.mark.parametrize("power", [3, 6, 9])
def test_ill_conditioned(shape, power):
    """Directions of row scales from 1 to 10^-power: what is answered is backward stable."""
    rng = np.random.default_rng(2011 + power)
    A = sparse.random_array(shape, density=0.05, rng=rng, data_sampler=rng.standard_normal)
    A = A + sparse.eye_array(*shape)
    short = sparse.diags_array(np.geomspace(1, 10.0**-power, 60))
    A = sparse.csr_array(short @ A if shape[0] == 60 else A @ short)
    b = rng.standard_normal(shape[0])
    sigma = np.linalg.svd(A.toarray(), compute_uv=False)
    K = Regularised(A, sigma[-1], sigma[0], True)
    found = conjugate_gradients(A, b[:, None], np.inf, K.apply)
    assert found is not None or power > 6
    (x, *_), certificate = lstsq(A, b, full_output=True)
    assert karlson_walden(A.toarray(), b, x) <= 3e-16
    assert certificate.backward_error <= 1e-15


def test_too_dense():
    """A column that meets all rows makes the normal equations dense: not tried."""
    rng = np.random.default_rng(2017)
    A = sparse.lil_array((4000, 5000))
    A[:, [0]] = rng.standard_normal((4000, 1))
    A.setdiag(1.0)
    assert Regularised(sparse.csr_array(A), 1.0, 60.0, True).work == np.inf
