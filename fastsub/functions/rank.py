"""The rank of a matrix, as the SVD would count it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    check_finite_magnitude,
    check_tolerance,
    whole_strides,
)
from fastsub.factor.choose import SMALL_ENTRIES, is_small, prefers_gram
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.pieces import places
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff
from fastsub.factor.small import decide_small
from fastsub.factor.stacked import decide_stack
from fastsub.factor.tall.sketched import decide_by_sketch
from fastsub.functions.sources import elsewhere, sparse_options
from fastsub.kernels.direct import py_rank


def matrix_rank(
    A: Any,
    tol: Any = None,
    hermitian: bool = False,
    *,
    rtol: Any = None,
    full_output: bool = False,
    engine: str | None = None,
) -> Any:
    """Return the rank: the number of singular values above a cutoff.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. A vector
        has rank 1 unless it is zero, a number likewise.
    tol : float or array_like, shape (...), optional
        Absolute cutoff. For a stack one number, or one for each matrix.
    hermitian : bool, default False
        A is Hermitian: only its lower triangle is read.
    rtol : float or array_like, shape (...), optional
        Cutoff relative to the largest singular value; ``eps * max(m, n)`` by default. Not together
        with `tol`.
    full_output : bool, default False
        Return ``(rank, certificate)``.
    engine : {"markowitz", "suitesparse"}, optional
        Of a sparse A: what factors it. The second needs the package ``sparseqr``.

    Returns
    -------
    rank : int, or ndarray of intp, shape (...)
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError
        NaN or infinity in A, a negative or NaN tolerance, or both of them.
    TypeError
        Strings, masked entries, dask arrays.

    See Also
    --------
    numpy.linalg.matrix_rank : the same by singular values.

    Notes
    -----
    Cost for m >= n: 2 m n^2 - 2 n^3 / 3 flops, and n^3 / 3 to prove the rank; less where the rank
    is low, or m >= 4 n.

    References
    ----------
    .. [1] Foster & Davis, Algorithm 933: reliable calculation of numerical rank, null space bases,
       pseudoinverse solutions, and basic solutions, ACM TOMS 40 (2013).

    Examples
    --------
    >>> import fastsub
    >>> fastsub.matrix_rank([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    2
    """
    if not (full_output or hermitian or engine):
        rank = py_rank(A, tol, rtol, SMALL_ENTRIES)
        if rank is not None:
            return rank
    options = sparse_options(A, engine=engine)
    if (answer := elsewhere(A, matrix_rank)) is not None:
        return answer(A, tol, rtol=rtol, full_output=full_output, **options)
    A = as_array(A)
    if tol is not None and rtol is not None:
        raise ValueError("give tol or rtol, not both")
    if A.ndim < 2:
        check_tolerance(tol, "tol"), check_tolerance(rtol, "rtol")
        largest = check_finite_magnitude(A.reshape(1, -1), "A")
        rank = int(largest > 0)
        bound = largest if rank else math.inf
        certificate = Certificate(rank, 0.0, bound, 0.0, "bounds", "vector")
        return (rank, certificate) if full_output else rank
    if hermitian:
        if A.shape[-2] != A.shape[-1]:
            raise ValueError(f"a Hermitian matrix must be square, got shape {A.shape}")
        lower = np.tril(A)
        A = lower + np.tril(A, -1).swapaxes(-1, -2).conj()
        if A.dtype.kind == "c":
            index = np.arange(A.shape[-1])
            A[..., index, index] = A[..., index, index].real
    if A.ndim == 2:
        certificate = _certificate(A, tol, rtol)
        return (certificate.rank, certificate) if full_output else certificate.rank
    ranks, certificates = _stack(A, tol, rtol, full_output)
    return (ranks, certificates) if full_output else ranks


def _stack(A: Array, tol: Any, rtol: Any, tight: bool) -> tuple[Array, Certificate | None]:
    shape = A.shape[:-2]
    absolute, relative = _tolerances(tol, "tol", shape), _tolerances(rtol, "rtol", shape)
    if A.size and is_small(*A.shape[-2:]):
        A = whole_strides(A)
        if relative is None:
            default = Cutoff.of(A[(0,) * len(shape)]).relative
            relative = np.full(math.prod(shape), default if absolute is None else 0.0)
        if absolute is None:
            absolute = np.zeros(math.prod(shape))
        decisions = decide_stack(A, places(A), relative, absolute, tight=tight)
        decisions.check(A, "A", finite=True)
        if not tight:
            return decisions.ranks.reshape(shape), None
        certificate = decisions.certificate(shape)
    elif not A.size:
        cutoffs = np.zeros(shape) if absolute is None else absolute.reshape(shape)
        rank, next_one, sure = np.zeros(shape, int), np.zeros(shape), np.zeros(shape)
        who, how = np.full(shape, "bounds"), np.full(shape, "empty")
        certificate = Certificate(
            rank, cutoffs, np.full(shape, math.inf), next_one, who, how, None, sure
        )
    else:
        certificates = [
            _certificate(
                A[index],
                None if absolute is None else absolute[i],
                None if relative is None else relative[i],
            )
            for i, index in enumerate(np.ndindex(shape))
        ]
        certificate = Certificate.stack(certificates, shape)
    return np.asarray(certificate.rank, dtype=np.intp), certificate


def _tolerances(given: Any, name: str, shape: tuple[int, ...]) -> Array | None:
    """Return a tolerance for each matrix of a stack, shape (N,); None stays None."""
    if given is None:
        return None
    try:
        each = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold nonnegative numbers, got {given!r}") from None
    if not (each >= 0).all():
        bad = each[~(each >= 0)].flat[0]
        raise ValueError(f"{name} must be a nonnegative number, got {bad}")
    return np.broadcast_to(each, shape).ravel()


def _certificate(A: Any, tol: Any, rtol: Any) -> Certificate:
    absolute, relative = check_tolerance(tol, "tol"), check_tolerance(rtol, "rtol")
    cutoff = Cutoff.of(A, relative, absolute)
    answer = decide_small(A, cutoff, want_basis=False)
    if answer is None and not prefers_gram(A.shape[0], A.shape[1], A.dtype):
        answer = decide_by_sketch(A, cutoff, want_basis=False)
    if answer is not None:
        return answer[1]
    return COD(A, relative, tol=absolute, want="rank").certificate
