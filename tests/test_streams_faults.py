"""Streams of sources that are damaged, change, or end early; interrupted at any moment; options."""

import gc
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
from scipy import sparse

import fastsub

RNG = np.random.default_rng(2203)
A, B = RNG.standard_normal((3000, 5)), RNG.standard_normal(3000)
X = fastsub.lstsq(A, B)[0]


def blocks(size=250):
    return (A[i : i + size] for i in range(0, len(A), size))


def solves(source, b=B, **options):
    """Whether the stream of the source has the solution that memory has."""
    x = fastsub.lstsq(fastsub.stream(source, **options), b)[0]
    return x.shape == np.shape(b)[1:] or np.allclose(x, X, atol=1e-12)


def readers():
    """Threads that read and live; one whose start was interrupted is counted by Python for ever."""
    return sum(t.name == "fastsub-reader" and t.is_alive() for t in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = readers()
    yield
    for _ in range(100):
        if readers() <= before:
            return
        gc.collect()
        time.sleep(0.01)
    pytest.fail("a thread that reads is left")


# ---- what is no block, or no number ----


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([None], TypeError, "a block must be a matrix of rows.* got a NoneType"),
        ({1, 2}, TypeError, "a block must be a matrix of rows.* got a int"),
        ({"a": A}, TypeError, "holds things by name: pass one of them"),
        (lambda: 3, TypeError, "must return an iterable of blocks, got a int"),
        ([A[:2], np.ma.masked_greater(A, 2)], TypeError, "masked entries"),
        (np.ma.masked_greater(A, 2), TypeError, "masked entries"),
        ([A[:2], ["a"]], TypeError, "numbers"),
        ([A[:2], A[:2, :4]], ValueError, "4 columns .* had 5"),
        ([(A, B, B, B)], ValueError, "got 4 parts"),
        (np.zeros(9, dtype="M8[s]").reshape(3, 3), TypeError, "datetime64"),
    ],
)
def test_blocks_that_are_none(source, error, message):
    with pytest.raises(error, match=message):
        fastsub.matrix_rank(fastsub.stream(source))


def test_sparse_blocks_and_vectors():
    with pytest.raises(TypeError, match="csr_array"):
        fastsub.matrix_rank(fastsub.stream([sparse.csr_array(A)]))
    with pytest.raises(ValueError, match="2-d"):
        fastsub.matrix_rank(fastsub.stream([B]))


def test_lists_beside_the_rows():
    assert solves(A, list(B))
    assert solves(blocks, B.tolist(), weights=[2.0] * 3000)
    assert fastsub.lstsq(fastsub.stream(A), B[:, None].tolist())[0].shape == (5, 1)
    assert fastsub.lstsq(fastsub.stream(A), np.empty((3000, 0)))[0].shape == (5, 0)
    with pytest.raises(ValueError, match=r"one width, got shapes \(50, 2\) and \(70, 3\)"):
        fastsub.lstsq(fastsub.stream([A[:120]]), [np.ones((50, 2)), np.ones((70, 3))])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    module = pytest.importorskip(library)
    frame = module.DataFrame(dict(zip("abcde", A.T, strict=True)))
    s = fastsub.stream(frame)
    assert s.names == list("abcde")
    np.testing.assert_allclose(fastsub.lstsq(s, module.Series(B))[0], X, atol=1e-12)
    assert solves([frame[:1000], frame[1000:]])


@pytest.mark.parametrize("value", [None, "1000000", 0, -1, np.nan, np.inf])
def test_options(value, tmp_path):
    with pytest.raises(ValueError, match="max_memory must be a number of bytes"):
        fastsub.stream(A, max_memory=value)
    with pytest.raises(TypeError, match="progress must be a function"):
        fastsub.stream(A, progress=3)
    with pytest.raises(ValueError, match="checkpoint_every"):
        fastsub.stream(A, checkpoint_every=np.nan)
    for place in (tmp_path, tmp_path / "no" / "state.npz"):
        with pytest.raises(OSError, match="no checkpoint can be written"):
            fastsub.matrix_rank(fastsub.stream(A, checkpoint=place))
    assert list(tmp_path.iterdir()) == []


def test_weights_in_single_precision():
    single = A.astype(np.float32)
    for weight in (1e-200, 1e200):
        with pytest.raises(ValueError, match="weights of rows in single precision"):
            fastsub.matrix_rank(fastsub.stream(single, weights=np.full(3000, weight)))
    weighted = fastsub.stream(single, weights=np.full(3000, 1e-50))
    np.testing.assert_allclose(fastsub.lstsq(weighted, B.astype(np.float32))[0], X, atol=1e-4)
    huge = fastsub.stream(A * 1e200, weights=np.full(3000, 1e300))
    with pytest.raises(ValueError, match="X times the root of its weight must be finite"):
        fastsub.matrix_rank(huge)
    for ask in (fastsub.orth, lambda s: fastsub.fundamental_subspaces(s).column_space.project(B)):
        with pytest.raises(ValueError, match="rows with weights"):
            ask(fastsub.stream(A, weights=B**2))


# ---- files ----


def test_npy_files_that_are_damaged(tmp_path):
    file = tmp_path / "A.npy"
    with pytest.raises(FileNotFoundError, match="no such file"):
        fastsub.stream(file)
    np.save(file, A)
    sound = file.read_bytes()
    for content in (b"", b"hello" * 50, sound[:70_000]):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"A\.npy is not a whole \.npy file"):
            fastsub.stream(file)
    np.save(file, np.array([[1, None]]), allow_pickle=True)
    with pytest.raises(ValueError, match="not a whole"):
        fastsub.stream(file)


TABLES = {
    "1,2\n3,4\n5,7\n": None,
    "\ufeffa,b\r\n1,2\r\n3,4\r\n5,7": None,
    "\n\n# a comment\na,b\n1,2 # here too\n\n3,4\n\n5,7\n": None,
    '"a, b";"c"\n1;2\n3;4\n5;7\n': None,
    '"1","2"\n"3","4"\n"5","7"\n': None,
    " 1\t2 \n3\t4\n5\t7\n": None,
    "1,2\n3\n5,7\n": r"line 2: '3' is not a row of 2 numbers",
    "a,b,c\n1,2\n3,4\n": r"line 2: '1,2' is not a row of 3",
    "1,2\n\n3,x\n5,7\n": r"line 3: '3,x'",
    "1,2\n3,\n": r"line 2: '3,'",
    "1,nan\n": "must be finite, got nan in row 0",
    "1,NA\n2,3\n": r"line 1: '1,NA'",  # no line of names: one of its fields is a number
    "": "no block of rows",
}


@pytest.mark.parametrize("text", TABLES)
def test_tables_as_text(tmp_path, text):
    file = tmp_path / "t.csv"
    file.write_bytes(text.encode())
    if TABLES[text] is not None:
        with pytest.raises(ValueError, match=TABLES[text]):
            fastsub.matrix_rank(fastsub.stream(file))
        return
    R = fastsub.stream(file).reduce().result().R
    np.testing.assert_allclose(R.T @ R, [[35, 49], [49, 69]])


def test_tables_without_rows_and_of_other_text(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,b\n")
    assert fastsub.null_space(fastsub.stream(file)).shape == (2, 2)
    assert fastsub.lstsq(fastsub.stream(file), [])[0].tolist() == [0, 0]
    file.write_bytes("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"t\.csv is not UTF-8 text"):
        fastsub.stream(file)
    rows = [f"{i % 7},{i * i % 11},{i % 13}" for i in range(20000)]
    rows[19000] = "1,2"
    file.write_text("\n".join(rows))
    s = fastsub.stream(file, max_memory=400_000)
    with pytest.raises(ValueError, match="line 19001: '1,2'"):
        fastsub.matrix_rank(s)
    assert s.rows_done > 15000


def test_parquet_files(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "t.parquet"

    def written(columns, **options):
        parquet.write_table(arrow.table(columns), file, **options)
        return fastsub.stream(file)

    for bad in (["x", "y"], [[1], [2]], [None, None], arrow.array(["x", "y"]).dictionary_encode()):
        with pytest.raises(TypeError, match=r"column 'a' holds .*, not numbers"):
            written({"a": bad, "b": [1, 2]})
    for holes in ([1.0, None], [3, None], [True, None]):
        with pytest.raises(ValueError, match="must be finite, got nan in row 1"):
            fastsub.matrix_rank(written({"a": holes, "b": [1, 2]}))
    kinds = [arrow.decimal128(21, 2), arrow.bool_(), arrow.uint8(), arrow.float32()]
    wanted = [[2, 3], [3, 5]]
    for kind in kinds:
        a = arrow.array([1, 1], arrow.int64()).cast(kind)
        R = written({"a": a.dictionary_encode(), "b": [1, 2]}).reduce().result().R
        np.testing.assert_allclose(R.T @ R, wanted)
    s = written({"a": arrow.array([], arrow.float64()), "b": arrow.array([], arrow.int8())})
    assert (s.shape, fastsub.matrix_rank(s)) == ((0, 2), 0)
    columns = dict(zip("abcde", A.T, strict=True))
    written(columns, row_group_size=400, write_page_checksum=True)
    assert solves(file, max_memory=1 << 20)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    file.write_bytes(damaged)
    with pytest.raises(OSError, match="CRC"):
        fastsub.matrix_rank(fastsub.stream(file, max_memory=1 << 20))
    file.write_bytes(damaged[:-100])
    with pytest.raises(ValueError, match="not a whole Parquet file"):
        fastsub.stream(file)


def test_chunks_of_a_dataset_that_are_damaged(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        options = {"chunks": (300, 5), "compression": "gzip", "fletcher32": True}
        file.create_dataset("A", data=A, **options)
        file.create_dataset("none", data=h5py.Empty("f8"))
    content = bytearray((tmp_path / "t.h5").read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 50):
        content[place] ^= 0xFF
    (tmp_path / "t.h5").write_bytes(content)
    with h5py.File(tmp_path / "t.h5") as file:
        with pytest.raises(OSError, match="read data") as caught:
            fastsub.matrix_rank(fastsub.stream(file["A"], max_memory=360_000))
        assert "those before it" in caught.value.__notes__[0].replace("the rows", "those")
        with pytest.raises(TypeError, match="'A', 'none'"):
            fastsub.stream(file)
        with pytest.raises(TypeError, match="yields no rows"):
            fastsub.stream(file["none"])


# ---- what changes ----


def test_files_that_change_between_passes(tmp_path):
    file = tmp_path / "A.npy"
    for change in (A[:2000], 2 * A, None):
        np.save(file, A)
        s = fastsub.stream(file)
        assert fastsub.matrix_rank(s) == 5
        file.unlink()
        error, match = FileNotFoundError, "no such file"
        if change is not None:
            np.save(file, change)
            os.utime(file, (7, 7))
            error, match = ValueError, "changed since it was read first"
        for ask in (fastsub.orth, lambda s: fastsub.lstsq(s, B)):
            with pytest.raises(error, match=match):
                ask(s)
        assert fastsub.null_space(s).shape == (5, 0)  # what was read is known


def test_datasets_that_are_resized(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        data = file.create_dataset("A", data=A, maxshape=(None, 5), chunks=(100, 5))
        s, early = fastsub.stream(data), fastsub.stream(data)
        assert fastsub.matrix_rank(s) == 5
        data.resize((2000, 5))
        with pytest.raises(ValueError, match="changed since it was read first"):
            fastsub.lstsq(s, B)
        with pytest.raises(ValueError, match="3000 rows when the stream was made, and ends now"):
            fastsub.matrix_rank(early)


@pytest.mark.parametrize("second", [A[:2000], np.vstack([A, A]), A[:, :4], 2 * A, A[::-1]])
def test_functions_that_return_other_rows(second):
    questions = (
        fastsub.orth,
        lambda s: fastsub.lstsq(s, B),
        lambda s: fastsub.fundamental_subspaces(s).column_space.project(B),
    )
    for after in (1, 2):
        for ask in questions:
            left = iter([[A]] * after)
            s = fastsub.stream(lambda left=left: next(left, [second]))
            fastsub.matrix_rank(s)
            if after == 2 and ask is not questions[2]:
                ask(s)
            with pytest.raises(ValueError, match=r"yielded before|b has"):
                ask(s) if ask is not questions[1] else fastsub.lstsq(s, 2 * B)


# ---- interrupted ----


def interrupted(action, seconds):
    """Return what `action` does; None if a KeyboardInterrupt struck it after so many seconds."""
    armed, answer = [True], None

    def strike(*_):
        if armed:
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, strike)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            answer = action()
        finally:
            armed.clear()  # who runs the tests is not to be struck
    except KeyboardInterrupt:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    return answer


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt")
@pytest.mark.parametrize("kind", ["generator", "function", "file"])
# Python's own open() may be struck, and leave a file to the garbage collector, or a finalizer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_at_any_moment(kind, tmp_path):
    """No block is lost, none is counted twice."""
    np.save(tmp_path / "A.npy", A)
    waits = np.random.default_rng(2207).uniform(1e-4, 3e-3, 1000)
    strikes = 0
    for _ in range(3):
        sources = {"generator": blocks(20), "function": lambda: blocks(20)}
        s = fastsub.stream(sources.get(kind, tmp_path / "A.npy"), max_memory=360_000)
        answer = None
        for wait in waits:
            answer = interrupted(lambda s=s: s.reduce().result(), wait)
            if answer is not None:
                break
            strikes += 1
        assert answer is not None
        assert answer.shape == (3000, 5)
        np.testing.assert_allclose(answer.R.T @ answer.R, A.T @ A, rtol=1e-12, atol=1e-10)
    assert strikes > 2
    gc.collect()


def test_resumed_beside_other_things(tmp_path):
    """The last row that was reduced, and what was beside it, are read again."""
    file = tmp_path / "state.npz"

    def stop(done, total):
        if done >= 1000:
            raise KeyboardInterrupt

    def sides(scale=1.0):
        return (scale * B[i : i + 70] for i in range(0, 3000, 70))

    with pytest.raises(KeyboardInterrupt):
        fastsub.lstsq(fastsub.stream(blocks, checkpoint=file, progress=stop), sides())
    for b, source in ((sides(2.0), blocks), (sides(), lambda: [A[:500]])):
        with pytest.raises(ValueError, match="row 999 of the source, or what is beside it"):
            fastsub.lstsq(fastsub.stream(source, checkpoint=file), b)
    s = fastsub.stream(blocks, checkpoint=file)
    np.testing.assert_allclose(fastsub.lstsq(s, sides())[0], X, atol=1e-12)
    # A generator beside the rows goes on as they do.
    given, limits = sides(), iter([700, 1900])
    limit = next(limits)

    def twice(done, total):
        nonlocal limit
        if done >= limit:
            limit = next(limits, 1 << 40)
            raise KeyboardInterrupt

    s = fastsub.stream(blocks, progress=twice)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fastsub.lstsq(s, given)
    np.testing.assert_allclose(fastsub.lstsq(s, given)[0], X, atol=1e-12)


def test_tables_are_resumed_where_they_were_left(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = dict(zip("abcde", np.round(A, 3).T, strict=True))
    parquet.write_table(arrow.table(columns), tmp_path / "A.parquet", row_group_size=170)
    np.savetxt(tmp_path / "A.csv", np.round(A, 3), delimiter=",", fmt="%.3f", header="a,b,c,d,e")
    for name in ("A.parquet", "A.csv"):
        file = tmp_path / (name + ".npz")

        def stop(done, total):
            if done >= 1000:
                raise KeyboardInterrupt

        options = {"checkpoint": file, "max_memory": 370_000}
        with pytest.raises(KeyboardInterrupt):
            fastsub.matrix_rank(fastsub.stream(tmp_path / name, progress=stop, **options))
        seen = []
        s = fastsub.stream(
            tmp_path / name, progress=lambda d, _, seen=seen: seen.append(d), **options
        )
        R = s.reduce().result().R
        assert seen[0] > 1000
        assert s.rows_done == 3000
        np.testing.assert_allclose(R.T @ R, np.round(A, 3).T @ np.round(A, 3), rtol=1e-9, atol=1e-9)


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    s = fastsub.stream(blocks, checkpoint=tmp_path / "state.npz", checkpoint_every=0)
    with pytest.warns(RuntimeWarning, match="could not be written .*No space.* rows that are done"):
        assert fastsub.matrix_rank(s) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_generator_that_nobody_asks_any_more():
    """Its thread, which waits for a slot, ends with the stream (see the fixture)."""

    def stop(done, total):
        raise KeyboardInterrupt

    s = fastsub.stream(blocks(), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        fastsub.matrix_rank(s)
    del s


# ---- reducers by hand ----


def test_reducers_that_do_not_fit():
    reducer = fastsub.Reducer().partial_fit(A, B)
    before = reducer.result().solve()
    wrong = [
        (TypeError, lambda: reducer.merge(3)),
        (ValueError, lambda: reducer.merge(fastsub.Reducer().partial_fit(A))),
        (ValueError, lambda: reducer.partial_fit(A, B[:, None])),
        (ValueError, lambda: reducer.partial_fit(A, B, -np.ones(3000))),
        (ValueError, lambda: reducer.partial_fit(np.where(A > 3, np.inf, A), B)),
        (ValueError, lambda: reducer.result(np.nan)),
        (ValueError, lambda: fastsub.Reducer.from_arrays({"R": A})),
    ]
    for error, call in wrong:
        with pytest.raises(error):
            call()
        assert reducer.rows == 3000
        np.testing.assert_array_equal(reducer.result().solve(), before)
    empty = fastsub.Reducer().merge(fastsub.Reducer())
    assert empty.merge(reducer).rows == 3000
    assert reducer.merge(fastsub.Reducer()).rows == 3000
    assert fastsub.Reducer().partial_fit(A[:0], B[:0]).merge(reducer).result().rank == 5
    again = pickle.loads(pickle.dumps(reducer)).merge(reducer)
    assert again.rows == 6000
    np.testing.assert_allclose(again.result().solve(), X, atol=1e-13)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reducer.result())).solve(), before)
