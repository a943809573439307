"""Least squares: the minimum-norm minimiser of ||A x - b||, for any shape and rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    as_matrix,
    check_finite_magnitude,
    check_tolerance,
    unscale,
    working_copy,
)
from fastsub.factor.choose import SMALL_ENTRIES
from fastsub.factor.least_squares.refine import Answer
from fastsub.factor.least_squares.solve import solve, solve_by
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.certificate import Certificate
from fastsub.functions.lstsq_stacks import Result, lstsq_of_stack
from fastsub.functions.sources import elsewhere
from fastsub.kernels.direct_lstsq import py_lstsq

_DRIVERS = (None, "gelsd", "gelss", "gelsy")


def lstsq(
    a: Any,
    b: Any,
    cond: float | None = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
    *,
    full_output: bool = False,
) -> Any:
    """Return the x of least norm among those that minimise ``norm(a @ x - b)``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. Integers
        are taken as float64.
    b : array_like, shape (m,) or (..., m, k)
        Right-hand sides. Beside a stack, a 1-d `b` serves every matrix.
    cond : float, optional
        Singular values above ``cond`` times the largest count. The default is NumPy's,
        ``eps * max(m, n)``; SciPy's is ``eps`` alone, which lets rounding noise pass for rank.
    overwrite_a : bool, default False
        Let the memory of `a` be used where its layout allows; `a` may be destroyed.
    overwrite_b : bool, default False
        Accepted for SciPy's signature; `b` is never written.
    check_finite : bool, default True
        Raise on NaN and infinity.
    lapack_driver : {None, "gelsd", "gelss", "gelsy"}
        Naming ``"gelsd"`` or ``"gelss"`` returns singular values, at the cost of an SVD of a
        min(m, n) triangle; ``"gelsy"`` returns no residues, as in SciPy.
    full_output : bool, default False
        Return ``(x, residues, rank, s), certificate``.

    Returns
    -------
    x : ndarray, shape (n,) or (..., n, k)
    residues : ndarray, shape (k,), or float
        Squared norms of ``b - a @ x`` if m > n and the rank is n, otherwise empty.
    rank : int
    s : ndarray, shape (min(m, n),), or None
        Singular values, descending; None unless a driver that computes them is named.
    certificate : Certificate
        Only with `full_output`; its `backward_error` is the largest over the right-hand sides.

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, an unknown driver, a negative or NaN `cond`.
    TypeError
        Strings, masked entries, dask arrays.

    See Also
    --------
    scipy.linalg.lstsq : the same by an SVD of `a`.

    Notes
    -----
    Cost: m n^2 flops where the normal equations do, that is up to a condition of about 1e6, and
    some passes over `a`; 3 m n^2 up to 1e12; else 2 m n^2 - 2 n^3 / 3 for m >= n, and 4 n^3 / 3 and
    2 rank^2 (n - rank) more if the rank is deficient. Whichever answers, the backward error is that
    of Householder QR, column by column: the normal equations are refined until it is proved [2]_.
    ``certificate.method`` says who answered. A sparse `a` is eliminated with its adjoint in one
    augmented system; where that fills in too much, ``scipy.sparse.linalg.lsmr`` may get by.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.5.
    .. [2] Karlson & Walden, Estimation of optimal backward perturbation bounds for the linear least
       squares problem, BIT 37 (1997).

    Examples
    --------
    2x = 1, 3x = 2, 4x = 2 has no solution; the nearest is (2 + 6 + 8) / 29:

    >>> import fastsub
    >>> x, residues, rank, s = fastsub.lstsq([[2], [3], [4]], [1, 2, 2])
    >>> x * 29
    array([16.])
    """
    if lapack_driver is None and not full_output:
        answer = py_lstsq(a, b, cond, SMALL_ENTRIES)
        if answer is not None:
            return _from_direct(*answer)
    if (answer_for := elsewhere(a, lstsq)) is not None:
        return answer_for(a, b, cond, full_output=full_output)
    A, B = as_array(a, "a"), as_array(b, "b")
    if lapack_driver not in _DRIVERS:
        raise ValueError(f"lapack_driver must be one of {_DRIVERS}, got {lapack_driver!r}")
    rtol = check_tolerance(cond, "cond")
    if A.ndim < 2:
        raise ValueError(f"a must be a matrix or a stack of matrices, got {A.ndim}-d")
    if B.ndim == 0:
        raise ValueError("b must be a vector or a matrix, got a number")
    if A.shape[-2] != B.shape[0 if B.ndim == 1 else -2]:
        raise ValueError(
            f"a and b must have the same number of rows, got {A.shape[-2]} and "
            f"{B.shape[0 if B.ndim == 1 else -2]}"
            + ("; a stack of vectors is b[..., None]" if B.shape == A.shape[:-1] else "")
        )
    if check_finite and B.size:
        check_finite_magnitude(np.atleast_2d(B), "b")

    def one(A: Array, B: Array) -> tuple[Result, Certificate]:
        return _one(A, B, rtol, overwrite_a, check_finite, lapack_driver, full_output)

    certificate: Certificate | None
    if A.ndim == 2 and B.ndim <= 2:
        result, certificate = one(A, B)
    else:
        result, certificate = lstsq_of_stack(
            A,
            B,
            rtol,
            one,
            check_finite=check_finite,
            lapack_driver=lapack_driver,
            full_output=full_output,
        )
    return (result, certificate) if full_output else result


def _from_direct(x: Array, squares: Array | None, rank: int) -> tuple[Array, Any, int, None]:
    """Return what SciPy does; in the precision of x."""
    real = x.real.dtype
    if squares is None:
        return x, np.empty(0, real), rank, None
    squares = squares.astype(real, copy=False)
    return x, squares[0] if x.ndim == 1 else squares, rank, None


def _one(
    A: Array,
    B: Array,
    rtol: float | None,
    overwrite_a: bool,
    check_finite: bool,
    driver: str | None,
    full_output: bool,
) -> tuple[Result, Certificate]:
    dtype = np.result_type(A, B)
    # A complex b beside a real matrix is two real right-hand sides.
    split = A.dtype.kind != "c" and dtype.kind == "c"
    A = as_matrix(A.astype(np.empty(0, dtype).real.dtype if split else dtype, copy=False), "a")
    m, n = A.shape
    columns = B[:, None] if B.ndim == 1 else B
    if split:
        columns = np.hstack([columns.real, columns.imag])
    scaled = working_copy(columns.astype(A.dtype, copy=False), "b", check_finite=False)
    columns = scaled.W
    sigma = None
    if driver in ("gelsd", "gelss"):
        answer, sigma = _with_singular_values(A, columns, rtol, overwrite_a, check_finite)
    else:
        answer = solve(
            A, columns, rtol, overwrite_a=overwrite_a, check_finite=check_finite, honest=full_output
        )
    X, rank = answer.X, answer.certificate.rank
    residues: Any = np.empty(0, dtype.type(0).real.dtype)
    if n == 0 or (m > n == rank and driver != "gelsy"):
        with np.errstate(over="ignore", under="ignore"):
            squares = np.ldexp(answer.squares, -2 * scaled.exponent).astype(residues.dtype)
        if split:
            squares = squares[: squares.size // 2] + squares[squares.size // 2 :]
        residues = squares[0] if B.ndim == 1 else squares
    unscale(X, scaled.exponent)
    if split:
        half = X.shape[1] // 2
        X = X[:, :half] + 1j * X[:, half:]
    x = X.reshape(n) if B.ndim == 1 else np.asarray(X, dtype)
    return (x, residues, rank, sigma), answer.certificate


def _with_singular_values(
    A: Array, B: Array, rtol: float | None, overwrite_a: bool, check_finite: bool
) -> tuple[Answer, Array]:
    keep = A.copy() if overwrite_a else A
    F = COD(A, rtol, overwrite_a=overwrite_a, check_finite=check_finite, name="a")
    return solve_by(F, keep, B), F.singular_values()
