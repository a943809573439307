"""The first columns of a pivoted QR, A only read: one sketch, the chosen columns, one product.

    S = A^T Omega           the pivots of one block (kernels/rqrcp.pyx)
    A P1 = Q R11            Householder QR of those k columns alone
    R12 = Q^H A P2          instead of an update of all that is left of A
    left = ||A - Q R||_F    a panel at a time (kernels/residual.pyx)

Three passes over A, each a product, and no copy of it.

References
----------
Melnichenko et al., Anatomy of high-performance column-pivoted QR decomposition, arXiv:2507.00976
    (2025): the pivots.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), theorem 19.4: Q and R11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe, upper
from fastsub.factor.choose import Plan
from fastsub.factor.orthogonal.reflectors import OVERSAMPLING, Reflectors, random_matrix
from fastsub.factor.products import product
from fastsub.kernels import qrcp, residual, rqrcp


@dataclass(frozen=True, slots=True)
class Leading:
    """``A[:, p] = Q (R11 R12)`` up to what is left.

    Attributes
    ----------
    Q : Reflectors
        k of them, of order m.
    R : ndarray, shape (k, n)
    p : ndarray of intc, shape (n,)
    left : float
        Frobenius norm of what is left.
    """

    Q: Reflectors
    R: Array
    p: Array
    left: float


def leading_columns(A: Array, k: int, plan: Plan, rng: Any = None) -> Leading | None:
    """Return the first k columns of QR with column pivoting, or None: A is not for this path.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes; None if neither rows nor columns are contiguous, and if entries
        are not finite, all zero, or near the ends of the range.
    k : int
        From 1 to the columns of one sketched block of the plan, else None.
    plan : Plan
    rng : seed or Generator, optional

    Notes
    -----
    Cost: 6 m n k flops, in products.
    """
    m, n = A.shape
    if not 0 < k <= plan.sketch or not (A.flags.c_contiguous or A.flags.f_contiguous):
        return None
    d = k + OVERSAMPLING
    # A^H Omega: conjugates choose the same columns.
    S = product(A, random_matrix(m, d, A.dtype, rng), adjoint=True)
    norms = np.empty(2 * max(n, d))
    # What is not finite in A is not finite here, nor does what is out of range come back into it.
    if not is_safe(qrcp.py_column_norms(S, norms), A.dtype):
        return None
    pivots = np.empty(2 * n + d, np.intc)
    rqrcp.py_choose_pivots(S, pivots, norms, np.empty(n * d, A.dtype), k)
    p = np.concatenate([pivots[:k], np.delete(np.arange(n, dtype=np.intc), pivots[:k])])
    Q = Reflectors.of_qr(np.asfortranarray(A[:, p[:k]]), plan.block)
    columns = Q.columns(0, k)
    R11 = upper(Q.V, k)
    R = np.asfortranarray(product(A, columns, adjoint=True).conj().T)
    R[:, p[:k]] = R11
    work = np.empty(residual.py_work_size(A), A.dtype)
    left = residual.py_residual_norm(A, columns, R, work)
    return Leading(Q, np.asfortranarray(R[:, p]), p, left)
