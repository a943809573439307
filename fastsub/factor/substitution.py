"""Substitution by halves: a triangular solve at the speed of gemm, and as stable as any other.

    B R^-1,  R = (R11 R12; 0 R22):    B1 := B1 R11^-1,  B2 := (B2 - B1 R12) R22^-1

Only triangles of a few columns are left to the BLAS, whose own substitution is two to five times
slower than its product. No inverse is formed, so that every row of B (side R) or column of it (side
L) is the solution of a system with R + E, |E| <= gamma_n |R|.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 8.1 and 13.2:
    the error bound of substitution holds for any order of its sums.
"""

from __future__ import annotations

from fastsub.factor.arrays import Array
from fastsub.kernels import blas

# Order up to which the BLAS substitutes: what is left to it is this part of the order of R.
_LEAST = 48


def divide(B: Array, R: Array, *, adjoint: bool = False) -> None:
    """B := B R^-1, or B R^-H.

    Parameters
    ----------
    B : ndarray, shape (k, n)
        Fortran-ordered, or columns of such an array.
    R : ndarray, shape (n, n)
        Its upper triangle alone is read; likewise.
    adjoint : bool
    """
    n = len(R)
    if n <= _LEAST:
        blas.py_trsm("R", "U", "C" if adjoint else "N", "N", R, B)
        return
    half = n // 2
    B1, B2, R12 = B[:, :half], B[:, half:], R[:half, half:]
    if adjoint:
        divide(B2, R[half:, half:], adjoint=True)
        blas.py_gemm("N", "C", B2, R12, B1, alpha=-1, beta=1)
        divide(B1, R[:half, :half], adjoint=True)
        return
    divide(B1, R[:half, :half])
    blas.py_gemm("N", "N", B1, R12, B2, alpha=-1, beta=1)
    divide(B2, R[half:, half:])


def solve(R: Array, B: Array, *, adjoint: bool = False) -> None:
    """B := R^-1 B, or R^-H B; B (n, k), else as `divide`."""
    n = len(R)
    if n <= _LEAST:
        blas.py_trsm("L", "U", "C" if adjoint else "N", "N", R, B)
        return
    half = n // 2
    B1, B2, R12 = B[:half], B[half:], R[:half, half:]
    if adjoint:
        solve(R[:half, :half], B1, adjoint=True)
        blas.py_gemm("C", "N", R12, B1, B2, alpha=-1, beta=1)
        solve(R[half:, half:], B2, adjoint=True)
        return
    solve(R[half:, half:], B2)
    blas.py_gemm("N", "N", R12, B2, B1, alpha=-1, beta=1)
    solve(R[:half, :half], B1)
