"""An orthonormal basis of the column space of a stream: two passes, the second one writes.

    pass 1      R of the rows; V1 its row space, R V1 = Q1 T        (A V1 = Q T, T (r, r))
    pass 2      block by block  Y := X V1 T^-1, written, and the Gram matrix of all Y
    after it    Y := Y K^-1 with K^H K = Y^H Y, in place

Y has orthonormal columns up to about kappa u, kappa = sigma_1 / sigma_r, at most 1 / 2 max(m, n) at
the default cutoff: its Gram matrix is near I, and one step of Cholesky QR makes it orthonormal to
rounding. The Gram matrix of blocks is summed pairwise.

References
----------
Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
    Electron. Trans. Numer. Anal. 44 (2015).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array, check_tolerance
from fastsub.factor.gram import gram_matrix
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.kernels import blas, gram
from fastsub.streams.reduced import Reduced
from fastsub.streams.stream import Stream, stream

# ||Y^H Y - I||_F up to which the rounding of the Gram matrix and of one step is all that is left.
_CLOSE = 0.1


def orth(
    A: Any,
    rcond: float | None = None,
    *,
    rng: Any = None,
    full_output: bool = False,
    out: Any = None,
) -> Any:
    """As `fastsub.orth`; `out` is an array (m, rank), or the path of a .npy file to be made."""
    A = A if isinstance(A, Stream) else stream(A.row_blocks)
    reducer = A.reduce()
    result = reducer.result(check_tolerance(rcond, "rcond"))
    m, r = result.shape[0], result.rank
    out = _open(out, (m, r), result.dtype, A.max_memory)
    transform = to_orthonormal(result)
    A.restartable("the column space (a second pass)")
    total = np.zeros((r, r), result.dtype, order="F")
    row = 0
    for block in A.row_blocks():
        X = np.asarray(block, result.dtype)
        Y = product(X, transform)
        total += gram_matrix(Y)
        out[row : row + len(Y)] = Y
        row += len(Y)
    K = cholesky_of(total)
    step = max(1, A.max_memory // (8 * max(r, 1) * out.dtype.itemsize))
    for first in range(0, m if r else 0, step):
        out[first : first + step] = divide(out[first : first + step], K)
    return (out, result.certificate) if full_output else out


def to_orthonormal(result: Reduced) -> Array:
    """Return V1 T^-1, shape (n, r): A times it has nearly orthonormal columns."""
    V1 = np.asfortranarray(result.row_space())
    r = result.rank
    if not r:
        return V1
    T = product(result.R, V1)
    Reflectors.of_qr(T, 32)
    T = np.asfortranarray(np.triu(T[:r]))
    X = V1.copy(order="F")
    blas.py_trsm("R", "U", "N", "N", T, X)
    np.ldexp(X.real, result.exponent, out=X.real)
    if X.dtype.kind == "c":
        np.ldexp(X.imag, result.exponent, out=X.imag)
    return X


def cholesky_of(G: Array) -> Array:
    """Return K with K^H K = G, G (its upper triangle) the Gram matrix of nearly orthonormal Y."""
    K = np.array(np.triu(G), order="F")
    error = K.copy()
    error[np.diag_indices(len(G))] -= 1
    if not np.linalg.norm(error) <= _CLOSE or gram.py_cholesky(K) != 0:
        raise ConvergenceError(
            f"the columns are too ill-conditioned for a basis in two passes: norm(Y^H Y - I) = "
            f"{np.linalg.norm(error):.1e}; pass a larger rcond, which drops directions"
        )
    return K


def divide(Y: Array, K: Array) -> Array:
    """Return Y K^-1."""
    Y = np.array(Y, order="F")
    if Y.size:
        blas.py_trsm("R", "U", "N", "N", K, Y)
    return Y


def _open(out: Any, shape: tuple[int, int], dtype: Any, max_memory: int) -> Any:
    if out is None:
        size = shape[0] * shape[1] * np.dtype(dtype).itemsize
        if size > max_memory:
            raise MemoryError(
                f"a basis of shape {shape} takes {size:,} bytes, more than "
                f"max_memory={max_memory:,}; pass out= an array of that shape, or the path of a "
                ".npy file to be made"
            )
        return empty(shape, dtype)
    if isinstance(out, (str, os.PathLike)):
        if 0 in shape:
            raise ValueError(f"a basis of shape {shape} has nothing to be written to a file")
        return np.lib.format.open_memmap(Path(out), mode="w+", dtype=dtype, shape=shape)
    if tuple(getattr(out, "shape", ())) != shape:
        raise ValueError(f"out must have shape {shape}, got {getattr(out, 'shape', None)}")
    if not np.can_cast(dtype, out.dtype):
        raise ValueError(f"out must hold {np.dtype(dtype)}, got {out.dtype}")
    return out


def multiply(A: Any, x: Array, dtype: Any) -> Array:
    """Return A x, shape (m, k), by one pass."""
    parts = [
        product(np.asarray(block, dtype), np.asfortranarray(x, dtype)) for block in A.row_blocks()
    ]
    return np.asfortranarray(np.concatenate(parts)) if parts else np.empty((0, x.shape[1]), dtype)
