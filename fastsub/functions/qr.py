"""QR: plain and pivoted as SciPy's, and rank-revealing as an object."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import lapack

from fastsub.factor.arrays import (
    Array,
    as_array,
    check_finite_magnitude,
    unscale,
    upper,
    whole_strides,
    working_copy,
)
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.reflectors import Product, Reflectors, pivoted_qr
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.pieces import for_each, places
from fastsub.factor.stacked import qr_stack

_MODES = ("full", "r", "economic", "raw")

_LAPACK = {
    char: [getattr(lapack, prefix + name) for name in ("geqrf", "geqp3", generate)]
    for char, prefix, generate in zip("fdFD", "sdcz", ("orgqr",) * 2 + ("ungqr",) * 2, strict=True)
}

# Entries up to which a call costs more than its arithmetic (ratios to SciPy, 3 x 3 to 100 x 100).
_BLOCK = 32  # of LAPACK
_SMALL = 112 * 112


def rrqr(A: Any, *, rank: int | None = None, rtol: float | None = None, rng: Any = None) -> RRQR:
    """Return a rank-revealing QR factorisation, ``A[:, p] = Q @ R``.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rank : int, optional
        Stop after this many columns: O(m n rank) flops.
    rtol : float, optional
        Stop at the numerical rank: the number of singular values above ``rtol`` times the largest.
        With neither the factorisation is complete.
    rng : seed or Generator, optional
        For randomised pivoting; it never changes whether a factorisation is right.

    Returns
    -------
    RRQR
        Unpacks as ``Q, R, p``; R and p are computed at once, Q when first asked for.

    Raises
    ------
    ValueError
        NaN or infinity in A, not a matrix, rank out of range, both `rank` and `rtol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    qr : SciPy's signature.

    Notes
    -----
    Cost: see `RRQR`.

    References
    ----------
    .. [1] Chandrasekaran & Ipsen, On rank-revealing factorisations, SIAM J. Matrix Anal. Appl. 15
       (1994).

    Examples
    --------
    >>> import fastsub
    >>> Q, R, p = fastsub.rrqr([[1.0, 2.0], [3.0, 6.0], [4.0, 8.0]], rtol=1e-12)
    >>> R.shape, p
    ((1, 2), array([1, 0]))
    """
    return RRQR(A, rank=rank, rtol=rtol, rng=rng)


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """Return the QR factorisation of a matrix, as `scipy.linalg.qr` does.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them.
    overwrite_a : bool, default False
        Let the memory of a Fortran-ordered `a` be used; it is destroyed.
    lwork : int, optional
        Accepted for SciPy's signature; the workspace is chosen here.
    mode : {"full", "r", "economic", "raw"}
        Whether Q is (m, m) or left out or (m, min(m, n)), or the reflectors are returned.
    pivoting : bool, default False
        Pivot the columns, ``a[:, P] = Q @ R``, with ``abs(diag(R))`` non-increasing.
    check_finite : bool, default True
        Raise on NaN and infinity.

    Returns
    -------
    Q : ndarray, shape (..., m, m) or (..., m, min(m, n))
        Left out with ``mode="r"``; with ``"raw"`` the pair ``(qr, tau)`` of LAPACK.
    R : ndarray, shape (..., m, n) or (..., min(m, n), n)
        Upper trapezoidal; min(m, n) rows with ``"economic"``, and with ``"raw"`` if m > n.
    P : ndarray of intc, shape (..., n)
        Only with `pivoting`.

    Raises
    ------
    ValueError
        NaN or infinity in `a`, not a matrix, an unknown mode.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    rrqr : an object that carries its rank and certificate, with early stop.

    Notes
    -----
    Cost for m >= n: 2 n^2 (m - n / 3) flops for R, as many again for an economic Q.

    References
    ----------
    .. [1] Schreiber & Van Loan, A storage-efficient WY representation for products of Householder
       transformations, SIAM J. Sci. Stat. Comput. 10 (1989).

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> Q, R = fastsub.qr([[3.0, 1.0], [4.0, 2.0]])
    >>> np.round(np.abs(R[0]), 12)
    array([5. , 2.2])
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {_MODES}, got {mode!r}")
    A = as_array(a, "a")
    if A.ndim < 2:
        raise ValueError(f"a must be a matrix or a stack of matrices, got {A.ndim}-d")
    if A.ndim == 2:
        return _pack(_qr(A, overwrite_a, mode, pivoting, check_finite), mode)
    shape = A.shape[:-2]
    if math.prod(shape) == 0:
        raise ValueError(f"a is a stack of shape {shape}, which holds no matrix")
    if check_finite and A.size:
        check_finite_magnitude(A, "a")
    if 0 < A.shape[-2] * A.shape[-1] <= _SMALL:
        A = whole_strides(A)
        compiled = qr_stack(A, places(A), mode, pivoting=pivoting)
        return _pack(tuple(x.reshape(shape + x.shape[1:]) for x in compiled), mode)
    matrices = A.reshape(math.prod(shape), *A.shape[-2:])
    factors = for_each(lambda M: _qr(M, overwrite_a, mode, pivoting, check_finite), matrices)
    stacked = [np.stack(part) for part in zip(*factors, strict=True)]
    return _pack(tuple(x.reshape(shape + x.shape[1:]) for x in stacked), mode)


def _pack(parts: tuple[Array, ...], mode: str) -> tuple[Any, ...]:
    return ((parts[0], parts[1]), *parts[2:]) if mode == "raw" else parts


def _qr(A: Array, overwrite: bool, mode: str, pivoting: bool, check: bool) -> tuple[Array, ...]:
    """Return Q (qr and tau when raw; nothing with mode r), R and, pivoted, P."""
    m, n = A.shape
    k = min(m, n)
    working = working_copy(A, "a", overwrite=overwrite, check_finite=check)
    W = core = working.W
    if 0 < A.size <= _SMALL:
        return _by_lapack(W, mode, pivoting, working.exponent)
    plan = choose(m, n, A.dtype, want="qr")
    pivots: tuple[Array, ...] = ()
    if pivoting:
        outer = []
        if plan.reduce and mode != "raw":
            outer = [Reflectors.of_qr(W, plan.block)]
            core = np.asfortranarray(np.triu(W[:k]))
        inner, p, _, _ = pivoted_qr(core, plan)
        pivots = (p,)
        Q = Product(*outer, inner)
    else:
        inner = Reflectors.of_qr(W, plan.block)
        Q = Product(inner)
    short = mode == "economic" or (mode == "raw" and m > n)
    R = np.zeros((k if short else m, n), A.dtype)
    R[:k] = np.triu(core[:k])
    unscale(R, working.exponent)
    if mode == "r":
        return (R, *pivots)
    if mode == "raw":
        W[:k] = np.tril(W[:k], -1) + R[:k]
        return (W, inner.tau, R, *pivots)
    return (Q.columns(0, m if mode == "full" else k), R, *pivots)


def _by_lapack(W: Array, mode: str, pivoting: bool, exponent: int) -> tuple[Array, ...]:
    """Return what `_qr` does, by LAPACK alone, which at small orders has nothing to block."""
    geqrf, geqp3, generate = _LAPACK[W.dtype.char]
    (m, n), k = W.shape, min(W.shape)
    pivots: tuple[Array, ...] = ()
    if pivoting:
        W, p, tau, _, _ = geqp3(W, lwork=2 * n + _BLOCK * (n + 1), overwrite_a=True)
        p -= 1
        pivots = (p,)
    else:
        W, tau, _, _ = geqrf(W, lwork=_BLOCK * n, overwrite_a=True)
    R = upper(W, k)
    if m > n and mode in ("full", "r"):
        R = np.concatenate([R, np.zeros((m - n, n), W.dtype)])
    unscale(R, exponent)
    if mode == "r":
        return (R, *pivots)
    if mode == "raw":
        if exponent:
            W[:k] = np.tril(W[:k], -1) + R[:k]
        return (W, tau, R, *pivots)
    if mode == "full" and m > n:
        square = np.zeros((m, m), W.dtype, order="F")
        square[:, :n] = W
        W = square
    Q, _, _ = generate(W[:, :m], tau, lwork=_BLOCK * W.shape[1], overwrite_a=True)
    return (Q, R, *pivots)
