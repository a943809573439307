"""Reduced row echelon form of a floating-point matrix."""

from __future__ import annotations

from typing import Any

from fastsub.factor.echelon import Echelon
from fastsub.functions.sources import elsewhere


def rref(
    A: Any, *, rtol: float | None = None, transform: bool = False, check_finite: bool = True
) -> Echelon:
    """Return the reduced row echelon form, pivots in the leftmost independent columns.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix; integers are taken as float64 (`fastsub.exact.rref` is exact).
    rtol : float, optional
        A column depends on the pivot columns to its left if perturbing these columns, each by no
        more than ``rtol`` relative to its norm, makes it so; ``eps * max(m, n)`` by default.
    transform : bool, default False
        Also compute a nonsingular ``T`` with ``T @ A = R``.
    check_finite : bool, default True
        Raise on NaN and infinity.

    Returns
    -------
    Echelon
        Unpacks as ``R, pivots``.

    Raises
    ------
    ValueError
        NaN or infinity in A, not a matrix, a negative or NaN `rtol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    null_space : an orthonormal basis, with a rank decided by singular values.
    rrqr : the independent columns chosen by size, not from the left.

    Notes
    -----
    Cost: see `Echelon`. The decision is made column by column, so `Echelon.rank` may differ from
    the number of singular values above the tolerance, which `Echelon.certificate` reports.

    References
    ----------
    .. [1] Jeannerod, Pernet & Storjohann, Rank-profile revealing Gaussian elimination and the CUP
       matrix decomposition, J. Symbolic Comput. 56 (2013).

    Examples
    --------
    >>> import fastsub
    >>> R, pivots = fastsub.rref([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    >>> R.round(12) + 0.0
    array([[ 1.,  0., -1.],
           [ 0.,  1.,  2.],
           [ 0.,  0.,  0.]])
    >>> pivots
    (0, 1)
    """
    if (answer := elsewhere(A, rref)) is not None:
        if transform:
            raise TypeError(
                f"transform=True is for a matrix in memory, got a {type(A).__name__}: T would have "
                "as many columns as A has rows; leave it out"
            )
        return answer(A, rtol=rtol)
    return Echelon(A, rtol, transform=transform, check_finite=check_finite)
