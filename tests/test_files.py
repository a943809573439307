"""Matrices from files: every format comes back equal, every bad file gets one line, none runs."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from fastsub.cli import files
from fastsub.cli.errors import InputError
from fastsub.cli.files import read_matrix, read_right_hand_side
from fastsub.cli.output import check_output, write_array
from fastsub.data import ecoli_core

RNG = np.random.default_rng(1931)
A = RNG.standard_normal((6, 4)) * (RNG.random((6, 4)) < 0.7)


class Bomb:
    """Creates a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def npy_bytes(A) -> bytes:
    stream = io.BytesIO()
    np.save(stream, A)
    return stream.getvalue()


def write_mtx_gz(path: Path, matrix) -> None:
    plain = path.with_suffix("")
    scipy.io.mmwrite(plain, matrix)
    path.write_bytes(gzip.compress(plain.read_bytes()))


WRITERS = {
    "a.npy": lambda path, A: np.save(path, A),
    "A.NPY": lambda path, A: path.write_bytes(npy_bytes(A)),
    "fortran.npy": lambda path, A: np.save(path, np.asfortranarray(A)),
    "swapped.npy": lambda path, A: np.save(path, A.astype(A.dtype.newbyteorder())),
    "a.npz": lambda path, A: np.savez(path, A),
    "compressed.npz": lambda path, A: np.savez_compressed(path, A=A),
    "sparse.npz": lambda path, A: scipy.sparse.save_npz(path, scipy.sparse.csr_array(A)),
    "a.csv": lambda path, A: np.savetxt(path, A, delimiter=","),
    "header.csv": lambda path, A: np.savetxt(
        path, A, delimiter=",", header='a,"b, c",d,e', comments=""
    ),
    "comment.csv": lambda path, A: np.savetxt(path, A, delimiter=",", header="a,b,c,d"),
    "mark.csv": lambda path, A: np.savetxt(path, A, delimiter=",", encoding="utf-8-sig"),
    "a.tsv": lambda path, A: np.savetxt(path, A, delimiter="\t", header="a\tb\tc\td", comments=""),
    "a.mtx": lambda path, A: scipy.io.mmwrite(path, scipy.sparse.coo_array(A), precision=17),
    "dense.mtx": lambda path, A: scipy.io.mmwrite(path, A, precision=17),
    "a.mtx.gz": lambda path, A: write_mtx_gz(path, scipy.sparse.coo_array(A)),
    "a.mat": lambda path, A: scipy.io.savemat(path, {"A": A}),
    "old.mat": lambda path, A: scipy.io.savemat(path, {"A": A}, format="4"),
    "sparse.mat": lambda path, A: scipy.io.savemat(path, {"A": scipy.sparse.csc_matrix(A)}),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_round_trip(tmp_path, name, dtype):
    expected = A.astype(dtype) * (1 + 2j if dtype == "complex128" else 1)
    WRITERS[name](tmp_path / name, expected)
    read = read_matrix(tmp_path / name)
    assert read.shape == A.shape
    assert read.dtype.newbyteorder("=") == dtype
    np.testing.assert_allclose(read, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "bool", "float32", "complex64"])
def test_the_dtype_is_that_of_the_file(tmp_path, dtype):
    np.save(tmp_path / "a.npy", A.astype(dtype))
    assert read_matrix(tmp_path / "a.npy").dtype == dtype


@pytest.mark.parametrize("field", ["integer", "pattern"])
def test_matrix_market_fields(tmp_path, field):
    S = scipy.sparse.coo_array((A != 0).astype(int))
    scipy.io.mmwrite(tmp_path / "a.mtx", S, field=field)
    np.testing.assert_array_equal(read_matrix(tmp_path / "a.mtx"), A != 0)


def test_one_row_or_column_of_text_is_a_matrix(tmp_path):
    (tmp_path / "row.csv").write_text("1,2,3\n")
    (tmp_path / "column.csv").write_text("b\n1\n\n2\n")
    assert read_matrix(tmp_path / "row.csv").shape == (1, 3)
    assert read_matrix(tmp_path / "column.csv").shape == (2, 1)


def test_arrays_are_chosen_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", A=A, B=A[:2])
    scipy.io.savemat(tmp_path / "a.mat", {"A": A, "B": A[:2]})
    for name in ("a.npz", "a.mat"):
        np.testing.assert_array_equal(read_matrix(tmp_path / name, "B"), A[:2])
        with pytest.raises(InputError, match=r"2 arrays; choose with --key: A, B"):
            read_matrix(tmp_path / name)
        with pytest.raises(InputError, match=r"--key-b"):
            read_right_hand_side(tmp_path / name)
        with pytest.raises(InputError, match=r"no array 'C'; it has: A, B"):
            read_matrix(tmp_path / name, "C")
    np.save(tmp_path / "a.npy", A)
    with pytest.raises(InputError, match=r"drop --key"):
        read_matrix(tmp_path / "a.npy", "A")


def test_a_vector_is_a_right_hand_side_only(tmp_path):
    np.save(tmp_path / "b.npy", A[:, 0])
    assert read_right_hand_side(tmp_path / "b.npy").shape == (6,)
    with pytest.raises(InputError, match=r"reshape\(-1, 1\)"):
        read_matrix(tmp_path / "b.npy")


def test_the_bundled_matrix():
    S = ecoli_core()
    assert S.shape == (72, 95)
    assert np.linalg.matrix_rank(S) == 67


TEXTS = {
    "bad.csv": ("a,b\n1,2\n3,x7\n", r"line 3, field 2: 'x7' is not a number"),
    "quoted.csv": ('"a\nb",c\n1,2\n3,"x\ny"\n', r"line 5, field 2: 'x\\ny' is not a number"),
    "mixed.csv": ("a,2\n1,2\n", r"line 1, field 1: 'a' is not a number"),
    "hole.csv": ("1,2\n\n3,\n", r"line 3, field 2: empty"),
    "underscore.csv": ("1,2\n3,1_0\n", r"line 2, field 2: '1_0'"),
    "ragged.csv": ("a,b\n1,2\n3\n", r"line 3 has 1 fields; the lines above have 2"),
    "nan.csv": ("1,2\n3,nan\n", r"row 2, column 2 \(counted from 1\) is nan"),
    "inf.tsv": ("1\t-inf\n", r"row 1, column 2 \(counted from 1\) is -inf"),
    "names.csv": (",a,b\nx,1,2\n", r"line 1, field 1 is empty, as above a column of row names"),
    "rownames.csv": ("id,a\nx,1\n", r"line 2, field 1: 'x'"),
    "header.csv": ("a,b\n", r"line 1 holds no numbers, and no row follows it"),
    "blank.csv": ("\n\n# nothing\n", r"holds no numbers"),
    "word.npy": ("hello, world", r"not a \.npy file"),
    "word.npz": ("hello, world", r"not a \.npz file"),
    "word.mtx": ("hello, world", r"not a readable \.mtx file"),
    "word.mtx.gz": ("hello, world", r"not a readable \.mtx\.gz file"),
    "word.mat": ("hello, world" * 50, r"not a readable \.mat file"),
    "zero.mtx": ("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\0\n", r"zero bytes"),
    "outside.mtx": (
        "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1.0\n",
        r"not a readable \.mtx file",
    ),
    "huge.mtx": (
        "%%MatrixMarket matrix coordinate real general\n10000000 10000000 1\n1 1 1.0\n",
        r"10000000 x 10000000 as a dense matrix needs 800000000000000 bytes \(8e\+05 GB\)",
    ),
    "a.txt": ("1,2\n", r"unknown kind of file '\.txt'; known are \.npy \.npz \.csv"),
    "matrix": ("1,2\n", r"without a suffix"),
    **{f"empty{suffix}": ("", r"the file is empty") for suffix in files.SUFFIXES},
}


@pytest.mark.parametrize("name", TEXTS)
def test_bad_text(tmp_path, name):
    content, message = TEXTS[name]
    (tmp_path / name).write_text(content, newline="")
    with pytest.raises(InputError, match=message) as caught:
        read_matrix(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


ARRAYS = {
    "string": (np.array([["a"]]), r"type <U1, not numbers"),
    "date": (np.array([["2020-02-02"]], "M8[D]"), r"not numbers"),
    "record": (np.zeros((2, 2), [("x", float)]), r"not numbers"),
    "cube": (np.zeros((2, 2, 2)), r"3 dimensions, not a matrix"),
    "scalar": (np.float64(3), r"0 dimensions, not a matrix"),
    "nan": (np.array([[1.0, 2], [np.nan, 4]]), r"row 2, column 1 \(counted from 1\) is nan"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_no_matrices(tmp_path, name):
    array, message = ARRAYS[name]
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", a=array)
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        with pytest.raises(InputError, match=message):
            read_matrix(path)


def test_matlab_contents_that_are_no_matrices(tmp_path):
    contents = {"cell": np.array([[1, "a"]], object), "struct": {"a": 1}, "char": "text"}
    for kind, value in contents.items():
        scipy.io.savemat(tmp_path / "a.mat", {"A": value})
        with pytest.raises(InputError, match=f"A is a MATLAB {kind}, not a numeric matrix"):
            read_matrix(tmp_path / "a.mat")
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(header.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=r"v7\.3"):
        read_matrix(tmp_path / "new.mat")


def test_nothing_is_unpickled(tmp_path):
    bomb = np.array([[Bomb(tmp_path / "exploded")]])
    np.save(tmp_path / "a.npy", bomb, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=bomb)
    (tmp_path / "raw.npy").write_bytes(bomb.dumps())
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("a", bomb.dumps())
    for name in ("a.npy", "a.npz"):
        with pytest.raises(InputError, match=r"Python objects, which are never unpickled"):
            read_matrix(tmp_path / name)
    for name in ("raw.npy", "raw.npz"):
        with pytest.raises(InputError, match=r"not a"):
            read_matrix(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_missing_directory_unreadable(tmp_path):
    with pytest.raises(InputError, match=r"No such file"):
        read_matrix(tmp_path / "missing.npy")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(InputError, match=r"is a directory"):
        read_matrix(tmp_path / "folder.npy")
    np.save(tmp_path / "a.npy", A)
    (tmp_path / "a.npy").chmod(0)
    if not os.access(tmp_path / "a.npy", os.R_OK):  # root may read anything
        with pytest.raises(InputError, match=r"Permission denied"):
            read_matrix(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.mtx", "a.mtx.gz", "a.mat"])
def test_damage_gets_an_error_or_a_matrix(tmp_path, name):
    """Cut short or with one byte changed, a file is refused, or read; nothing else is raised."""
    path = tmp_path / name
    WRITERS[name](path, A)
    whole = path.read_bytes()
    rng = np.random.default_rng(20)
    damaged = [whole[:length] for length in range(0, len(whole), max(1, len(whole) // 60))]
    for position in rng.integers(len(whole), size=60):
        damaged.append(whole[:position] + rng.bytes(1) + whole[position + 1 :])
    for content in damaged:
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            assert np.isfinite(read_matrix(path)).all()


def test_sparse_indices_are_checked(tmp_path):
    S = scipy.sparse.csc_matrix(A)
    S.indices[0] = 2**20
    scipy.io.savemat(tmp_path / "a.mat", {"A": S})
    with pytest.raises(InputError, match=r"not a readable \.mat file"):
        read_matrix(tmp_path / "a.mat")


def test_writing(tmp_path):
    path = tmp_path / "x.npy"
    check_output(path, force=False)
    write_array(path, A, force=False)
    np.testing.assert_array_equal(read_matrix(path), A)
    for refuse in (check_output, lambda path, force: write_array(path, A, force)):
        with pytest.raises(InputError, match="exists"):
            refuse(path, force=False)
        refuse(path, force=True)
    with pytest.raises(InputError, match=r"ends in \.npy"):
        check_output(tmp_path / "x.csv", force=False)
    with pytest.raises(InputError, match=r"no such directory"):
        check_output(tmp_path / "no" / "x.npy", force=False)
