"""Interpolative decomposition: all columns of a matrix from a few of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.rank.certificate import Certificate
from fastsub.functions.sources import elsewhere
from fastsub.html import card
from fastsub.kernels import blas


class Interpolative:
    """``A = A[:, columns] @ coefficients``, up to what the rank leaves out.

    Attributes
    ----------
    columns : ndarray of intp, shape (k,)
    coefficients : ndarray, shape (k, n)
        The identity in `columns`.
    rank : int
        k.
    error_bound : float
        Proved: at least ``norm(A - A[:, columns] @ coefficients, 2)``.
    certificate : Certificate

    Notes
    -----
    It unpacks as ``columns, coefficients``.

    Examples
    --------
    >>> import fastsub
    >>> fastsub.interpolative([[1, 2], [3, 6], [4, 8]], rtol=1e-12)
    <Interpolative of 3 x 2: rank 1>
    """

    def __init__(self, F: RRQR) -> None:
        R, p = F.R, F.p
        k, n = R.shape
        self.shape: tuple[int, int] = F.shape
        self.rank: int = k
        self.columns: Array = p[:k].copy()
        self.certificate: Certificate = F.certificate
        self.error_bound = float(self.certificate.sigma_next_upper)
        T = np.asfortranarray(R[:, k:])
        if T.size:
            blas.py_trsm("L", "U", "N", "N", np.asfortranarray(R[:, :k]), T)
        self.coefficients = np.zeros((k, n), R.dtype)
        self.coefficients[:, p[:k]] = np.eye(k)
        self.coefficients[:, p[k:]] = T

    def __iter__(self) -> Iterator[Array]:
        return iter((self.columns, self.coefficients))

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<Interpolative of {m} x {n}: rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {
            "columns": self.columns,
            "coefficients": self.coefficients,
            "norm(A - A[:, columns] coefficients), at most": self.error_bound,
        }
        return card(repr(self), rows, proof=self.certificate)


def interpolative(
    A: Any, *, rank: int | None = None, rtol: float | None = None, rng: Any = None
) -> Interpolative:
    """Write all columns of a matrix as combinations of a few of them.

    Parameters
    ----------
    A : array_like or LinearOperator, shape (m, n)
        Real or complex matrix.
    rank : int, optional
        How many columns.
    rtol : float, optional
        As many as singular values are above ``rtol`` times the largest. With neither,
        ``rtol = eps * max(m, n)``: what is exact to rounding.
    rng : seed or Generator, optional
        For randomised pivoting; it never changes whether the error is proved.

    Returns
    -------
    Interpolative
        Unpacks as ``columns, coefficients``.

    Raises
    ------
    ValueError
        NaN or infinity in A, not a matrix, rank out of range, both `rank` and `rtol`, or a rank
        that takes columns which depend on one another to the last bit.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    scipy.linalg.interpolative : the same with an estimated error.
    low_rank : smaller errors, but no columns of A.

    Notes
    -----
    Cost: 4 m n rank flops.

    References
    ----------
    .. [1] Cheng, Gimbutas, Martinsson & Rokhlin, On the compression of low rank matrices, SIAM J.
       Sci. Comput. 26 (2005).

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> A = np.array([[1.0, 2.0, 0.0], [3.0, 6.0, 1.0]])
    >>> columns, T = fastsub.interpolative(A)
    >>> columns.tolist(), bool(np.allclose(A[:, columns] @ T, A))
    ([1, 2], True)
    """
    if (answer := elsewhere(A, interpolative)) is not None:
        return answer(A, rank=rank, rtol=rtol, rng=rng)
    if rank is None and rtol is None:
        F = RRQR(A, rng=rng)
        F = RRQR(A, rank=F.rank, rng=rng) if F.rank < F.R.shape[0] else F
    else:
        F = RRQR(A, rank=rank, rtol=rtol, rng=rng)
    if not np.diagonal(F.R).all():
        rank = int(np.count_nonzero(np.diagonal(F.R)))
        raise ValueError(f"rank must be at most {rank} here: no more columns are independent")
    return Interpolative(F)
