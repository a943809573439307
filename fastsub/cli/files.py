"""Matrices from files: one short reader a format, one clear line when a file is no matrix.

Nothing is ever unpickled: an array of Python objects is refused, whatever the format.
"""

from __future__ import annotations

import gzip
import io
import warnings
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import scipy.io
import scipy.sparse

from fastsub.cli.delimited import DELIMITERS, header, read_cells, read_delimited
from fastsub.cli.errors import InputError
from fastsub.cli.memory import check_memory, dense
from fastsub.cli.parquet import parquet_names, read_parquet
from fastsub.cli.stdin import spooled
from fastsub.data import as_sparse_arrays

Array = np.ndarray[Any, Any]

# Entries up to which a sparse matrix is made dense in any case, and those for each nonzero one from
# which it is left as it is; bytes that its elimination takes for a row or column, and for an entry.
_SMALL, _SPARSE, _LINE, _ENTRY = 1 << 18, 10, 200, 150


def read_matrix(
    path: str | Path, name: str | None = None, kind: str | None = None, *, sparse: bool = False
) -> Any:
    """Read a matrix from a file.

    Parameters
    ----------
    path : path
        A ``.npy``, ``.npz``, ``.csv``, ``.tsv``, ``.mtx``, ``.mtx.gz``, ``.mat`` or ``.parquet``
        file; ``-`` for standard input.
    name : str, optional
        Which array of a ``.npz`` or ``.mat`` file that holds several.
    kind : str, optional
        The suffix that says what the file is, instead of its own.
    sparse : bool
        Leave large sparse matrices as they are.

    Returns
    -------
    ndarray or csr_array, shape (m, n)
        Finite numbers, in the dtype of the file. Sparse matrices are made dense without `sparse`.

    Raises
    ------
    InputError
        If the file cannot be read or is not a matrix of finite numbers. One line says why.
    """
    array: Any = _read(Path(path), name, "--key", kind, sparse)
    if array.ndim == 1:
        raise InputError(
            f"{path}: a vector of {array.size} numbers, not a matrix; save it as a column "
            "with x.reshape(-1, 1) or as a row with x.reshape(1, -1)"
        )
    return array


def read_right_hand_side(
    path: str | Path, name: str | None = None, kind: str | None = None
) -> Array:
    """Read the right-hand side(s) b of A x = b: ``read_matrix``, but a vector will do.

    Returns
    -------
    ndarray, shape (m,) or (m, k)
    """
    array: Array = _read(Path(path), name, "--key-b", kind)
    return array


def read_names(path: str | Path, kind: str | None = None) -> list[str] | None:
    """Return the names of the columns, where the file has them."""
    path = located(Path(path), kind)
    suffix = kind or path.suffix.lower()
    if suffix == ".parquet":
        return parquet_names(path)
    delimiter = DELIMITERS.get(suffix)
    return None if delimiter is None else header(path, delimiter)


def read_exactly(
    path: str | Path, name: str | None = None, kind: str | None = None, *, sparse: bool = False
) -> tuple[Any, bool]:
    """Return a matrix for exact arithmetic, and whether it was written in decimals.

    Of a table of text the cells themselves, strings such as ``"1/3"`` or ``"0.1"``; else
    `read_matrix`.
    """
    file = located(Path(path), kind)
    suffix = kind or file.suffix.lower()
    if suffix not in DELIMITERS or not file.is_file():
        A = read_matrix(path, name, kind, sparse=sparse)
        return A, suffix in (".mtx", ".gz", ".mtx.gz")
    try:
        return read_cells(file, DELIMITERS[suffix]), True
    except InputError as error:
        raise _in_words_of(path, file, error) from None


def located(path: Path, kind: str | None = None) -> Path:
    """Return where the bytes are: standard input lies in a temporary file."""
    return spooled(kind) if str(path) == "-" else path


def _in_words_of(path: str | Path, file: Path, error: InputError) -> InputError:
    """Return an error about a file under the name that the user gave it."""
    return InputError(str(error).replace(str(file), str(path)))


def _read(
    given: Path, name: str | None, option: str, kind: str | None, sparse: bool = False
) -> Any:
    """Read an array of one or two dimensions; ``option`` is how the user gives ``name``."""
    path = located(given, kind)
    try:
        matrix = _read_file(path, name, option, kind)
        if scipy.sparse.issparse(matrix):
            matrix = _checked(path, matrix, sparse)
        _check_numbers(path, matrix)
        return matrix
    except InputError as error:
        raise _in_words_of(given, path, error) from error.__cause__


def _read_file(path: Path, name: str | None, option: str, kind: str | None) -> Any:
    suffix = kind or next((s for s in _READERS if path.name.lower().endswith(s)), None)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a directory, not a matrix file")
        empty = path.stat().st_size == 0
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if suffix is None:
        what = f"unknown kind of file {path.suffix!r}" if path.suffix else "a name without a suffix"
        raise InputError(f"{path}: {what}; known are {' '.join(_READERS)}, or say --format")
    if empty:
        raise InputError(f"{path}: the file is empty")
    if name is not None and suffix not in (".npz", ".mat"):
        raise InputError(f"{path}: {suffix} files hold one matrix without a name; drop {option}")

    def choose(names: Collection[str]) -> str:
        """Return the name of the array to read."""
        if name in names and name is not None:
            return name
        if not names:
            raise InputError(f"{path}: holds no array")
        if name is None and len(names) == 1:
            return next(iter(names))
        listed = ", ".join(sorted(names)[:20]) + (", ..." if len(names) > 20 else "")
        if name is None:
            raise InputError(f"{path}: holds {len(names)} arrays; choose with {option}: {listed}")
        raise InputError(f"{path}: has no array {name!r}; it has: {listed}")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised, as an InputError
            matrix = _READERS[suffix](path, choose)
            if scipy.sparse.issparse(matrix) and matrix.format in ("csr", "csc", "bsr"):
                matrix.check_format()  # a damaged file may hold any indices
            return matrix
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{path}: does not fit into the memory of this machine") from error
    except Exception as error:  # damaged bytes make a reader raise anything: KeyError, zlib.error
        raise InputError(f"{path}: not a readable {suffix} file ({error})") from error


def _checked(path: Path, matrix: Any, sparse: bool) -> Any:
    """Return a sparse matrix as compressed rows or, if it is small or not to be sparse, dense."""
    m, n = map(int, matrix.shape)
    if not sparse or m * n <= _SMALL or _SPARSE * matrix.nnz > m * n:
        return dense(matrix, str(path))
    check_memory(path, matrix, _LINE * (m + n) + _ENTRY * matrix.nnz, "sparse")
    return scipy.sparse.csr_array(matrix)


def _check_numbers(path: Path, array: Any) -> None:
    """Raise InputError unless ``array`` holds finite numbers in one or two dimensions."""
    if array.dtype.kind not in "biufc":
        raise InputError(f"{path}: holds values of type {array.dtype}, not numbers")
    if array.ndim not in (1, 2):
        raise InputError(f"{path}: an array of {array.ndim} dimensions, not a matrix")
    if scipy.sparse.issparse(array):
        entries = array.tocoo()
        bad = np.flatnonzero(~np.isfinite(entries.data))
        if bad.size:
            row, column = int(entries.row[bad[0]]), int(entries.col[bad[0]])
            raise InputError(
                f"{path}: row {row + 1}, column {column + 1} (counted from 1) is "
                f"{entries.data[bad[0]]}"
            )
        return
    finite = np.isfinite(array)
    if not finite.all():
        first = np.argwhere(~finite)[0]
        axes = ("row", "column") if array.ndim == 2 else ("entry",)
        where = ", ".join(f"{axis} {at + 1}" for axis, at in zip(axes, first, strict=True))
        raise InputError(f"{path}: {where} (counted from 1) is {array[tuple(first)]}")


Choose = Callable[[Collection[str]], str]


def _read_npy(path: Path, choose: Choose) -> Array:
    with path.open("rb") as stream:
        if stream.read(6) != b"\x93NUMPY":
            raise InputError(f"{path}: not a .npy file (it does not begin as one)")
        stream.seek(0)
        try:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
        except ValueError as error:
            _explain_objects(path, error)


def _read_npz(path: Path, choose: Choose) -> Any:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not a .npz file (not a zip archive, or cut short)")
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        if {"format", "shape", "data"} <= set(arrays.files):  # scipy.sparse.save_npz
            return scipy.sparse.load_npz(path)
        name = choose(arrays.files)
        try:
            array = arrays[name]
        except ValueError as error:
            _explain_objects(path, error)
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: {name!r} is not an array")
    return array


def _read_mtx(path: Path, choose: Choose) -> Any:
    text = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        text = gzip.decompress(text)
    # SciPy's reader (1.17) runs past the end, and may crash, where a zero byte or the end of the
    # text comes within a line.
    if b"\0" in text:
        raise InputError(f"{path}: not a MatrixMarket file: it holds zero bytes")
    return scipy.io.mmread(io.BytesIO(text + b"\n"), **as_sparse_arrays(scipy.io.mmread))


def _read_mat(path: Path, choose: Choose) -> Any:
    try:
        contents = {name: kind for name, _, kind in scipy.io.whosmat(str(path))}
    except NotImplementedError as error:
        raise InputError(
            f"{path}: a MATLAB v7.3 file (HDF5), which is not read; save it with -v7 instead"
        ) from error
    name = choose([name for name in contents if not name.startswith("__")])
    kind = contents[name]
    if kind in ("cell", "struct", "object", "char", "function", "opaque", "unknown"):
        raise InputError(f"{path}: {name} is a MATLAB {kind}, not a numeric matrix")
    options = as_sparse_arrays(scipy.io.loadmat)
    return scipy.io.loadmat(str(path), variable_names=[name], **options)[name]


_READERS: dict[str, Callable[[Path, Choose], Any]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": lambda path, _: read_delimited(path, ","),
    ".tsv": lambda path, _: read_delimited(path, "\t"),
    ".mtx": _read_mtx,
    ".mtx.gz": _read_mtx,
    ".mat": _read_mat,
    ".parquet": lambda path, _: read_parquet(path),
}


SUFFIXES = tuple(_READERS)


def _explain_objects(path: Path, error: ValueError) -> NoReturn:
    """Raise ``error``, in our words if NumPy refused to unpickle."""
    if "allow_pickle" in str(error):
        raise InputError(f"{path}: holds Python objects, which are never unpickled") from error
    raise error
