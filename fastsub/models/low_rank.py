"""Low-rank approximation: A = B C with few columns in B, nearly the best there is.

QR with column pivoting of a few columns more than the rank finds the image; one step of subspace
iteration turns it to the leading singular vectors; a small SVD cuts it to the rank. How good that
is two inequalities say, whatever found it: sigma_k(Q^H A) <= sigma_k(A) for orthonormal Q
(interlacing), and sigma_{k+1}(A) <= ||A - B C|| for any B C of rank k (Eckart & Young 1936).

References
----------
Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53 (2011), section 4.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import svd

from fastsub.factor.arrays import Array, as_matrix, check_tolerance, unscale, working_copy
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.functions.sources import elsewhere
from fastsub.html import card
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import column_norms

# Columns beyond the rank.
_MORE = 10
# Columns of A - B C that are made at a time.
_BLOCK = 256


class LowRank:
    """Factors of a matrix, ``A = B @ C`` up to what the rank leaves out.

    Attributes
    ----------
    B : ndarray, shape (m, k)
        Orthonormal columns, by descending importance.
    C : ndarray, shape (k, n)
        Orthogonal rows; their norms are `singular_values`.
    singular_values : ndarray, shape (k,)
        Estimates of the k largest of A, from below.
    rank : int
        k.
    error_norm : float
        ``norm(A - B @ C)``, Frobenius.
    certificate : Certificate
        Bounds of the k-th singular value and of the next: of what any matrix of rank k misses.

    Notes
    -----
    It unpacks as ``B, C``.

    Examples
    --------
    >>> import fastsub
    >>> B, C = fastsub.low_rank([[1, 2], [3, 6], [4, 8]], rank=1)
    >>> (B @ C).round(12)
    array([[1., 2.],
           [3., 6.],
           [4., 8.]])
    """

    def __init__(
        self, B: Array, s: Array, Vh: Array, error_norm: float, certificate: Certificate
    ) -> None:
        self.B, self.C = B, s[:, None] * Vh
        self.singular_values = s
        self.rank = int(s.size)
        self.error_norm = error_norm
        self.certificate = certificate

    @property
    def image(self) -> Subspace:
        """The span of B: the ceiling of all that these factors can produce."""
        return Subspace.held_by(self.B, self.certificate)

    def project_to_image(self, update: Any) -> Array:
        """Return the part of an update (m, n), or of a vector (m,), that lies in the image."""
        return self.image.project(update)

    def __iter__(self) -> Iterator[Array]:
        return iter((self.B, self.C))

    def __repr__(self) -> str:
        m, n = self.B.shape[0], self.C.shape[1]
        return f"<LowRank of {m} x {n}: rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {
            "B": self.B,
            "C": self.C,
            "singular values": self.singular_values,
            "norm(A - B C)": self.error_norm,
        }
        return card(repr(self), rows, proof=self.certificate)


def low_rank(
    A: Any, *, rank: int | None = None, rtol: float | None = None, rng: Any = None
) -> LowRank:
    """Return two thin factors whose product is near a matrix.

    Parameters
    ----------
    A : array_like or LinearOperator, shape (m, n)
        Real or complex matrix.
    rank : int, optional
        The rank of the factors.
    rtol : float, optional
        As large as singular values are above ``rtol`` times the largest; ``eps * max(m, n)`` by
        default.
    rng : seed or Generator, optional
        For randomised pivoting.

    Returns
    -------
    LowRank
        Unpacks as ``B, C``.

    Raises
    ------
    ValueError
        NaN or infinity in A, not a matrix, rank out of range, both `rank` and `rtol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    interpolative : columns of A itself as the first factor.

    Notes
    -----
    Cost: 12 m n rank flops; where half of min(m, n) is not above the rank, an SVD. The error is
    that of the truncated SVD to a few percent where singular values decay, at most by what the
    certificate shows.

    References
    ----------
    .. [1] Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53 (2011).

    Examples
    --------
    The rank of a layer's weights is a ceiling for its outputs:

    >>> import numpy as np
    >>> import fastsub
    >>> W = np.outer(np.arange(4.0), np.ones(3)) + np.eye(4, 3)
    >>> F = fastsub.low_rank(W, rank=1)
    >>> F, bool(F.error_norm >= np.linalg.svd(W)[1][1])
    (<LowRank of 4 x 3: rank 1>, True)
    """
    if (answer := elsewhere(A, low_rank)) is not None:
        return answer(A, rank=rank, rtol=rtol, rng=rng)
    A = as_matrix(A)
    check_tolerance(rtol, "rtol")
    m, n = A.shape
    full = min(m, n)
    if rank is not None and rtol is not None:
        raise ValueError("give rank or rtol, not both")
    if rank is not None and not 0 <= rank <= full:
        raise ValueError(f"rank must be between 0 and min(m, n) = {full}, got {rank}")
    working = working_copy(A, "A")
    W = working.W
    F: RRQR | None = None
    if rank is None:
        F = RRQR(W, rtol=Cutoff.of(A, rtol).relative, rng=rng)
        k, columns = F.rank, F.rank
    else:
        k, columns = rank, min(full, rank + _MORE)
        if 2 * columns < full:
            F = RRQR(W, rank=columns, rng=rng)
    if F is None:
        U, s, Vh = svd(W, full_matrices=False, check_finite=False)
    else:
        Z = _orthonormal(product(W, np.asfortranarray(F.Q), adjoint=True))
        Q = _orthonormal(product(W, Z))
        small = product(W, Q, adjoint=True).conj().T
        U, s, Vh = svd(small, full_matrices=False, check_finite=False)
        U = product(Q, np.asfortranarray(U))
    B, s, Vh = np.asfortranarray(U[:, :k]), s[:k], Vh[:k]
    error = _distance(W, B, np.asfortranarray(s[:, None] * Vh))
    norm = float(np.linalg.norm(column_norms(W)))
    margin = 2 * rounding_margin(norm, max(m, n), W.dtype) + float(np.finfo(W.dtype).eps) * norm
    lower = max(0.0, float(s[-1]) - margin) if k else math.inf
    upper = error + margin if k < full else 0.0
    decision = Decision(k, upper, lower, upper, "svd" if lower <= upper else "bounds", error)
    certificate = certify(decision, "subspace iteration", working.exponent)
    unscale(s, working.exponent)
    return LowRank(B, s, Vh, math.ldexp(error, -working.exponent), certificate)


def _orthonormal(A: Array) -> Array:
    """Return Q of A = Q R, tall or square."""
    if not A.shape[1]:
        return A
    return Reflectors.of_qr(A, 64).columns(0, A.shape[1])


def _distance(A: Array, B: Array, C: Array) -> float:
    """Return ``norm(A - B C)``, a block of columns at a time."""
    total = 0.0
    for start in range(0, A.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        rest = A[:, part] - product(B, np.asfortranarray(C[:, part]))
        total = math.hypot(total, float(np.linalg.norm(column_norms(rest))))
    return total
