"""Square systems by LU with partial pivoting, the rank proved by the inverses of its triangles.

A C-ordered A is factored as the column-major A^T that it is. The inverses take the place of the
triangles (lu.py), 2 n^3 / 3 flops on top of as many; refinement by r = b - A x makes up for what
the growth of pivots may have lost: an x of backward error ||r|| / ||x||, which no QR has smaller
(Skeel 1980). Where pivots vanish, deficient.py goes on with them. Where nothing is proved, the
answer is None and A was only read.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), chapter 12.
Rigal & Gaches, On the compatibility of a given solution with the data of a linear system, J. ACM
    14 (1967): the backward error.
Skeel, Iterative refinement implies numerical stability for Gaussian elimination, Math. Comp. 35
    (1980).
"""

from __future__ import annotations

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.deficient import solve_deficient
from fastsub.factor.least_squares.lu import LU, sigma_1_lower
from fastsub.factor.least_squares.refine import (
    ENOUGH,
    GAIN,
    STEPS,
    Answer,
    describe,
    equilibrate,
    ratios,
)
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms
from fastsub.factor.rank.decide import Cutoff, certify
from fastsub.kernels import normal


def solve_square(A: Array, B: Array, cutoff: Cutoff, *, honest: bool) -> Answer | None:
    """Return the solution of A X = B, or None: not proved.

    Parameters
    ----------
    A : ndarray, shape (n, n)
        Such as `normal.py_reads` says.
    B : ndarray, shape (n, k)
        Fortran-ordered, finite.
    cutoff : Cutoff
    honest : bool
        Whether the certificate shall show the cutoff closely.
    """
    factor = LU(A)
    if not factor.safe:
        return None
    if factor.is_deficient(cutoff):
        return solve_deficient(A, B, factor, cutoff, honest=honest)
    X = factor.solve(B)
    decision = factor.prove(cutoff)
    if decision is None:
        return None
    D, norm = equilibrate(factor.squares, A.real.dtype)
    enough = ENOUGH * float(np.finfo(A.dtype).eps) * norm
    R = empty(B.shape, A.dtype)
    before = np.inf
    for steps in range(STEPS + 1):
        normal.py_residual(A, B, X, R)
        residuals = column_norms(R)
        widths = column_norms(X if D is None else np.asfortranarray(X / D))
        error = ratios(residuals, widths)
        if error <= enough:
            if honest:
                decision.tol = cutoff.bracket(sigma_1_lower(A, factor.norm), factor.norm)[0]
            error = ratios(residuals, column_norms(X)) / factor.norm
            certificate = certify(decision, f"lu, {describe(steps)}", 0, error)
            return Answer(X, residuals**2, certificate)
        if not error <= GAIN * before:
            return None
        before = error
        X += factor.solve(R)
    return None
