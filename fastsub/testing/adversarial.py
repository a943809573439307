"""Matrices built against rank-revealing QR: pivoting fails on them, or nearly does.

References
----------
W. Kahan, 1966, "Numerical linear algebra", Canadian Math. Bulletin 9.
M. Gu and S. C. Eisenstat, 1996, "Efficient algorithms for computing a strong rank-revealing QR
factorization", SIAM J. Sci. Comput. 17.
G. W. Stewart, 1999, "The QLP approximation to the singular value decomposition", SIAM J. Sci.
Comput. 20.
J. Demmel, L. Grigori, M. Gu and H. Xiang, 2015, "Communication avoiding rank revealing QR
factorization with column pivoting", SIAM J. Matrix Anal. Appl. 36.
D. C. Sorensen and M. Embree, 2016, "A DEIM induced CUR factorization", SIAM J. Sci. Comput. 38.
K. J. Pearce, I. C. F. Ipsen, M. A. Haider, A. K. Saibaba and R. C. Smith, 2022, "Robust parameter
identifiability analysis via column subset selection" (the last two families as random matrices).
"""

from __future__ import annotations

import numpy as np

from fastsub.testing.spectra import RNG, Array, random_orthonormal, with_singular_values

_EPS = float(np.finfo(np.float64).eps)


def _kahan_triangle(n: int, c: float, s: float) -> Array:
    """diag(1, s, s^2, ...) (I - c * strictly upper triangle of ones)."""
    return np.asarray(s ** np.arange(n)[:, None] * (np.eye(n) - c * np.triu(np.ones((n, n)), 1)))


def kahan(n: int, theta: float = 1.2, perturbation: float = 25 * _EPS) -> Array:
    """Kahan's triangle: its last diagonal entry hides a far smaller singular value.

    ``diag(s^(i-1)) (I - c triu(1))`` with s = sin theta, c = cos theta, plus
    ``perturbation * (n - i + 1)`` on the diagonal, which keeps rounding from making QR with
    column pivoting exchange columns.

    Parameters
    ----------
    n : int
        Order.
    theta : float
        Angle in (0, pi/2).
    perturbation : float
        25 eps by default, eps that of double precision.

    Returns
    -------
    A : (n, n) ndarray
        Upper triangular. sigma_{n-1} stays near the last diagonal entry, sigma_n falls below it
        by a factor that grows like (1 + c)^n.

    References
    ----------
    Kahan 1966; Golub and Van Loan 2013, section 5.4.3; Higham 2002, section 8.3.

    Examples
    --------
    >>> A = kahan(90)
    >>> sigma = np.linalg.svd(A, compute_uv=False)
    >>> bool(sigma[-1] < 1e-10 * A[-1, -1])
    True
    """
    A = _kahan_triangle(n, np.cos(theta), np.sin(theta))
    return A + np.diag(perturbation * np.arange(n, 0, -1))


def kahan_scaled(n: int = 100, c: float = 0.6, tau: float = 1e-7) -> Array:
    """Kahan's triangle with column j scaled by (1 - tau)^(j-1): column pivoting never pivots.

    Parameters
    ----------
    n : int
        Order; 100 in the literature.
    c : float
        Cosine of the angle; s = sqrt(1 - c^2) = 0.8 by default.
    tau : float
        Relative decrease from one column to the next.

    Returns
    -------
    A : (n, n) ndarray
        Upper triangular.

    References
    ----------
    Demmel, Grigori, Gu and Xiang 2015.
    """
    columns = (1 - tau) ** np.arange(n)
    return np.asarray(_kahan_triangle(n, c, float(np.sqrt(1 - c * c))) * columns)


def gu_eisenstat(n: int, zeta: float = 0.9) -> Array:
    """Gu and Eisenstat's triangle: the leading n - 2 columns span badly, and no swap test sees it.

    With k = n - 2, X = the Kahan triangle of order k - 1 (s = zeta, c = phi = sqrt(1 - zeta^2))
    and mu = min_i 1/norm(X^-1(i, :)) / sqrt(k)::

        [ X   0   0   -phi S 1 ]      S = diag(zeta^(i-1))
        [ 0   mu  0     0      ]
        [ 0   0   mu    0      ]
        [ 0   0   0     mu     ]

    Parameters
    ----------
    n : int
        Order, at least 4.
    zeta : float
        In (0, 1).

    Returns
    -------
    A : (n, n) ndarray
        Upper triangular. sigma_{n-2} = sigma_{n-1} = mu and sigma_n lies far below, yet the last
        column is a combination of the leading ones with coefficients up to phi (1 + phi)^(k-2).

    References
    ----------
    Gu and Eisenstat 1996; Pearce et al. 2022.
    """
    if n < 4:
        raise ValueError(f"gu_eisenstat needs n >= 4, got {n}.")
    k = n - 2
    phi = np.sqrt(1 - zeta * zeta)
    X = _kahan_triangle(k - 1, phi, zeta)
    mu = 1 / (np.sqrt(k) * np.linalg.norm(np.linalg.inv(X), axis=1).max())
    A = np.diag(np.full(n, mu))
    A[: k - 1, : k - 1] = X
    A[: k - 1, -1] = -phi * zeta ** np.arange(k - 1)
    return A


def devils_stairs(n: int, length: int = 20, rng: RNG = 1923) -> Array:
    """Stewart's devil's stairs: sigma_i = 10^(-0.6 floor((i-1)/length)), many gaps in a row.

    Parameters
    ----------
    n, length : int
        Order, and length of a step.
    rng : numpy.random.Generator or int
        Source of the orthogonal factors.

    Returns
    -------
    A : (n, n) ndarray

    References
    ----------
    Stewart 1999; Demmel, Grigori, Gu and Xiang 2015.
    """
    return with_singular_values(10.0 ** (-0.6 * (np.arange(n) // length)), n, n, rng)


def stewart_gap(n: int = 100, rng: RNG = 1929) -> Array:
    """Rank n/2 under noise ten times smaller than the last singular value that counts.

    ``U diag(sigma) V^T + 0.1 sigma_{n/2} E``; sigma falls geometrically from 1 to 1e-3 over the
    first n/2 values and is 0 then; E is Gaussian divided by 2 sqrt(n), so its norm is about 1 and
    the gap survives at every n (Stewart leaves E unnormalised).

    Parameters
    ----------
    n : int
        Order, at least 2; 100 in the literature.
    rng : numpy.random.Generator or int
        Source of U, V and E.

    Returns
    -------
    A : (n, n) ndarray
        Numerically of full rank: the gap shows at rtol about 5e-4, not at rounding level.

    References
    ----------
    Stewart 1999.
    """
    rng = np.random.default_rng(rng)
    sigma = np.geomspace(1, 1e-3, n // 2)
    noise = rng.standard_normal((n, n)) / (2 * np.sqrt(n))
    return np.asarray(with_singular_values(sigma, n, n, rng) + 0.1 * sigma[-1] * noise)


def sorensen_embree(m: int, n: int, k: int, tail: float = 1e-10, rng: RNG = 1931) -> Array:
    """Singular vectors on which greedy selection loses a factor that grows like 2^k.

    The leading k right singular vectors V_k span the columns of the (n, k) matrix with ones on the
    diagonal, -1 below it and 0 above: partial pivoting and DEIM keep its first k rows, and
    norm(V_k(1:k, :)^-1) grows like 2^k.

    Parameters
    ----------
    m, n, k : int
        Shape, and number of leading singular values, k < n <= m.
    tail : float
        The trailing n - k singular values; the leading ones fall from 1 to 0.1.
    rng : numpy.random.Generator or int
        Source of the left singular vectors and of the trailing right ones.

    Returns
    -------
    A : (m, n) ndarray

    References
    ----------
    Sorensen and Embree 2016 (worst case of the growth factor); Pearce et al. 2022.
    """
    if not 0 < k < n <= m:
        raise ValueError(f"sorensen_embree needs 0 < k < n <= m, got m={m}, n={n}, k={k}.")
    rng = np.random.default_rng(rng)
    L = np.tril(-np.ones((n, k)), -1)
    np.fill_diagonal(L, 1)
    V = np.linalg.qr(np.hstack([L, rng.standard_normal((n, n - k))])).Q  # (n, n)
    sigma = np.concatenate([np.geomspace(1, 0.1, k), np.full(n - k, tail)])
    return np.asarray((random_orthonormal(m, n, rng) * sigma) @ V.T)
