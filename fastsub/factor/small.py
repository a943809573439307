"""Matrices of small order: one compiled call decides the rank and makes the basis, else an SVD.

Here the matrix itself is the small factor.
"""

from __future__ import annotations

import math

import numpy as np

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import is_small
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, svd_margin
from fastsub.kernels import direct


def decide_small(
    A: Array,
    cutoff: Cutoff,
    *,
    row_side: bool = True,
    complement: bool = True,
    want_basis: bool = True,
    lapack_driver: str = "gesdd",
    svd_too: bool = True,
) -> tuple[Array, Certificate] | None:
    """Return a basis and its certificate, or None: not small, or not finite.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes.
    cutoff : Cutoff
        Singular values above it count.
    row_side, complement : bool
        Which subspace: row space (True, False), null space (True, True), column space (False,
        False), left null space (False, True).
    want_basis : bool
        False: the rank alone, and an empty array for a basis.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD, where bounds cannot decide.
    svd_too : bool
        False: None where bounds cannot decide.
    """
    m, n = A.shape
    if not is_small(m, n, (n if row_side else m) if want_basis and complement else 0):
        return None
    answer = direct.py_decide(
        whole_strides(A),
        row_side,
        complement,
        want_basis,
        *cutoff.terms,
        svd_too,
        lapack_driver == "gesvd",
    )
    if isinstance(answer, int):
        raise ConvergenceError(f"the SVD failed: {lapack_driver} did not converge (info {answer})")
    if answer is None:
        return None
    *claims, basis = answer
    return (_NOTHING if basis is None else basis), Certificate(*claims)


_NOTHING = np.empty(0)


def by_sigma(sigma: Array, size: int, cutoff: Cutoff) -> Decision:
    """Decide the rank by all singular values of a matrix, `size` its longer side."""
    largest = float(sigma[0])
    tol = cutoff.bracket(largest, largest)[0]
    rank = int(np.count_nonzero(sigma > tol))
    margin = svd_margin(float(np.linalg.norm(sigma)), size, sigma.dtype)
    lower = max(0.0, float(sigma[rank - 1]) - margin) if rank else math.inf
    upper = float(sigma[rank]) + margin if rank < sigma.size else 0.0
    return Decision(rank, tol, lower, upper, "svd", upper)
