"""Streams: answers as in memory, whatever the blocks; interrupted, resumed, too small, damaged."""

import itertools
import os
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_least_squares_accuracy import karlson_walden

import fastsub
from fastsub.streams.prefetch import Prefetch
from fastsub.streams.units import Units
from fastsub.testing import check_annihilates, check_orthonormal

DTYPES = ["float32", "float64", "complex64", "complex128"]


def matrix(seed, m, n, r, dtype="float64"):
    """Random, of rank r."""
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal(shape) for shape in ((m, r), (r, n))]
    if np.dtype(dtype).kind == "c":
        parts = [part + 1j * rng.standard_normal(part.shape) for part in parts]
    return (parts[0] @ parts[1]).astype(dtype)


def cut(A, sizes):
    """Blocks of these sizes, again and again, until A ends."""
    row, sizes = 0, itertools.cycle(sizes)
    while row < len(A):
        count = next(sizes)
        yield A[row : row + count]
        row += count


@given(
    st.integers(0, 400),
    st.integers(1, 24),
    st.data(),
    st.sampled_from(DTYPES),
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
)
def test_any_chunking_gives_the_answers_of_memory(m, n, data, dtype, sizes):
    r = data.draw(st.integers(0, min(m, n)))
    A = matrix(3107 + m, m, n, r, dtype)
    b = matrix(3, m, 2, 2, dtype)
    s = fastsub.stream(lambda: cut(A, sizes) if m else [A])
    rank, certificate = fastsub.matrix_rank(s, full_output=True)
    sigma = np.linalg.svd(A.astype(np.result_type(dtype, float)), compute_uv=False)
    assert rank == r
    assert certificate.sigma_next_upper >= (sigma[r] if r < sigma.size else 0)
    if r:
        assert certificate.sigma_r_lower <= sigma[r - 1]
    N = fastsub.null_space(s)
    check_orthonormal(N)
    check_annihilates(A, N)
    both = np.hstack([N, fastsub.row_space(s)])
    check_orthonormal(both)
    assert both.shape == (n, n)
    x, residues, rank, _ = fastsub.lstsq(s, b)
    wanted = fastsub.lstsq(A, b)
    assert rank == r
    assert x.dtype == wanted[0].dtype
    eps = np.finfo(dtype).eps
    kappa = sigma[0] / sigma[r - 1] if r else 1
    scale = np.abs(wanted[0]).max(initial=0) + (np.abs(b).max(initial=0) / sigma[r - 1] if r else 0)
    assert np.abs(x - wanted[0]).max(initial=0) <= 1e3 * eps * kappa * scale
    assert residues.shape == wanted[1].shape
    np.testing.assert_allclose(residues, wanted[1], rtol=1e4 * eps, atol=1e3 * eps * m)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "r"), [(6, 6), (30, 30), (30, 17)])
def test_merging_in_any_tree(dtype, n, r):
    A, b = matrix(271, 3000, n, r, dtype), matrix(272, 3000, 1, 1, dtype)[:, 0]
    parts = [
        fastsub.Reducer().partial_fit(X, y)
        for X, y in zip(cut(A, [1, 700, 3]), cut(b, [1, 700, 3]), strict=True)
    ]
    forward, backward = fastsub.Reducer(), fastsub.Reducer()
    for part in parts:
        forward.merge(part)
    for part in reversed(parts):
        backward.merge(part)
    once = fastsub.Reducer().partial_fit(A, b)
    results = [reducer.result() for reducer in (forward, backward, once)]
    assert [result.rank for result in results] == [r] * 3
    for result in results:
        assert result.shape == (3000, n)
        G = result.R.conj().T @ result.R
        wanted = A.conj().T @ A
        assert np.abs(G - wanted).max() <= 200 * np.finfo(dtype).eps * np.abs(wanted).max()
        x = result.solve()
        gradient = A.conj().T @ (b - A @ x)
        assert np.linalg.norm(gradient) <= 300 * np.finfo(dtype).eps * np.linalg.norm(
            A
        ) * np.linalg.norm(b)
    again = fastsub.Reducer()
    for part in parts:
        again.merge(part)
    np.testing.assert_array_equal(again.result().R, forward.result().R)


def test_a_reducer_survives_pickle_and_arrays():
    import pickle

    A = matrix(811, 900, 5, 5)
    reducer = fastsub.Reducer().partial_fit(A[:400])
    copies = [
        pickle.loads(pickle.dumps(reducer)),
        fastsub.Reducer.from_arrays(reducer.to_arrays()),
    ]
    reducer.partial_fit(A[400:])
    for copy in copies:
        copy.partial_fit(A[400:])
        np.testing.assert_array_equal(copy.result().R, reducer.result().R)
    assert fastsub.Reducer.from_arrays(fastsub.Reducer().to_arrays()).rows == 0


def dependent(rng, kind, m, n, dtype):
    """Columns that depend on one another in one of several ways, and their rank."""
    A = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal((m, n))
    if kind == "nearly":
        A = A * np.geomspace(1, np.finfo(dtype).eps ** 0.55, n)
        return (A @ np.linalg.qr(rng.standard_normal((n, n)))[0]).astype(dtype), None
    if kind == "scaled":
        A[:, 1] = A[:, 0] + 1e3 * np.finfo(dtype).eps * A[:, 1]
        return (A * 10.0 ** rng.integers(-4, 5, n)).astype(dtype), None
    if kind == "twice":
        A[:, n // 2 :] = A[:, : n - n // 2]
        return A.astype(dtype), n // 2
    if kind == "zero":
        A[:, [2, 5]] = 0
        return A.astype(dtype), n - 2
    if kind == "sums":
        A[:, -3:] = A[:, :3] - 3 * A[:, 3:6]
        return A.astype(dtype), n - 3
    A = np.round(4 * A.real) @ np.round(2 * rng.standard_normal((n, n // 3))) @ np.ones((n // 3, n))
    return A.astype(dtype), 1


KINDS = ["nearly", "scaled", "twice", "zero", "sums", "integers"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_dependent_columns_take_gram_matrices_too(kind, dtype):
    """In coordinates of the rows before: as accurate as Householder QR, column by column."""
    rng = np.random.default_rng(3571)
    n = 24 if np.dtype(dtype).kind == "f" else 12
    A, rank = dependent(rng, kind, 16000, n, dtype)
    b = rng.standard_normal((16000, 2)).astype(dtype)
    reducer = fastsub.Reducer()
    for X, y in zip(cut(A, [1000]), cut(b, [1000]), strict=True):
        reducer.partial_fit(X, y)
    state, result = reducer.to_arrays(), reducer.result()
    assert "order" in state
    assert state["numbers"][1] > 5  # Gram matrices of blocks, added up
    assert state["numbers"][0] == 16000
    wide = np.result_type(dtype, np.float64)
    R, exponents = result.own
    assert not exponents.any()
    A, R = A.astype(wide), R.astype(wide)
    lengths = np.linalg.norm(A, axis=0)
    np.testing.assert_array_equal(lengths == 0, np.linalg.norm(R, axis=0) == 0)
    lengths[lengths == 0] = 1
    # R^H R is that of columns which have changed by the margin of their lengths.
    G = (A / lengths).conj().T @ (A / lengths)
    H = (R / lengths).conj().T @ (R / lengths)
    assert np.abs(G - H).max() <= 2 * result.margin
    sigma = np.linalg.svd(A, compute_uv=False)
    certificate = result.certificate
    if rank is None:
        rank = int((sigma > certificate.tol).sum())
        assert abs(np.log2(sigma / certificate.tol)).min() > 0.1
    assert result.rank == rank
    assert certificate.sigma_r_lower <= sigma[rank - 1]
    assert certificate.sigma_next_upper >= (sigma[rank] if rank < n else 0)
    assert certificate.decided_by == "bounds" or kind in ("nearly", "scaled")
    x = result.solve()
    for j in range(2):
        householder = karlson_walden(A, b[:, j], fastsub.lstsq(A.astype(dtype), b[:, j])[0])
        error = karlson_walden(A, b[:, j], x[:, j])
        assert error <= 10 * max(householder, np.finfo(dtype).eps / 10)


def test_coordinates_survive_arrays_and_changes_of_the_data():
    rng = np.random.default_rng(3583)
    A, _ = dependent(rng, "sums", 9000, 10, "float64")
    reducer = fastsub.Reducer()
    for X in cut(A[:8000], [1000]):
        reducer.partial_fit(X)
    again = fastsub.Reducer.from_arrays(reducer.to_arrays())
    for each in (reducer, again):
        each.partial_fit(A[8000:])
    np.testing.assert_array_equal(again.result().R, reducer.result().R)
    # What was dependent is so no more: other coordinates, the same accuracy.
    B = 1e-3 * rng.standard_normal((30000, 10))
    for X in cut(B, [1000]):
        reducer.partial_fit(X)
    result = reducer.result()
    assert result.rank == 10
    whole = np.vstack([A, B])
    sigma = np.linalg.svd(whole, compute_uv=False)
    found = np.linalg.svd(result.R, compute_uv=False)
    assert np.abs(found - sigma).max() <= result.margin * np.linalg.norm(whole)
    complex_too = again.partial_fit(1j * A[:2000])
    assert complex_too.result().rank == 7
    nan = A[:2000].copy()
    nan[1234, 7] = np.nan
    with pytest.raises(ValueError, match="row 13000"):
        again.partial_fit(A[:1000]).partial_fit(nan[234:])


@pytest.mark.parametrize("fast", [True, False])
def test_the_two_ways_of_a_block_have_the_accuracy_of_householder(fast):
    """By Gram matrix where the columns are independent by far, by QR elsewhere."""
    rng = np.random.default_rng(977)
    A = rng.standard_normal((20000, 40))
    if not fast:
        A[:, 1] = A[:, 0] + 1e-9 * A[:, 1]
    b = A @ rng.standard_normal(40) + rng.standard_normal(20000)
    rows = 20000 if fast else 500
    state = fastsub.Reducer()
    for X, y in zip(cut(A, [rows]), cut(b, [rows]), strict=True):
        state.partial_fit(X, y)
    assert (state.to_arrays()["numbers"][-1] > 0) == fast
    x = state.result().solve()
    error = karlson_walden(A, b, x)
    Q, R = np.linalg.qr(A)
    householder = karlson_walden(A, b, np.linalg.solve(R, Q.T @ b))
    assert error <= 10 * max(householder, np.finfo(float).eps / 10)


@pytest.mark.parametrize("powers", [(300, 300), (-300, -300), (300, -300), (-300, 300)])
def test_scales_beyond_squares(powers):
    A = matrix(59, 600, 4, 4)
    A[:300] *= 10.0 ** powers[0]
    A[300:] *= 10.0 ** powers[1]
    b = matrix(60, 600, 1, 1)[:, 0] * 1e-200
    s = fastsub.stream([A[:50], A[50:300], A[300:]])
    x = fastsub.lstsq(s, b)[0]
    wanted = fastsub.lstsq(A, b)[0]
    np.testing.assert_allclose(x, wanted, rtol=1e-9, atol=0)
    columns = matrix(61, 400, 3, 3) * np.array([1e300, 1.0, 1e-300])
    found = fastsub.identifiability(fastsub.stream(list(cut(columns, [70]))))
    assert found.rank == 3
    np.testing.assert_allclose(found.vif, fastsub.identifiability(columns).vif, rtol=1e-10)


def test_weights_pairs_and_integers():
    rng = np.random.default_rng(7001)
    A, b = rng.integers(-5, 6, (500, 4)), rng.integers(-9, 10, (500, 2))
    w = rng.integers(0, 4, 500)
    repeated = np.repeat(A, w, axis=0), np.repeat(b, w, axis=0)
    wanted = fastsub.lstsq(*repeated)
    for s, rhs in (
        (fastsub.stream(A, weights=w), b),
        (fastsub.stream([(A[:99], b[:99], w[:99]), (A[99:], b[99:], w[99:])]), None),
        (fastsub.stream(list(cut(A, [77])), weights=w), list(cut(b, [50]))),
    ):
        x, residues, rank, _ = fastsub.lstsq(s, rhs)
        np.testing.assert_allclose(x, wanted[0], rtol=1e-12)
        np.testing.assert_allclose(residues, wanted[1], rtol=1e-12)
        assert rank == 4


@pytest.mark.parametrize("order", ["C", "F"])
def test_files_are_read_where_they_lie(tmp_path, order):
    A, b = matrix(87, 1500, 6, 4), matrix(88, 1500, 1, 1)[:, 0]
    np.save(tmp_path / "A.npy", np.array(A, order=order))
    np.save(tmp_path / "b.npy", b.astype(">f8"))
    wanted = fastsub.lstsq(A, b)[0]
    mapped = np.load(tmp_path / "A.npy", mmap_mode="r")
    for source in (tmp_path / "A.npy", str(tmp_path / "A.npy"), mapped):
        s = fastsub.stream(source, max_memory=1 << 20)
        np.testing.assert_allclose(fastsub.lstsq(s, tmp_path / "b.npy")[0], wanted, atol=1e-13)
    part = fastsub.stream(mapped[200:900])
    check_annihilates(A[200:900], fastsub.null_space(part))
    assert part.shape == (700, 6)
    assert part.rows_done == 700


def test_formats(tmp_path):
    A = matrix(401, 700, 5, 3)
    N = fastsub.null_space(A)

    def agrees(source):
        V = fastsub.null_space(fastsub.stream(source, max_memory=1 << 20))
        np.testing.assert_allclose(V @ V.T, N @ N.T, atol=1e-12)

    np.savetxt(tmp_path / "A.csv", A, delimiter=",", header="a,b,c,d,e", comments="", fmt="%.17g")
    agrees(tmp_path / "A.csv")
    assert fastsub.stream(tmp_path / "A.csv").names == list("abcde")
    np.savetxt(tmp_path / "A.tsv", A, delimiter="\t", fmt="%.17g")
    agrees(tmp_path / "A.tsv")
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "A.h5", "w") as file:
        agrees(file.create_dataset("A", data=A, chunks=(64, 5)))
    zarr = pytest.importorskip("zarr")
    agrees(zarr.array(A, chunks=(100, 2)))
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table(dict(zip("abcde", A.T, strict=True)))
    parquet.write_table(table, tmp_path / "A.parquet", row_group_size=150)
    agrees(tmp_path / "A.parquet")
    assert fastsub.stream(tmp_path / "A.parquet").names == list("abcde")


# ---- more than one pass ----


def test_orth_takes_a_second_pass(tmp_path):
    A = matrix(517, 4000, 9, 6) @ np.diag(10.0 ** -np.arange(9))
    s = fastsub.stream(lambda: cut(A, [900, 17]))
    Q, certificate = fastsub.orth(s, full_output=True)
    assert Q.shape == (4000, certificate.rank) == (4000, 6)
    check_orthonormal(Q)
    assert np.linalg.norm(A - Q @ (Q.T @ A)) <= 1e-14 * np.linalg.norm(A)
    written = fastsub.orth(fastsub.stream(A), out=tmp_path / "Q.npy")
    np.testing.assert_allclose(np.load(tmp_path / "Q.npy"), written)
    check_orthonormal(np.asarray(written))
    with pytest.raises(MemoryError, match=r"1,920,000 bytes.*out="):
        fastsub.orth(fastsub.stream([A] * 10, max_memory=1_900_000))
    with pytest.raises(ValueError, match=r"shape \(4000, 6\)"):
        fastsub.orth(s, out=np.empty((4000, 7)))


def test_four_subspaces():
    A = matrix(619, 800, 7, 4)
    b = matrix(620, 800, 2, 2)
    F = fastsub.fundamental_subspaces(fastsub.stream(list(cut(A, [90]))))
    G = fastsub.fundamental_subspaces(A)
    assert (F.rank, F.nullity, F.shape) == (4, 3, (800, 7))
    assert F.null_space == G.null_space
    assert F.row_space == G.row_space
    column_space, _, _, left = F
    np.testing.assert_allclose(column_space.project(b), G.column_space.project(b), atol=1e-12)
    np.testing.assert_allclose(left.project(b), G.left_null_space.project(b), atol=1e-12)
    np.testing.assert_allclose(column_space.distance(b), G.column_space.distance(b))
    np.testing.assert_allclose(left.distance(b), G.left_null_space.distance(b))
    assert A[:, 0] in column_space
    assert b[:, 0] not in column_space
    assert left.project(b) in left
    assert (column_space.dim, left.dim) == (4, 796)
    with pytest.raises(MemoryError, match="800, 796"):
        _ = left.basis
    np.testing.assert_allclose(F.solve(b), G.solve(b), atol=1e-13)


@pytest.mark.parametrize("intercept", [False, True])
def test_identifiability_and_rref(intercept):
    rng = np.random.default_rng(733)
    X = rng.standard_normal((600, 5)) + 10
    X[:, 3] = 2 * X[:, 0] - X[:, 1] + (3 if intercept else 0)
    s = fastsub.stream(list(cut(X, [111])))
    names = list("abcde")
    found = fastsub.identifiability(s, names, intercept=intercept)
    wanted = fastsub.identifiability(X, names, intercept=intercept)
    assert found.drop == wanted.drop == ["d"]
    assert found.relations[0].coefficients.keys() == wanted.relations[0].coefficients.keys()
    assert found.identified.tolist() == wanted.identified.tolist()
    np.testing.assert_allclose(found.vif, wanted.vif, rtol=1e-9)
    assert abs(found.relations[0].constant - (3 if intercept else 0)) <= 1e-11
    if not intercept:
        E = fastsub.rref(s)
        np.testing.assert_allclose(E.R[:4], fastsub.rref(X).R[:4], atol=1e-12)
        assert E.pivots == (0, 1, 2, 4)
        assert E.certificate.rank == 4


# ---- what goes wrong ----


def test_a_nan_is_named_by_its_row():
    A = matrix(9, 40000, 12, 12)
    A[37123, 5] = np.nan
    for sizes in ([40000], [7], [5000]):
        with pytest.raises(ValueError, match="X must be finite, got nan in row 37123"):
            fastsub.matrix_rank(fastsub.stream(list(cut(A, sizes))))
    with pytest.raises(ValueError, match="y must be finite, got inf in row 3"):
        fastsub.Reducer().partial_fit(np.eye(4), [1, 2, 3, np.inf])
    reducer = fastsub.Reducer().partial_fit(A[:5000])
    before = reducer.to_arrays()
    with pytest.raises(ValueError, match="row 37123"):
        reducer.partial_fit(A[5000:])
    for name, array in reducer.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_memory_that_is_too_small():
    with pytest.raises(MemoryError, match=r"max_memory=1,000,000 .* triangle of 300"):
        fastsub.matrix_rank(fastsub.stream(np.ones((1000, 300)), max_memory=1_000_000))
    blocks = [np.ones((100_000, 3))]
    with pytest.raises(MemoryError, match=r"blocks of 100000 rows.*smaller blocks"):
        fastsub.matrix_rank(fastsub.stream(blocks, max_memory=1_000_000))
    with pytest.raises(ValueError, match="max_memory"):
        fastsub.stream(blocks, max_memory=0)


def test_a_generator_is_read_once():
    A = matrix(113, 300, 4, 3)
    s = fastsub.stream(block for block in cut(A, [70]))
    assert fastsub.matrix_rank(s) == 3
    check_annihilates(A, fastsub.null_space(s))  # what was read is remembered
    for again in (fastsub.orth, lambda s: fastsub.lstsq(s, np.ones(300))):
        with pytest.raises(ValueError, match="a function that returns a new one"):
            again(s)


class BrokenOffError(Exception):
    """In place of Ctrl-C, at a given block."""


def failing(A, size, at):
    for number, block in enumerate(cut(A, [size])):
        if number == at:
            raise BrokenOffError
        yield block


@pytest.mark.parametrize("kind", ["function", "array"])
def test_interrupted_and_resumed(tmp_path, kind):
    A, b = matrix(127, 3000, 6, 6), matrix(128, 3000, 1, 1)[:, 0]
    file = tmp_path / "state.npz"
    seen = []

    def stop(done, total):
        seen.append(done)
        if done >= 1400:
            raise KeyboardInterrupt

    def source():
        return A if kind == "array" else lambda: cut(A, [250])

    options = {"checkpoint": file, "max_memory": 1 << 20}
    s = fastsub.stream(source(), progress=stop, **options)
    with pytest.raises(KeyboardInterrupt):
        fastsub.lstsq(s, b)
    assert file.exists()
    done = s.rows_done
    assert 1400 <= done == seen[-1]
    # Another process goes on; the same stream does, too.
    other = fastsub.stream(source(), progress=lambda d, _: seen.append(d), **options)
    x = fastsub.lstsq(other, b)[0]
    assert other.rows_done == 3000
    assert min(seen[seen.index(done) + 1 :], default=3000) > done
    once = fastsub.lstsq(fastsub.stream(source(), max_memory=1 << 20), b)[0]
    np.testing.assert_array_equal(x, once)
    np.testing.assert_allclose(x, fastsub.lstsq(A, b)[0], rtol=1e-11)


def test_a_generator_that_was_interrupted_goes_on():
    A = matrix(129, 3000, 5, 5)
    stops = iter([600, 1700])
    limit = next(stops)

    def stop(done, _):
        nonlocal limit
        if done >= limit:
            limit = next(stops, 1 << 40)
            raise KeyboardInterrupt

    s = fastsub.stream((block for block in cut(A, [100])), progress=stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fastsub.matrix_rank(s)
    assert fastsub.matrix_rank(s) == 5
    R = s.reduce().result().R
    np.testing.assert_allclose(R.T @ R, A.T @ A, rtol=1e-10, atol=1e-9)


def test_a_block_that_fails_keeps_what_was_read(tmp_path):
    A = matrix(131, 2000, 4, 4)
    file = tmp_path / "state.npz"
    s = fastsub.stream(lambda: failing(A, 300, 4), checkpoint=file)
    with pytest.raises(BrokenOffError):
        fastsub.matrix_rank(s)
    assert s.rows_done == 1200
    other = fastsub.stream(lambda: cut(A, [300]), checkpoint=file)
    assert fastsub.matrix_rank(other) == 4
    assert other.rows_done == 2000
    with pytest.raises(ValueError, match="a generator yields its rows once"):
        fastsub.matrix_rank(fastsub.stream(cut(A, [300]), checkpoint=file))


def test_a_short_file_and_blocks_that_do_not_fit(tmp_path):
    A = matrix(137, 2000, 4, 4)
    np.save(tmp_path / "A.npy", A)
    s = fastsub.stream(tmp_path / "A.npy", max_memory=800_000, checkpoint=tmp_path / "c.npz")
    os.truncate(tmp_path / "A.npy", 50_000)
    with pytest.raises(ValueError, match=r"A\.npy ends in the block that begins with row"):
        fastsub.matrix_rank(s)
    blocks = [np.ones((3, 2)), np.ones((3, 3))]
    with pytest.raises(ValueError, match=r"3 columns .* had 2"):
        fastsub.matrix_rank(fastsub.stream(blocks))
    for b in (np.ones(5), [np.ones(3)], [np.ones(9)]):
        with pytest.raises(ValueError, match=r"b has|b must"):
            fastsub.lstsq(fastsub.stream([np.ones((3, 2)), np.ones((3, 2))]), b)
    with pytest.raises(ValueError, match="6 rows"):
        fastsub.lstsq(fastsub.stream(np.ones((6, 2))), np.ones(5))
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(ValueError, match=r"bad.csv, line 3: '3' is not a row of 2 numbers"):
        fastsub.matrix_rank(fastsub.stream(tmp_path / "bad.csv"))


def test_checkpoints_that_are_damaged_or_foreign(tmp_path):
    A = matrix(139, 900, 4, 4)
    file = tmp_path / "state.npz"
    fastsub.matrix_rank(fastsub.stream(A, checkpoint=file))
    sound, refused = file.read_bytes(), []
    assert fastsub.stream(A, checkpoint=file).reduce().rows == 900
    for place in range(0, len(sound), len(sound) // 7):
        broken = bytearray(sound)
        broken[place] ^= 0xFF
        file.write_bytes(broken)
        # A byte may carry nothing, as a time of the archive; what carries something is refused.
        try:
            R = fastsub.stream(A, checkpoint=file).reduce().result().R
        except ValueError as error:
            refused.append(str(error))
            continue
        np.testing.assert_array_equal(R, fastsub.stream(A).reduce().result().R)
    assert len(refused) >= 3
    assert all("the checkpoint" in message for message in refused)
    file.write_bytes(sound[:-100])
    with pytest.raises(ValueError, match="cannot be read"):
        fastsub.matrix_rank(fastsub.stream(A, checkpoint=file))
    file.write_bytes(sound)
    with pytest.raises(ValueError, match="another source"):
        fastsub.matrix_rank(fastsub.stream(A[:, :3], checkpoint=file))
    with pytest.raises(ValueError, match="row 0 of the source"):
        fastsub.matrix_rank(fastsub.stream(A[::-1], checkpoint=file))
    with pytest.raises(ValueError, match="another source"):
        fastsub.lstsq(fastsub.stream(A, checkpoint=file), np.ones(900))


def test_what_is_no_stream():
    from scipy import sparse

    with pytest.raises(TypeError, match="yields no rows"):
        fastsub.stream(5)
    with pytest.raises(TypeError, match="no blocks of dense rows"):
        fastsub.stream(sparse.eye_array(3))
    with pytest.raises(ValueError, match="vector"):
        fastsub.stream(np.ones(3))
    with pytest.raises(TypeError, match="A is read in blocks: use matrix_rank"):
        fastsub.left_null_space(fastsub.stream(np.eye(2)))
    with pytest.raises(ValueError, match="no block of rows"):
        fastsub.matrix_rank(fastsub.stream([]))
    with pytest.raises(TypeError, match="path"):
        fastsub.stream("rows.h5")
    with pytest.raises(TypeError, match="out is for streams"):
        fastsub.orth(np.eye(2), out="Q.npy")


@pytest.mark.parametrize("kind", [None, "sums"])
def test_threads_that_read_change_no_bit(tmp_path, monkeypatch, kind):
    rng = np.random.default_rng(149)
    A, b = rng.standard_normal((30000, 20)), rng.standard_normal(30000)
    if kind:
        A, _ = dependent(rng, kind, 60000, 20, "float64")
        b = rng.standard_normal(60000)
    np.save(tmp_path / "A.npy", A)
    answers = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", threads)
        s = fastsub.stream(tmp_path / "A.npy")
        answers.append(fastsub.lstsq(s, b)[0])
        assert s.reduce().to_arrays()["numbers"][1] > 1  # several Gram matrices
    np.testing.assert_array_equal(*answers)
    np.testing.assert_allclose(answers[0], fastsub.lstsq(A, b)[0], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "complex128", ">f8", "int16"])
def test_units_of_files(tmp_path, dtype, order, monkeypatch):
    """Read in pieces and multiplied there, in the dtype of A and b; read again where QR is due."""
    rng = np.random.default_rng(151)
    A = rng.standard_normal((24000, 24)) * 30
    A = (A + 1j * A[::-1] if dtype == "complex128" else A).astype(dtype)
    b = A @ np.ones(24) + rng.standard_normal(24000)
    if dtype == "int16":
        A[:12000, 0] = A[:12000, 1]  # the first units depend, those after do not
    np.save(tmp_path / "A.npy", np.array(A, order=order))
    units = []
    load = Units.load
    monkeypatch.setattr(Units, "load", lambda *given: units.append(load(*given)) or units[-1])
    s = fastsub.stream(tmp_path / "A.npy", max_memory=3 << 20)
    x, residues, rank, _ = fastsub.lstsq(s, b)
    assert len(units) > 8
    assert any(unit.gram is not None for unit in units)
    wanted = fastsub.lstsq(A, b)
    assert rank == 24
    assert x.dtype == wanted[0].dtype == np.result_type(A.dtype.newbyteorder("="), b, np.float32)
    np.testing.assert_allclose(x, wanted[0], rtol=1e-9)
    np.testing.assert_allclose(residues, wanted[1], rtol=1e-9)
    V = fastsub.stream(tmp_path / "A.npy", max_memory=3 << 20).reduce().result()
    assert V.dtype == fastsub.null_space(A).dtype
    R = V.R.astype(np.result_type(V.dtype, np.float64))
    G = A.astype(R.dtype).conj().T @ A.astype(R.dtype)
    assert np.abs(R.conj().T @ R - G).max() <= 100 * np.finfo(V.dtype).eps * np.abs(G).max()


def test_items_come_in_order_from_several_threads():
    def load(number):
        time.sleep(1e-3 * (number % 3))
        if number == 50:
            raise BrokenOffError
        return number**2

    ahead = Prefetch(iter(range(80)), 5, load, 3)
    for number in range(50):
        assert ahead.get(number) == ahead.get(number) == number**2
    for _ in range(2):
        with pytest.raises(BrokenOffError):
            ahead.get(50)
    ahead.close()
    ended = Prefetch(iter([]), 2, load, 2)
    assert ended.get(0) is None
