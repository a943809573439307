"""The facts of a report on a matrix: rank, four subspaces, who decided, and whether it adds up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from scipy.sparse import issparse

import fastsub
from fastsub.cli.facts import Decision, floating, norm, orthonormality_error
from fastsub.cli.memory import physical_memory
from fastsub.cli.sparse import SparseFactors
from fastsub.factor.orthogonal.cod import COD


@dataclass(frozen=True, slots=True)
class Dimension:
    """The dimension of a subspace, and of the space that it lies in."""

    dimension: int
    ambient: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A function of ours beside the one that it replaces, on the same matrix.

    Attributes
    ----------
    function, peer : str
        The two functions.
    seconds, peer_seconds : float
        Median time of a call; NaN if the peer was not run.
    rank, peer_rank : int or None
        The rank that each answer implies.
    ratio : float
        ``peer_seconds / seconds``: above 1 where ours is faster.
    runs : int
        How often each was called, alternately.
    skipped : str or None
        Why the peer was not run.
    """

    function: str
    peer: str
    seconds: float
    rank: int
    peer_seconds: float
    peer_rank: int | None
    ratio: float
    runs: int
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class MatrixFacts:
    """What ``fastsub report`` says about a matrix.

    Attributes
    ----------
    matrix : str
        What to call it: its file.
    citation : str or None
        Whose it is.
    rows, columns, stored_dtype, dtype
        ``dtype`` is what was computed in.
    rank : int
        As the certificate decides it.
    nullity : int
        The number of columns of the null-space basis that was made, or ``columns - rank`` where
        ``null_basis_made`` is false because the basis would not fit into the memory.
    rank_plus_nullity_is_n : bool or None
        None if the basis was not made: nothing was checked.
    subspaces : dict
        The four, by name.
    certificate : Decision
        Who decided the rank, and by which bounds.
    condition : float
        Estimate of sigma_1/sigma_r, r the rank; NaN at rank 0.
    null_residual : float
        ``norm(A N) / norm(A)`` in the Frobenius norm, N the basis of the null space.
    null_orthonormality : float
        ``norm(N^H N - I)``, Frobenius; NaN for the sparse basis of a large sparse matrix, whose
        columns have unit length and are not orthonormal.
    rank_seconds, null_space_seconds : float
        Time for the factorisation with the decision, and for the basis; NaN if not made.
    comparison : list of Comparison or None
        If asked for.
    sparse : bool
        Whether the matrix was left sparse.
    """

    matrix: str
    citation: str | None
    rows: int
    columns: int
    stored_dtype: str
    dtype: str
    rank: int
    nullity: int
    null_basis_made: bool
    rank_plus_nullity_is_n: bool | None
    subspaces: dict[str, Dimension]
    certificate: Decision
    condition: float
    null_residual: float
    null_orthonormality: float
    rank_seconds: float
    null_space_seconds: float
    comparison: list[Comparison] | None = field(default=None)
    sparse: bool = False


def analyse(
    A: Any,
    name: str,
    *,
    citation: str | None = None,
    rtol: float | None = None,
    compare: bool = False,
) -> MatrixFacts:
    """Return the facts about a matrix.

    Parameters
    ----------
    A : ndarray or csr_array, shape (m, n)
        The matrix: finite numbers.
    name : str
        What to call it.
    citation : str, optional
        Whose matrix it is.
    rtol : float, optional
        Singular values above ``rtol * sigma_1`` count; eps * max(m, n) by default.
    compare : bool
        Also time SciPy's ``null_space`` and NumPy's ``matrix_rank`` on it.

    Returns
    -------
    MatrixFacts
    """
    stored, A = A.dtype, floating(A)
    m, n = A.shape
    F, N, rank_seconds, null_space_seconds = _factor(A, rtol)
    rank, nullity = int(F.rank), n - int(F.rank) if N is None else N.shape[1]
    return MatrixFacts(
        matrix=name,
        citation=citation,
        rows=m,
        columns=n,
        stored_dtype=str(stored),
        dtype=str(A.dtype),
        rank=rank,
        nullity=nullity,
        null_basis_made=N is not None,
        rank_plus_nullity_is_n=None if N is None else rank + nullity == n,
        subspaces={
            "column_space": Dimension(rank, m),
            "left_null_space": Dimension(m - rank, m),
            "row_space": Dimension(rank, n),
            "null_space": Dimension(nullity, n),
        },
        certificate=Decision.of(F.certificate),
        condition=float(F.condition),
        null_residual=float("nan") if N is None else null_residual(A, N),
        null_orthonormality=float("nan") if N is None else orthonormality_error(N),
        rank_seconds=rank_seconds,
        null_space_seconds=null_space_seconds,
        comparison=compare_with_peers(A, rtol) if compare else None,
        sparse=issparse(A),
    )


def _factor(
    A: Any, rtol: float | None, *, budget: float = 0.5, most: int = 3
) -> tuple[COD | SparseFactors, Any, float, float]:
    """Return a factorisation, its null-space basis, and the seconds that each took.

    The basis is really made, so that its columns can be counted; None if memory is too small. The
    fastest of a few runs is told, unless the first takes long: the first one wakes the BLAS up.
    """
    best: tuple[COD | SparseFactors, Any, float, float] | None = None
    start = time.perf_counter()
    for _ in range(most):
        make = SparseFactors if issparse(A) else COD
        rank_seconds, F = _timed(partial(make, A, rtol))
        N, seconds = None, float("nan")
        if issparse(A):
            with suppress(MemoryError):
                seconds, N = _timed(F.basis)
        elif A.shape[1] * (A.shape[1] - F.rank) * A.itemsize <= physical_memory() / 2:
            seconds, N = _timed(F.null_space)
        if best is None or rank_seconds < best[2]:
            best = F, N, rank_seconds, seconds
        if time.perf_counter() - start > budget:
            break
    assert best is not None
    return best


def null_residual(A: Any, N: Any) -> float:
    """Return norm(A N) / norm(A), Frobenius; 0 if A is zero."""
    return norm(A @ N) / (norm(A) or 1.0)


def compare_with_peers(A: Any, rtol: float | None = None) -> list[Comparison]:
    """Time ``null_space`` and ``matrix_rank`` beside SciPy's and NumPy's, with the same cutoff.

    These two have a sparse matrix made dense first, which is not timed.
    """
    m, n = A.shape
    # Singular vectors in full, and the copy that LAPACK destroys.
    size = A.dtype.itemsize
    svd_bytes = (m * m + n * n + 2 * m * n) * size
    fits = svd_bytes <= physical_memory() / 2
    D = A.toarray() if issparse(A) and fits else A
    return [
        _race(
            "fastsub.null_space",
            "scipy.linalg.null_space",
            lambda: n - _null_space(A, rtol).shape[1],
            lambda: n - scipy.linalg.null_space(D, rtol).shape[1],
            _obstacle(A, svd_bytes),
        ),
        _race(
            "fastsub.matrix_rank",
            "numpy.linalg.matrix_rank",
            lambda: int(fastsub.matrix_rank(A, rtol=rtol)),
            lambda: int(np.linalg.matrix_rank(D, rtol=rtol)),
            _obstacle(A, 2 * m * n * size if D is A and not issparse(A) else svd_bytes),
        ),
    ]


def _null_space(A: Any, rtol: float | None) -> Any:
    return SparseFactors(A, rtol).basis() if issparse(A) else fastsub.null_space(A, rtol)


def _obstacle(A: Any, size: int) -> str | None:
    """Return why a peer that needs ``size`` bytes cannot be run on ``A``, None if it can."""
    if not A.size:
        return "not for empty matrices"
    if size > physical_memory() / 2:
        return f"it would need {size / 1e9:.3g} GB of memory"
    return None


def _race(
    function: str,
    peer: str,
    ours: Callable[[], int],
    theirs: Callable[[], int],
    skipped: str | None,
    *,
    budget: float = 5.0,
    most: int = 9,
) -> Comparison:
    """Call both alternately, ``most`` times or until ``budget`` seconds are spent; keep medians."""
    times: tuple[list[float], list[float]] = ([], [])
    peer_rank = None
    while len(times[0]) < most and sum(map(sum, times)) < budget:
        seconds, rank = _timed(ours)
        times[0].append(seconds)
        if skipped is None:
            try:
                peer_seconds, peer_rank = _timed(theirs)
            except (MemoryError, np.linalg.LinAlgError) as error:
                skipped = str(error)
            else:
                times[1].append(peer_seconds)
    median = statistics.median(times[0])
    peer_median = statistics.median(times[1]) if times[1] else float("nan")
    return Comparison(
        function=function,
        peer=peer,
        seconds=median,
        rank=rank,
        peer_seconds=peer_median,
        peer_rank=peer_rank,
        ratio=peer_median / median,
        runs=len(times[0]),
        skipped=skipped,
    )


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result
