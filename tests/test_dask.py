"""Dask arrays of any chunking; a cluster of processes, one of which is killed."""

import os
import signal
import time

import numpy as np
import pytest

import fastsub
from fastsub.testing import check_annihilates, check_orthonormal

da = pytest.importorskip("dask.array")
import dask  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import fastsub.dask as fd  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def matrix(seed, m, n, r):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, r)) @ rng.standard_normal((r, n))


@given(
    st.integers(1, 200),
    st.integers(1, 12),
    st.data(),
    st.integers(1, 8),
    st.integers(1, 12),
)
@settings(max_examples=30)
def test_any_chunking(m, n, data, blocks, columns):
    r = data.draw(st.integers(0, min(m, n)))
    A, b = matrix(1201 + m, m, n, r), matrix(1301, m, 1, 1)[:, 0]
    with dask.config.set(scheduler="synchronous"):
        D = da.from_array(A, chunks=(-(-m // blocks), columns))
        x, residues, rank, s = fd.lstsq(D, b)
        N, Q = fd.null_space(D), fd.orth(D)
        x, residues, rank, N, Q = dask.compute(x, residues, rank, N, Q)
    wanted = fastsub.lstsq(A, b)
    assert rank == r
    assert s is None
    np.testing.assert_allclose(x, wanted[0], atol=1e-9 * max(1, np.abs(wanted[0]).max()))
    np.testing.assert_allclose(residues, np.atleast_1d(wanted[1]), rtol=1e-8, atol=1e-12)
    check_orthonormal(N)
    check_annihilates(A, N)
    check_orthonormal(Q)
    assert Q.shape == (m, r)
    assert np.linalg.norm(A - Q @ (Q.T @ A)) <= 1e-12 * max(1, np.linalg.norm(A))


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_types_and_several_right_hand_sides(dtype):
    rng = np.random.default_rng(1409)
    A = (8 * rng.standard_normal((300, 5))).astype(dtype)
    b = (8 * rng.standard_normal((300, 2))).astype(dtype)
    D, B = da.from_array(A, chunks=(70, 3)), da.from_array(b, chunks=(50, 1))
    (x, residues, rank, _), certificate = fd.lstsq(D, B, full_output=True)
    wanted = fastsub.lstsq(A, b)
    assert x.shape == (5, 2)
    assert x.dtype == wanted[0].dtype
    eps = np.finfo(x.dtype).eps
    np.testing.assert_allclose(x.compute(), wanted[0], rtol=2e3 * eps, atol=2e2 * eps)
    np.testing.assert_allclose(residues.compute(), wanted[1], rtol=2e3 * eps)
    assert rank.compute() == certificate.compute().rank == 5
    V, certificate = fd.row_space(D, full_output=True)
    assert V.compute().shape == (5, 5)
    assert certificate.compute().decided_by == "bounds"


def test_nothing_is_computed_before_it_is_asked():
    read = []

    def block(block_info=None):
        read.append(block_info[None]["chunk-location"])
        return np.ones((10, 3))

    D = da.map_blocks(block, chunks=((10,) * 4, (3,)), dtype=float, meta=np.empty((0, 0)))
    before = len(read)
    rank, N, Q = fd.matrix_rank(D), fd.null_space(D), fd.orth(D)
    F = fd.fundamental_subspaces(D)
    x = fd.lstsq(D, np.ones(40))[0]
    assert len(read) == before
    assert rank.compute() == 1
    assert (N.compute().shape, Q.compute().shape) == ((3, 2), (40, 1))
    np.testing.assert_allclose(x.compute(), np.full(3, 1 / 3))
    assert F.rank == 1


def test_four_subspaces():
    A, b = matrix(1511, 400, 6, 4), matrix(1512, 400, 2, 2)
    F = fd.fundamental_subspaces(da.from_array(A, chunks=(90, 4)))
    G = fastsub.fundamental_subspaces(A)
    assert F.null_space == G.null_space
    assert F.row_space == G.row_space
    np.testing.assert_allclose(F.column_space.project(b), G.column_space.project(b), atol=1e-12)
    np.testing.assert_allclose(F.left_null_space.distance(b), G.left_null_space.distance(b))
    np.testing.assert_allclose(F.solve(b[:, 0]), G.solve(b[:, 0]), atol=1e-12)


def test_errors():
    A = np.ones((40, 3))
    D = da.from_array(A, chunks=10)
    for function in (fastsub.null_space, fastsub.matrix_rank, fastsub.orth):
        with pytest.raises(TypeError, match=r"fastsub\.dask"):
            function(D)
    with pytest.raises(TypeError, match=r"fastsub\.dask"):
        fastsub.lstsq(D, np.ones(40))
    with pytest.raises(TypeError, match=r"fastsub\.dask"):
        fastsub.stream(D)
    with pytest.raises(TypeError, match="must be a dask array"):
        fd.null_space(A)
    with pytest.raises(ValueError, match="2-d"):
        fd.null_space(D[0])
    with pytest.raises(ValueError, match="40 and 39"):
        fd.lstsq(D, np.ones(39))
    with pytest.raises(ValueError, match="rcond"):
        fd.null_space(D, -1)
    A[25, 1] = np.nan
    with pytest.raises(ValueError, match=r"begins with row 20: .* in row 5"):
        fd.matrix_rank(da.from_array(A, chunks=10)).compute()


def slow_block(seed, rows, n, r):
    time.sleep(0.1)
    rng = np.random.default_rng(1609)
    right = rng.standard_normal((r, n))
    return np.random.default_rng(seed).standard_normal((rows, r)) @ right


def test_a_worker_that_is_killed_takes_nothing_with_it():
    distributed = pytest.importorskip("distributed")
    rows, n, r, blocks = 2000, 20, 13, 30
    parts = [
        da.from_delayed(dask.delayed(slow_block)(1700 + i, rows, n, r), (rows, n), float)
        for i in range(blocks)
    ]
    A = da.concatenate(parts)
    b = A[:, :3].sum(axis=1)
    # A second death of the same task, by chance, is no reason to give up.
    patience = {"distributed.scheduler.allowed-failures": 10, "scheduler": None}
    with (
        dask.config.set(patience),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        answer = client.compute([*fd.lstsq(A, b)[:3], fd.null_space(A)])
        deadline = time.monotonic() + 30
        while not client.run_on_scheduler(_reduced) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not all(future.done() for future in answer)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        x, residues, rank, N = client.gather(answer)
        assert set(client.run(os.getpid).values()) != set(pids.values())
    whole = np.concatenate([slow_block(1700 + i, rows, n, r) for i in range(2)])
    wanted = fastsub.lstsq(whole, whole[:, :3].sum(axis=1))[0]
    assert rank == r
    assert residues.size == 0
    np.testing.assert_allclose(x, wanted, atol=1e-11)
    check_orthonormal(N)
    check_annihilates(whole, N)


def _reduced(dask_scheduler):
    """Blocks that are reduced by now."""
    return sum(
        task.state == "memory" and "_reduce" in str(task.key)
        for task in dask_scheduler.tasks.values()
    )
