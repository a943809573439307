"""Random matrices whose rank or singular values are prescribed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[Any]
RNG = np.random.Generator | int


def _gaussian(shape: tuple[int, int], rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
    real = rng.standard_normal(shape)
    return real + 1j * rng.standard_normal(shape) if dtype.kind == "c" else real


def random_orthonormal(n: int, k: int, rng: RNG = 1907, dtype: DTypeLike = np.float64) -> Array:
    """Orthonormal columns, uniformly (Haar) distributed.

    Parameters
    ----------
    n, k : int
        Rows and columns, k <= n.
    rng : numpy.random.Generator or int
        Source of randomness.
    dtype : dtype
        One of the four floating dtypes; unitary for the complex ones.

    Returns
    -------
    Q : (n, k) ndarray
        Q^H Q = I to rounding.

    References
    ----------
    F. Mezzadri, 2007, "How to generate random matrices from the classical compact groups",
    section 5: the diagonal of R must be made positive.
    """
    dtype = np.dtype(dtype)
    Q, R = np.linalg.qr(_gaussian((n, k), np.random.default_rng(rng), dtype))
    diagonal = np.diagonal(R)
    return np.asarray(Q * (diagonal / np.abs(diagonal)), dtype=dtype)


def with_singular_values(
    sigma: ArrayLike, m: int, n: int, rng: RNG = 1911, dtype: DTypeLike = np.float64
) -> Array:
    """A = U diag(sigma) V^H with random U and V; singular values not listed are zero.

    Parameters
    ----------
    sigma : (k,) array_like
        Singular values, k <= min(m, n), in any order.
    m, n : int
        Shape of the result.
    rng : numpy.random.Generator or int
        Source of randomness for U and V.
    dtype : dtype
        Dtype of the result, which is computed in double precision and then rounded: the singular
        values come out to about eps * max(sigma), not relatively.

    Returns
    -------
    A : (m, n) ndarray

    Examples
    --------
    >>> A = with_singular_values([3, 2, 1], 5, 4, rng=8)
    >>> np.linalg.svd(A, compute_uv=False).round(12) + 0.0
    array([3., 2., 1., 0.])
    """
    rng = np.random.default_rng(rng)
    dtype = np.dtype(dtype)
    wide = np.result_type(dtype, np.float64)
    sigma = np.asarray(sigma, dtype=np.float64)
    U = random_orthonormal(m, sigma.size, rng, wide)  # (m, k)
    V = random_orthonormal(n, sigma.size, rng, wide)  # (n, k)
    return np.asarray((U * sigma) @ V.conj().T, dtype=dtype)


def random_rank(m: int, n: int, r: int, rng: RNG = 1913, dtype: DTypeLike = np.float64) -> Array:
    """Product of a Gaussian (m, r) and a Gaussian (r, n) matrix: rank r, generic in all else.

    Parameters
    ----------
    m, n, r : int
        Shape and rank, 0 <= r <= min(m, n).
    rng : numpy.random.Generator or int
        Source of randomness.
    dtype : dtype
        Dtype of the result; complex Gaussian factors for the complex ones.

    Returns
    -------
    A : (m, n) ndarray
        The r largest singular values are about sqrt(m n), the others rounding noise of the dtype.

    Examples
    --------
    >>> int(np.linalg.matrix_rank(random_rank(7, 5, 3, rng=8)))
    3
    """
    rng = np.random.default_rng(rng)
    dtype = np.dtype(dtype)
    return np.asarray(_gaussian((m, r), rng, dtype) @ _gaussian((r, n), rng, dtype), dtype=dtype)


def gap_spectrum(k: int, r: int, ratio: float = 1e-2, gap: float = 0.0) -> Array:
    """Geometric singular values with a gap at r.

    Parameters
    ----------
    k, r : int
        Number of values and position of the gap, 0 <= r <= k.
    ratio : float
        sigma_r / sigma_1.
    gap : float
        The k - r values after the gap lie between ``gap * sigma_r`` and ``gap**2 * sigma_r``
        when positive; they are 0 by default.

    Returns
    -------
    sigma : (k,) ndarray
        Non-increasing, sigma_1 = 1.
    """
    head = np.geomspace(1.0, ratio, r) if r else np.zeros(0)
    tail = np.geomspace(gap, gap**2, k - r) * ratio if gap > 0 else np.zeros(k - r)
    return np.concatenate([head, tail])


def clustered_spectrum(
    k: int, clusters: int = 3, ratio: float = 1e-3, spread: float = 1e-9
) -> Array:
    """Singular values in clusters of relative width ``spread``: bases inside one are arbitrary.

    Parameters
    ----------
    k, clusters : int
        Number of values and of clusters.
    ratio : float
        From one cluster to the next.
    spread : float
        Relative width of a cluster.

    Returns
    -------
    sigma : (k,) ndarray
        Non-increasing, sigma_1 = 1.
    """
    cluster = np.arange(k) * clusters // max(k, 1)
    return ratio**cluster * (1 - spread * np.arange(k) / max(k, 1))


def one_tiny_spectrum(k: int, tiny: float = 1e-10) -> Array:
    """All singular values 1 except the last, which is ``tiny``.

    Parameters
    ----------
    k : int
        Number of values, at least 1.
    tiny : float
        The last one.

    Returns
    -------
    sigma : (k,) ndarray
    """
    sigma = np.ones(k)
    sigma[-1] = tiny
    return sigma


def integers_of_rank(m: int, n: int, r: int, rng: RNG = 1917, bound: int = 3) -> Array:
    """Integer matrix of exactly rank r, by construction and not by chance.

    Both factors of the product contain the identity, hidden by a random permutation, so that rank
    and entries are exact in any dtype that holds ``r * bound**2``.

    Parameters
    ----------
    m, n, r : int
        Shape and rank, 0 <= r <= min(m, n).
    rng : numpy.random.Generator or int
        Source of randomness.
    bound : int
        Entries of the factors lie in -bound..bound.

    Returns
    -------
    A : (m, n) ndarray of int64
    """
    rng = np.random.default_rng(rng)
    identity = np.eye(r, dtype=np.int64)
    left = np.vstack([identity, rng.integers(-bound, bound + 1, (m - r, r))])  # (m, r)
    right = np.hstack([identity, rng.integers(-bound, bound + 1, (r, n - r))])  # (r, n)
    return np.asarray(rng.permutation(left, axis=0) @ rng.permutation(right, axis=1))
