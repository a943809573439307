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
    with pytest.raises(ValueError, match="3-d"):
        fd.lstsq(D, np.ones((40, 1, 1)))
    with pytest.raises(ValueError, match="2-d"):
        fd.null_space(D[0])
    with pytest.raises(ValueError, match="40 and 39"):
        fd.lstsq(D, np.ones(39))
    with pytest.raises(ValueError, match="rcond"):
        fd.null_space(D, -1)
    A[25, 1] = np.nan
    with pytest.raises(ValueError, match=r"begins with row 20: .* in row 5"):
        fd.matrix_rank(da.from_array(A, chunks=10)).compute()


def unknown(x, chunks):
    """The same rows in blocks whose sizes dask does not know."""
    D = da.from_array(x, chunks=chunks)
    return D[(D if D.ndim == 1 else D[:, 0]) > -100]


def test_blocks_of_unknown_sizes():
    A, b = matrix(1531, 300, 6, 4), matrix(1532, 300, 1, 1)[:, 0]
    wanted = fastsub.lstsq(A, b)[0]
    for chunks in ((70, 6), (70, 4)):
        D = unknown(A, chunks)
        assert np.isnan(D.shape[0])
        x = fd.lstsq(D, unknown(b, 70))[0].compute()
        np.testing.assert_allclose(x, wanted, atol=1e-12)
        assert fd.orth(D).compute().shape == (300, 4)
        for other in (b, unknown(b, 90)):
            with pytest.raises(ValueError, match=r"unknown sizes.*compute_chunk_sizes"):
                fd.lstsq(D, other)
        F = fd.fundamental_subspaces(D)
        np.testing.assert_allclose(F.solve(b), wanted, atol=1e-12)
        assert np.isnan(D.shape[0])


def test_empty_blocks_and_blocks_of_one_row():
    A, b = matrix(1541, 60, 5, 5), matrix(1542, 60, 1, 1)[:, 0]
    D = da.from_array(A, chunks=(1, 2))
    D = da.concatenate([D[:0], D[:20], D[20:20], D[20:]])
    x, Q = dask.compute(fd.lstsq(D, b.tolist())[0], fd.orth(D))
    np.testing.assert_allclose(x, fastsub.lstsq(A, b)[0], atol=1e-12)
    check_orthonormal(Q)
    for m, n in ((0, 4), (4, 0), (0, 0)):
        none = da.ones((7, 7), chunks=3)[:m, :n]
        assert fd.matrix_rank(none).compute() == 0
        assert fd.null_space(none).compute().shape == (n, n)
        assert fd.orth(none).compute().shape == (m, 0)
        assert fd.lstsq(none, np.ones(m))[0].compute().tolist() == [0] * n


def test_blocks_that_are_not_what_the_array_says():
    D = da.from_array(matrix(1543, 100, 5, 5), chunks=(30, 5))
    for wrong in (lambda X: X[:, :4], lambda X: X[:7]):
        with pytest.raises(ValueError, match=r"block \d.* has shape .* its dask array says"):
            fd.matrix_rank(D.map_blocks(wrong, dtype=float)).compute()
    from scipy import sparse

    with pytest.raises(TypeError, match="csr_array"):
        fd.matrix_rank(D.map_blocks(sparse.csr_array)).compute()
    masked = da.from_array(np.ma.masked_greater(matrix(1544, 9, 2, 2), 1), chunks=4, asarray=False)
    with pytest.raises(TypeError, match="masked"):
        fd.matrix_rank(masked).compute()
    with pytest.raises(ZeroDivisionError):
        fd.matrix_rank(D.map_blocks(lambda X: 1 / 0, dtype=float)).compute()


def test_the_same_input_gives_the_same_keys():
    A = matrix(1549, 100, 5, 4)

    def keys(rcond=None):
        D = da.from_array(A, chunks=(30, 3))
        found = [fd.null_space(D, rcond), fd.row_space(D, rcond), fd.orth(D, rcond)]
        (x, residues, rank, _), proof = fd.lstsq(D, np.ones(100), rcond, full_output=True)
        return [each.__dask_keys__() for each in (*found, x, residues, rank, proof)]

    assert keys() == keys()
    assert all(one != other for one, other in zip(keys(), keys(1e-3), strict=True))
    D = da.from_array(A, chunks=(30, 3))
    Q, x = dask.persist(fd.orth(D), fd.lstsq(D, np.ones(100))[0])
    (optimised,) = dask.optimize(fd.orth(D))
    np.testing.assert_array_equal(Q.compute(), optimised.compute())
    answers = [dask.compute(Q, x, scheduler=name) for name in ("synchronous", "threads")]
    np.testing.assert_array_equal(answers[0][1], answers[1][1])


def test_no_task_holds_more_than_a_block(monkeypatch):
    """Of the results that exist at a time, too: the basis is summed up block by block."""
    from dask.callbacks import Callback

    rows, n, count = 500, 10, 24
    sizes, together = [], []

    class Watch(Callback):
        def _posttask(self, key, value, graph, state, worker):
            sizes.append(getattr(value, "nbytes", 0))
            together.append(sum(getattr(each, "nbytes", 0) for each in state["cache"].values()))

    def block(block_info=None):
        seed = block_info[None]["chunk-location"][0]
        return np.random.default_rng(seed).standard_normal((rows, n))

    A = da.map_blocks(block, chunks=((rows,) * count, (n,)), dtype=float, meta=np.empty((0, 0)))
    with Watch():
        total, x = dask.compute((fd.orth(A) ** 2).sum(), fd.lstsq(A, np.ones(rows * count))[0])
    assert abs(total - n) < 1e-12
    assert x.shape == (n,)
    assert max(sizes) <= rows * n * 8
    assert max(together) <= 3 * rows * n * 8 + rows * count * 8


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
        task.state == "memory" and "reduce_block" in str(task.key)
        for task in dask_scheduler.tasks.values()
    )
