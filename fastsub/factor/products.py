"""Products and norms on the BLAS of the kernels: NumPy's runs on a thread pool of its own."""

from __future__ import annotations

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import empty, zeros
from fastsub.kernels import blas, qrcp


def product(A: Array, B: Array, *, adjoint: bool = False) -> Array:
    """Return A B or A^H B, Fortran-ordered, on the BLAS of the kernels, without copying A.

    NumPy's ``@`` runs on a thread pool of its own, which fights with that one.
    """
    C = empty((A.shape[1] if adjoint else A.shape[0], B.shape[1]), A.dtype)
    if A.flags.c_contiguous and not A.flags.f_contiguous:
        if adjoint and A.dtype.kind == "c":
            blas.py_gemm("N", "N", A.T, np.asfortranarray(B.conj()), C)
            np.conj(C, out=C)
            return C
        blas.py_gemm("N" if adjoint else "T", "N", A.T, np.asfortranarray(B), C)
        return C
    blas.py_gemm("C" if adjoint else "N", "N", np.asfortranarray(A), np.asfortranarray(B), C)
    return C


def herk(A: Array) -> Array:
    """Return the upper triangle of A^H A, zeros below, by one BLAS call: a contiguous A stays."""
    G = zeros((A.shape[1], A.shape[1]), A.dtype)
    if not A.size:
        return G
    if A.flags.c_contiguous and not A.flags.f_contiguous:
        blas.py_herk("U", "N", A.T, G)
        if A.dtype.kind == "c":
            np.conj(G, out=G)
        return G
    blas.py_herk("U", "C", np.asfortranarray(A), G)
    return G


def column_norms(A: Array) -> Array:
    """Return the norms of the columns of a Fortran-ordered array."""
    norms = np.zeros(2 * A.shape[1])
    if A.size:
        qrcp.py_column_norms(A, norms)
    return norms[: A.shape[1]]
