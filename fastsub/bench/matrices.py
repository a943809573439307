"""Seeded inputs whose rank nobody can dispute, or (`undecided`) everybody can.

They are made by SciPy's BLAS alone: what NumPy's multiplies keeps its thread pool spinning for a
tenth of a second, and would have to be waited for before anything is timed (see `timing`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Order = Literal["C", "F"]
Array = NDArray[Any]

# Smallest over largest nonzero singular value. At 2000×2000 in float32 the cutoff is 2.4e-4.
SIGMA_RATIO = 1e-2


def product(A: Array, B: Array) -> Array:
    """Return A B, Fortran-ordered; B a matrix or a vector."""
    if B.ndim == 1:
        return product(A, B[:, None])[:, 0]
    if not (A.size and B.size):
        return np.zeros((A.shape[0], B.shape[1]), np.result_type(A, B), order="F")
    (gemm,) = scipy.linalg.get_blas_funcs(("gemm",), (A, B))
    left, right = (M.flags.c_contiguous and not M.flags.f_contiguous for M in (A, B))
    C: Array = gemm(1.0, A.T if left else A, B.T if right else B, trans_a=left, trans_b=right)
    return C


def norm(A: Array) -> float:
    """Return the Frobenius norm."""
    return float(scipy.linalg.norm(A, check_finite=False)) if A.size else 0.0


def gaussian(rng: np.random.Generator, m: int, n: int, dtype: str) -> Array:
    """Return an (m, n) matrix of normal entries, in double precision whatever the dtype."""
    G: Array = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        G = (G + 1j * rng.standard_normal((m, n))) / np.sqrt(2)
    return G


def _orthonormal(rng: np.random.Generator, m: int, r: int, dtype: str) -> Array:
    """Return (m, r) orthonormal columns; nearly so (condition about 3) when m >= 4 r, for speed."""
    G = gaussian(rng, m, r, dtype)
    if m >= 4 * r:
        G /= np.sqrt(m)
        return G
    Q: Array = scipy.linalg.qr(G, mode="economic", overwrite_a=True, check_finite=False)[0]
    return Q


def with_singular_values(
    rng: np.random.Generator, m: int, n: int, sigma: Array, dtype: str, order: Order = "C"
) -> Array:
    """Return U diag(sigma) Vᴴ with random U (m, r) and V (n, r), r = len(sigma)."""
    r = len(sigma)
    A = np.zeros((m, n), dtype=dtype)
    if r:
        U = _orthonormal(rng, m, r, dtype)
        V = _orthonormal(rng, n, r, dtype)
        A = product(U * sigma, V.conj().T)
    return np.asarray(A, dtype=dtype, order=order)


def of_rank(
    rng: np.random.Generator, m: int, n: int, r: int, dtype: str = "float64", order: Order = "C"
) -> Array:
    """Return an (m, n) matrix of rank r, nonzero singular values spread over two decades."""
    return with_singular_values(rng, m, n, np.geomspace(1, SIGMA_RATIO, r), dtype, order)


def ill_conditioned(
    rng: np.random.Generator, m: int, n: int, r: int, dtype: str = "float64", order: Order = "C"
) -> Array:
    """Return an (m, n) matrix of rank r, nonzero singular values spread over five decades."""
    return with_singular_values(rng, m, n, np.geomspace(1, 1e-5, r), dtype, order)


def undecided(
    rng: np.random.Generator, m: int, n: int, r: int, dtype: str = "float64", order: Order = "C"
) -> Array:
    """Return a matrix whose r-th singular value is 1.05 times the default cutoff eps·max(m, n).

    No bound short of the singular values themselves can decide its rank. Needs ``r >= 2``.
    """
    sigma = np.geomspace(1, SIGMA_RATIO, r)
    sigma[-1] = 1.05 * max(m, n) * np.finfo(dtype).eps
    # Orthonormal to rounding on both sides, or the singular values would not be these.
    U, V = (scipy.linalg.qr(gaussian(rng, rows, r, dtype), mode="economic")[0] for rows in (m, n))
    return np.asarray(product(U * sigma, V.conj().T), dtype=dtype, order=order)


@lru_cache(maxsize=1)
def _vectors(m: int, n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng([m, n])
    U, V = (_orthonormal(rng, rows, min(m, n), "float64") for rows in (m, n))
    return U, V


@lru_cache(maxsize=5)
def _member(m: int, n: int, r: int) -> Array:
    U, V = _vectors(m, n)
    return product(U[:, :r] * np.geomspace(1, SIGMA_RATIO, r), V[:, :r].T)


def of_family(
    rng: np.random.Generator, m: int, n: int, r: int, dtype: str = "float64", order: Order = "C"
) -> Array:
    """Return an (m, n) matrix of rank r, cheaply where those of other ranks are wanted too.

    All of one shape have the same singular vectors, whatever `rng`; the last are remembered.
    """
    return np.asarray(_member(m, n, r), dtype=dtype, order=order)


def right_hand_side(rng: np.random.Generator, A: Array, k: int | None) -> Array:
    """Return b = A x + noise, (m,) or (m, k), with a residual about as long as A x."""
    m, n = A.shape
    columns = 1 if k is None else k
    b = product(A, gaussian(rng, n, columns, str(A.dtype)))
    noise = gaussian(rng, m, columns, str(A.dtype))
    b = np.asarray(b + noise * (norm(b) / norm(noise)), dtype=A.dtype)
    return b[:, 0] if k is None else b
