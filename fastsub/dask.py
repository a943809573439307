r"""The row side, the rank and least squares of dask arrays: blocks of rows reduced on the workers.

    X_1 ... X_8   X_9 ... X_16            one triangle a block of rows (factor/rows/tsqr.py),
      \  |  /       \  |  /               eight of them merged to one, and so on:
        R             R                   no worker ever holds more than a block and a few
          \         /                     triangles
               R  ->  rank, null space, x

Everything is lazy: what a function returns is a dask array, of unknown length where the rank is
one, or a Delayed. A worker that dies takes nothing with it that its neighbours do not make again.

This module is `fastsub.dask`; needs the extra ``dask``.

References
----------
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastsub.extras import load
from fastsub.factor.arrays import Array, as_array, check_tolerance
from fastsub.factor.gram import gram_matrix
from fastsub.factor.products import product
from fastsub.streams.range import cholesky_of, to_orthonormal
from fastsub.streams.reduced import Reduced
from fastsub.streams.reducer import Reducer
from fastsub.streams.subspaces import StreamedSubspaces

# What is lazy has no types that a checker could follow.
da: Any = load("dask.array", "dask", "fastsub.dask needs")
delayed: Any = load("dask", "dask", "fastsub.dask needs").delayed

__all__ = ["fundamental_subspaces", "lstsq", "matrix_rank", "null_space", "orth", "row_space"]

# Triangles that one task merges.
_FAN = 8


def matrix_rank(A: Any, tol: Any = None, *, rtol: Any = None, full_output: bool = False) -> Any:
    """Return the rank, a dask array of no dimension; with `full_output` the certificate too.

    Parameters
    ----------
    A : dask array, shape (m, n)
        Of any chunks: where columns are split, rows are gathered to blocks of no more bytes.
    tol, rtol : float, optional
        As for `fastsub.matrix_rank`; not both.
    full_output : bool, default False
        Return ``(rank, certificate)``, the certificate a Delayed.

    Raises
    ------
    TypeError
        If A is no dask array.
    ValueError
        A tolerance that is negative or NaN. When computed: NaN or infinity in A.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastsub.dask
    >>> fastsub.dask.matrix_rank(da.ones((1000, 3), chunks=(100, 2))).compute()
    1
    """
    if tol is not None and rtol is not None:
        raise ValueError("give tol or rtol, not both")
    tol, rtol = check_tolerance(tol, "tol"), check_tolerance(rtol, "rtol")
    result = _result(_triangle(_rows(A, "A")), rtol, tol)
    rank = da.from_delayed(result.rank, (), np.intp)
    return (rank, result.certificate) if full_output else rank


def null_space(A: Any, rcond: float | None = None, *, full_output: bool = False) -> Any:
    """Return an orthonormal basis of the null space, a dask array (n, n - rank) of one chunk.

    Parameters
    ----------
    A : dask array, shape (m, n)
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.
    full_output : bool, default False
        Return ``(N, certificate)``, the certificate a Delayed.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastsub.dask
    >>> fastsub.dask.null_space(da.ones((1000, 3), chunks=100)).compute().shape
    (3, 2)
    """
    return _basis(A, rcond, "null_space", full_output)


def row_space(A: Any, rcond: float | None = None, *, full_output: bool = False) -> Any:
    """Return an orthonormal basis of the row space, a dask array (n, rank) of one chunk.

    Parameters
    ----------
    A, rcond, full_output
        As for `null_space`.
    """
    return _basis(A, rcond, "row_space", full_output)


def orth(A: Any, rcond: float | None = None, *, full_output: bool = False) -> Any:
    """Return an orthonormal basis of the column space, a dask array (m, rank) in blocks of rows.

    A is read twice: for its triangle, then for the basis, which one step of Cholesky QR makes
    orthonormal to rounding.

    Parameters
    ----------
    A, rcond, full_output
        As for `null_space`.
    """
    A = _rows(A, "A")
    result = _result(_triangle(A), check_tolerance(rcond, "rcond"), None)
    transform = delayed(to_orthonormal)(result)
    blocks = A.to_delayed()[:, 0].tolist()
    nearly = [delayed(_times)(block, transform) for block in blocks]
    G = _fold([delayed(gram_matrix)(Y) for Y in nearly], _sum)
    K = delayed(cholesky_of)(G)
    dtype = _working(A)
    parts = [
        da.from_delayed(delayed(_divide)(Y, K), (rows, math.nan), dtype)
        for Y, rows in zip(nearly, A.chunks[0], strict=True)
    ]
    Q = da.concatenate(parts, axis=0, allow_unknown_chunksizes=True)
    return (Q, result.certificate) if full_output else Q


def lstsq(a: Any, b: Any, cond: float | None = None, *, full_output: bool = False) -> Any:
    """Return the least-squares solution of minimum norm, whatever the rank.

    Parameters
    ----------
    a : dask array, shape (m, n)
    b : dask array or array_like, shape (m,) or (m, k)
    cond : float, optional
        Singular values above ``cond`` times the largest count; ``eps * max(m, n)`` by default.
    full_output : bool, default False
        Return ``(x, residues, rank, s), certificate``, the certificate a Delayed.

    Returns
    -------
    x : dask array, shape (n,) or (n, k)
    residues : dask array
        Squared norms of ``b - a @ x``; empty unless m > n = rank.
    rank : dask array of no dimension
    s : None

    See Also
    --------
    dask.array.linalg.lstsq : the same for independent columns in blocks of rows.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastsub.dask
    >>> x, residues, rank, s = fastsub.dask.lstsq(da.ones((1000, 2), chunks=100), da.ones(1000))
    >>> x.compute().round(12), rank.compute()
    (array([0.5, 0.5]), 1)
    """
    a = _rows(a, "a")
    if not isinstance(b, da.Array):
        b = da.from_array(as_array(b, "b"), chunks=-1)
    if b.ndim not in (1, 2):
        raise ValueError(f"b must be a vector or a matrix, got {b.ndim}-d")
    if not (math.isnan(a.shape[0]) or math.isnan(b.shape[0])):
        if a.shape[0] != b.shape[0]:
            raise ValueError(
                f"a and b must have the same number of rows, got {a.shape[0]} and {b.shape[0]}"
            )
        b = b.rechunk((a.chunks[0], *((-1,) if b.ndim == 2 else ())))
    result = _result(_triangle(a, b), check_tolerance(cond, "cond"), None)
    dtype = np.result_type(_working(a), _working(b))
    x = da.from_delayed(result.solve(), (a.shape[1], *b.shape[1:]), dtype)
    real = np.empty(0, dtype).real.dtype
    residues = da.from_delayed(delayed(_at_least_1d)(result.residues), (math.nan,), real)
    rank = da.from_delayed(result.rank, (), np.intp)
    answer = x, residues, rank, None
    return (answer, result.solution_certificate()) if full_output else answer


def fundamental_subspaces(A: Any, rtol: float | None = None) -> StreamedSubspaces:
    """Return the four subspaces; nothing is computed before something is asked of them.

    Parameters
    ----------
    A : dask array, shape (m, n)
    rtol : float, optional
        As `rcond` of `null_space`.

    Returns
    -------
    StreamedSubspaces
        Row space and null space as `Subspace`; column space and left null space implicit, for
        projections, distances and membership.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastsub.dask
    >>> F = fastsub.dask.fundamental_subspaces(da.ones((1000, 3), chunks=100))
    >>> F.rank, F.left_null_space.dim
    (1, 999)
    """
    return StreamedSubspaces(_Distributed(_rows(A, "A")), check_tolerance(rtol, "rtol"))


class _Distributed:
    """A dask array as what `StreamedSubspaces` asks of a stream."""

    def __init__(self, A: Any) -> None:
        self._A = A
        self._own: Reducer | None = None

    def reduce(self, b: Any = None) -> Reducer:
        if b is None:
            if self._own is None:
                self._own = _triangle(self._A).compute()
            return self._own
        b = da.from_array(as_array(b, "b"), chunks=(self._A.chunks[0], *(-1,) * (np.ndim(b) - 1)))
        reducer: Reducer = _triangle(self._A, b).compute()
        return reducer

    def row_blocks(self) -> Iterator[Array]:
        for block in self._A.to_delayed()[:, 0].tolist():
            yield as_array(block.compute())


# ---- graphs ----


def _rows(A: Any, name: str) -> Any:
    """Return A in blocks of whole rows, of no more bytes than its largest chunk has."""
    if not isinstance(A, da.Array):
        raise TypeError(
            f"{name} must be a dask array, got {type(A).__name__}; fastsub itself has the same "
            "functions for arrays"
        )
    if A.ndim != 2:
        raise ValueError(f"{name} must be a matrix (2-d), got {A.ndim}-d of shape {A.shape}")
    if A.numblocks[1] > 1:
        most = max(A.chunks[0]) * max(A.chunks[1]) // max(1, A.shape[1])
        A = A.rechunk({0: max(1, min(most, max(A.chunks[0]))), 1: -1})
    return A


def _triangle(A: Any, b: Any = None) -> Any:
    """Return the reducer of all rows as a Delayed."""
    blocks = A.to_delayed()[:, 0].tolist()
    sides = [None] * len(blocks) if b is None else b.to_delayed().reshape(-1).tolist()
    if len(sides) != len(blocks):
        raise ValueError(f"a has {len(blocks)} blocks of rows, b has {len(sides)}")
    row, parts = 0, []
    for block, side, rows in zip(blocks, sides, A.chunks[0], strict=True):
        parts.append(delayed(_reduce)(block, side, row))
        row += rows
    return _fold(parts, _merge)


def _fold(parts: list[Any], join: Any) -> Any:
    """Combine Delayed objects as a tree."""
    while len(parts) > 1:
        parts = [delayed(join)(parts[i : i + _FAN]) for i in range(0, len(parts), _FAN)]
    return parts[0]


def _result(reducer: Any, rtol: float | None, tol: float | None) -> Any:
    return delayed(_finish)(reducer, rtol, tol)


def _basis(A: Any, rcond: float | None, name: str, full_output: bool) -> Any:
    A = _rows(A, "A")
    result = _result(_triangle(A), check_tolerance(rcond, "rcond"), None)
    basis = da.from_delayed(getattr(result, name)(), (A.shape[1], math.nan), _working(A))
    return (basis, result.certificate) if full_output else basis


def _working(A: Any) -> Any:
    return as_array(np.empty(0, A.dtype)).dtype


# ---- tasks ----


def _reduce(X: Array, y: Array | None, row: float) -> Reducer:
    try:
        return Reducer().partial_fit(X, y)
    except ValueError as error:
        raise ValueError(f"in the block that begins with row {row}: {error}") from None


def _merge(reducers: list[Reducer]) -> Reducer:
    total = Reducer()
    for reducer in reducers:
        total.merge(reducer)
    return total


def _finish(reducer: Reducer, rtol: float | None, tol: float | None) -> Reduced:
    return reducer.result(rtol, tol=tol)


def _times(X: Array, transform: Array) -> Array:
    return product(np.asarray(X, transform.dtype), transform)


def _divide(Y: Array, K: Array) -> Array:
    from fastsub.streams.range import divide

    return divide(Y, K)


def _sum(parts: list[Array]) -> Array:
    return sum(parts[1:], parts[0])


def _at_least_1d(x: Any) -> Array:
    return np.atleast_1d(x)
