"""The Moore-Penrose inverse: A^+ b is the least-squares solution of least norm, for every b.

    A^+ = V1 T^-1 U1^H      from the complete orthogonal decomposition A = U1 T V1^H

Where the matrix is small, with V1 from one compiled call: A^+ = V1 (A V1)^+, A V1 of full column
rank inverted by QR; where it is tall or wide, first by Cholesky
(factor/orthogonal/pseudoinverse.py).

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.5.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, lapack, svd

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import (
    Array,
    as_array,
    check_tolerance,
    unscale,
    whole_strides,
    working_copy,
)
from fastsub.factor.choose import is_small, is_tall
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.orthogonal.pseudoinverse import invert_by_cholesky
from fastsub.factor.pieces import for_each, places
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, certify
from fastsub.factor.small import by_sigma, decide_small
from fastsub.factor.stacked import solve_stack

_GELS = {char: getattr(lapack, f"{name}gels") for char, name in zip("fdFD", "sdcz", strict=True)}

# Entries up to which a basis from one compiled call, and a QR, beat blocks.
_COMPILED_BASIS = 20_000
# Entries up to which the SVD that only decides, in the same compiled call, is the cheaper one.
_COMPILED_SVD = 32 * 32


def pinv(
    a: Any,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: bool = False,
    check_finite: bool = True,
    full_output: bool = False,
) -> Any:
    """Return the Moore-Penrose inverse of a matrix.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; integers are taken as float64.
    atol, rtol : float, optional
        Singular values above ``atol + rtol * sigma_1`` count; 0 and ``eps * max(m, n)`` by
        default, as in SciPy.
    return_rank : bool, default False
        Return the rank, too.
    check_finite : bool, default True
        Raise on NaN and infinity.
    full_output : bool, default False
        Return ``(result, certificate)``.

    Returns
    -------
    B : ndarray, shape (..., n, m)
    rank : int, or ndarray of intp, shape (...)
        Only with `return_rank`, as ``(B, rank)``.
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError
        NaN or infinity, a vector, a negative or NaN tolerance.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    scipy.linalg.pinv : the same by an SVD.
    lstsq : the product of `B` with a vector, sooner and more accurately.
    factorize : the same for many vectors.

    Notes
    -----
    Cost for m >= n: 5 m n^2 flops at full rank, 6 m n^2 at most below it. To solve a system do not
    form it: `lstsq` costs a fraction, and its residual is smaller.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.5.2.

    Examples
    --------
    A column has the row ``a^H / (a^H a)`` for an inverse:

    >>> import fastsub
    >>> fastsub.pinv([[2], [3], [4]]) * 29
    array([[2., 3., 4.]])
    """
    A = as_array(a, "a")
    if A.ndim < 2:
        raise ValueError(f"a must be a matrix or a stack of matrices, got {A.ndim}-d")
    absolute, relative = check_tolerance(atol, "atol") or 0.0, check_tolerance(rtol, "rtol")
    rank: Any
    certificate: Certificate | None
    if A.ndim == 2:
        B, certificate = _one(A, absolute, relative, check_finite)
        rank = certificate.rank
    else:
        B, rank, certificate = _stack(A, absolute, relative, check_finite, full_output)
    result = (B, rank) if return_rank else B
    return (result, certificate) if full_output else result


def _stack(
    A: Array, atol: float, rtol: float | None, check_finite: bool, tight: bool
) -> tuple[Array, Array, Certificate | None]:
    """Solve A X = I, or A^T X^T = I: that of the two with fewer columns in I."""
    (*shape, m, n), certificate = A.shape, None
    count, k = math.prod(shape), min(m, n)
    if count and is_small(m, n):
        A = whole_strides(A)
        wide = A if m < n else A.swapaxes(-1, -2)
        cutoff = Cutoff.of(A[(0,) * len(shape)], rtol, None, atol)
        eye = np.eye(k, dtype=A.dtype)
        B, _, _, decisions = solve_stack(
            wide, places(wide), eye, np.zeros(count, np.intp), cutoff, tight=tight
        )
        decisions.check(A, "a", finite=check_finite)
        if m >= n:
            B = B.swapaxes(1, 2)
        if tight:
            certificate = decisions.certificate(tuple(shape))
        return B.reshape(*shape, n, m), decisions.ranks.reshape(shape), certificate
    answers = for_each(lambda M: _one(M, atol, rtol, check_finite), A.reshape(count, m, n))
    B = np.empty((count, m, n), A.dtype).swapaxes(1, 2)
    for out, (inverse, _) in zip(B, answers, strict=True):
        out[...] = inverse
    certificate = Certificate.stack([said for _, said in answers], tuple(shape))
    ranks = np.asarray(certificate.rank, np.intp)
    return B.reshape(*shape, n, m), ranks, certificate if tight else None


def _one(
    A: Array, atol: float, rtol: float | None, check_finite: bool
) -> tuple[Array, Certificate]:
    cutoff = Cutoff.of(A, rtol, None, atol)
    compiled = A.size <= _COMPILED_SVD
    small = is_small(*A.shape) and A.size <= _COMPILED_BASIS
    answer = decide_small(A, cutoff, complement=False, svd_too=compiled) if small else None
    # LAPACK's SVD may not come to an end on an infinity.
    if answer is None and small and np.isfinite(A).all():
        return _by_svd(A, cutoff, check_finite)
    if answer is None:
        m, n = A.shape
        if is_tall(max(m, n), min(m, n)) and A.dtype.char in "dD":
            tall = invert_by_cholesky(whole_strides(A if m > n else A.T), cutoff)
            if tall is not None:
                X, certificate = tall
                # (A^T)^+H is the conjugate of A^+.
                np.conj(X, out=X)
                return X.T if m > n else X, certificate
        F = COD(A, rtol, atol=atol, check_finite=check_finite, name="a")
        return F.pinv(consume=True), F.certificate
    V1, certificate = answer
    (m, n), r = A.shape, certificate.rank
    if r == 0:
        return zeros((n, m), A.dtype), certificate
    if r == m:
        return _inverse_adjoint(A.conj().T), certificate
    if r == n:
        return _inverse_adjoint(A).conj().T, certificate
    return product(V1, _inverse_adjoint(product(A, V1)).conj().T), certificate


def _by_svd(A: Array, cutoff: Cutoff, check_finite: bool) -> tuple[Array, Certificate]:
    """Return A^+ of a small matrix whose rank bounds leave open: U and V come with the decision."""
    working = working_copy(A, "a", check_finite=check_finite)
    try:
        U, sigma, Vh = svd(working.W, full_matrices=False, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        raise ConvergenceError(f"the SVD of a failed: {error}") from error
    decision = by_sigma(sigma, max(A.shape), cutoff.scaled(working.exponent))
    r = decision.rank
    B = product(np.asfortranarray(Vh[:r]), (U[:, :r] / sigma[:r]).conj().T, adjoint=True)
    unscale(B, -working.exponent)
    return B, certify(decision, "svd", working.exponent)


def _inverse_adjoint(W: Array) -> Array:
    """Return (W^+)^H for W (m, r) of full column rank: the least X with W^H X = I, shape (m, r).

    By QR, scaled where entries are near overflow or underflow.
    """
    m, r = W.shape
    right = np.eye(m, r, dtype=W.dtype, order="F")
    gels = _GELS[W.dtype.char]
    _, X, info = gels(W, right, trans="T" if W.dtype.kind == "f" else "C", overwrite_b=True)
    if info:
        raise ConvergenceError(f"a is singular to working precision (gels, info {info})", r)
    return np.asarray(X)
