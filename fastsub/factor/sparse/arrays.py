"""What users pass as a sparse matrix: read once, as compressed rows in double precision.

The factors of a sparse matrix are double whatever its dtype: single precision would save little of
what is indices anyway, and the rounding of double is far below a cutoff of single precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from fastsub.factor.arrays import Array, magnitude
from fastsub.factor.choose import is_dense

_KEPT = {"f": np.float32, "F": np.complex64}
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SparseInput:
    """A matrix as compressed rows, each entry once and none of them zero.

    Attributes
    ----------
    matrix : csr_array, shape (m, n)
        ``2**exponent`` times A, of magnitudes up to 1, float64 or complex128.
    exponent : int
    dtype : dtype
        Of the four: that of the answers.
    """

    matrix: csr_array
    exponent: int
    dtype: np.dtype[Any]


def read_sparse(A: Any, name: str = "A", *, check_finite: bool = True) -> SparseInput:
    """Return a `scipy.sparse` array or matrix, of any format, as compressed rows; A is only read.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        If it has another number of dimensions than 2, NaN or infinity, or 2^31 entries or more.
    """
    _check_kind(A, name)
    compressed = csr_array(A)
    if not compressed.has_canonical_format:
        # As toarray does it: in the dtype of A, where True and True is True.
        compressed = compressed.copy()
        compressed.sum_duplicates()
    if max(*A.shape, compressed.nnz) >= _LARGEST:
        raise ValueError(f"{name} has 2^31 rows, columns or entries, or more: too many")
    double = np.complex128 if A.dtype.kind == "c" else np.float64
    matrix = csr_array(
        (
            compressed.data.astype(double),
            compressed.indices.astype(np.intc),
            compressed.indptr.astype(np.intc),
        ),
        shape=A.shape,
    )
    if check_finite and not np.isfinite(matrix.data).all():
        e = int(np.flatnonzero(~np.isfinite(matrix.data))[0])
        where = int(np.searchsorted(matrix.indptr, e, side="right")) - 1, int(matrix.indices[e])
        raise ValueError(
            f"{name} must be finite, got {matrix.data[e]} at {where}; drop or impute such entries"
        )
    matrix.eliminate_zeros()
    exponent = 0
    if matrix.nnz:
        largest = magnitude(matrix.data.reshape(1, -1))
        exponent = -math.frexp(largest)[1] if math.isfinite(largest) else 0
        parts = (matrix.data.real, matrix.data.imag) if A.dtype.kind == "c" else (matrix.data,)
        with np.errstate(under="ignore"):
            for part in parts:
                np.ldexp(part, exponent, out=part)
        matrix.eliminate_zeros()
    return SparseInput(matrix, exponent, _dtype_of(A))


def as_dense(A: Any, name: str = "A") -> Array | None:
    """Return A as a dense array of the dtype of the answers, if that is the better way, else None.

    Raises
    ------
    TypeError, ValueError
        As `read_sparse`.
    """
    _check_kind(A, name)
    m, n = A.shape
    if not (is_dense(m, n, 0) or is_dense(m, n, A.nnz)):
        return None
    dense: Array = A.toarray()
    return dense.astype(_dtype_of(A), copy=False)


def _check_kind(A: Any, name: str) -> None:
    if A.ndim != 2:
        raise ValueError(f"{name} must be a matrix (2-d), got {A.ndim}-d of shape {A.shape}")
    if A.dtype.kind not in "biufc":
        raise TypeError(f"{name} must hold numbers, got dtype {A.dtype}")


def _dtype_of(A: Any) -> np.dtype[Any]:
    return np.dtype(_KEPT.get(A.dtype.char, np.complex128 if A.dtype.kind == "c" else np.float64))


def blocks_of(matrix: csr_array) -> tuple[int, Array, Array]:
    """Return how many connected blocks there are, and the label of each row and each column.

    Up to the order of rows and columns A is block-diagonal, and its singular values are those of
    the blocks. An empty row or column is a block.
    """
    m, n = matrix.shape
    # The graph whose vertices are the rows, then the columns, and whose edges are the entries.
    start = np.concatenate([matrix.indptr, np.full(n, matrix.indptr[-1], np.intc)])
    graph = csr_array(
        (np.ones(matrix.nnz, np.int8), matrix.indices + np.intc(m), start), shape=(m + n, m + n)
    )
    count, labels = connected_components(graph, directed=False)
    labels = labels.astype(np.intc)
    return int(count), labels[:m], labels[m:]


def by_label(labels: Array, count: int) -> list[Array]:
    """Return where each label stands, in ascending order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, count)))
