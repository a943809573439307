"""The public functions, lazy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastsub.dask import graphs
from fastsub.dask.graphs import da, delayed
from fastsub.dask.tasks import at_least_1d
from fastsub.factor.arrays import Array, as_array, check_tolerance
from fastsub.streams.reducer import Reducer
from fastsub.streams.subspaces import StreamedSubspaces


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
    result = graphs.result_of(graphs.rows_of(A, "A"), None, rtol, tol)
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

    A is read three times: for its triangle, for the Gram matrix of a basis that is nearly
    orthonormal, and for the basis, which one step of Cholesky QR makes orthonormal to rounding.
    Nothing as long as A is kept meanwhile; persist A if it is dear to make and fits.

    Parameters
    ----------
    A, rcond, full_output
        As for `null_space`.
    """
    A = graphs.rows_of(A, "A")
    result = graphs.result_of(A, None, check_tolerance(rcond, "rcond"), None)
    Q = graphs.orthonormal(A, result)
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
    a = graphs.rows_of(a, "a")
    b = graphs.beside(b, a)
    result = graphs.result_of(a, b, check_tolerance(cond, "cond"), None)
    dtype = np.result_type(graphs.working_type(a), graphs.working_type(b))
    x = da.from_delayed(result.solve(pure=True), (a.shape[1], *b.shape[1:]), dtype)
    real = np.empty(0, dtype).real.dtype
    residues = da.from_delayed(delayed(at_least_1d)(result.residues), (math.nan,), real)
    rank = da.from_delayed(result.rank, (), np.intp)
    answer = x, residues, rank, None
    return (answer, result.solution_certificate(pure=True)) if full_output else answer


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
    rtol = check_tolerance(rtol, "rtol")
    return StreamedSubspaces(_Distributed(graphs.rows_of(A, "A")), rtol)


class _Distributed:
    """A dask array as what `StreamedSubspaces` asks of a stream."""

    def __init__(self, A: Any) -> None:
        self._A = A
        self._own: Reducer | None = None

    def reduce(self, b: Any = None) -> Reducer:
        if b is None:
            if self._own is None:
                self._own = graphs.reducer_of(self._A).compute()
            return self._own
        if graphs.is_unknown(self._A):
            self._A = self._A.copy().compute_chunk_sizes()
        reducer: Reducer = graphs.reducer_of(self._A, graphs.beside(b, self._A)).compute()
        return reducer

    def row_blocks(self) -> Iterator[Array]:
        for block in graphs.blocks_of(self._A):
            yield as_array(block.compute())


def _basis(A: Any, rcond: float | None, name: str, full_output: bool) -> Any:
    A = graphs.rows_of(A, "A")
    result = graphs.result_of(A, None, check_tolerance(rcond, "rcond"), None)
    basis = da.from_delayed(
        getattr(result, name)(pure=True), (A.shape[1], math.nan), graphs.working_type(A)
    )
    return (basis, result.certificate) if full_output else basis
