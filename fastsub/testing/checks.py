"""Invariants by name: each check raises an AssertionError that says what was got and wanted.

Bases are never compared entry by entry, only by what they must satisfy. All norms are spectral and
computed in double precision after scaling by powers of two, so 1e300 is as good as 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastsub.testing.spectra import Array
from fastsub.testing.spectrum import (
    gap,
    precision,
    scalar_times_power_of_two,
    times_power_of_two,
    to_unit_scale,
)

ORTHONORMAL = 20
"""Bound of ``norm(Q^H Q - I)`` in units of eps, where no peer is worse."""

ANNIHILATES = 20
"""Bound of ``norm(A N)`` in units of ``eps * norm(A)``, where neither A nor the peer is worse."""

FACTORS = 20
"""Bound of ``norm(A P - Q R)`` in units of ``eps * norm(A)``."""

PEER = 3
"""How much worse than the peer a basis may be."""


def fail_unless(condition: bool | np.bool_, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds, also under ``python -O``.

    Parameters
    ----------
    condition : bool
    message : str
    """
    if not condition:
        raise AssertionError(message)


def _matrix(A: ArrayLike, name: str) -> Array:
    A = np.asarray(A)
    fail_unless(A.ndim == 2, f"{name} is a matrix: got {A.ndim} dimensions, want 2.")
    fail_unless(bool(np.all(np.isfinite(A))), f"{name} is finite: got NaN or infinity.")
    return A


def _norm(A: Array) -> float:
    return float(np.linalg.norm(A, 2)) if A.size else 0.0


def _gram_error(Q: Array) -> float:
    Q = np.asarray(Q, dtype=np.result_type(Q, np.float64))
    return _norm(Q.conj().T @ Q - np.eye(Q.shape[1]))


def _sine(Q: Array, U: Array) -> float:
    """The distance from the unit sphere of span(Q) to span(U), both bases orthonormal."""
    U = np.asarray(U, dtype=np.result_type(U, np.float64))
    return _norm(Q - U @ (U.conj().T @ Q))


def check_orthonormal(Q: ArrayLike, *, peer: ArrayLike | None = None) -> None:
    """The columns of Q are orthonormal: ``norm(Q^H Q - I) <= 20 u``, u = eps of the dtype.

    Parameters
    ----------
    Q : (n, k) array_like
        Any k <= n, also 0.
    peer : (n, l) array_like, optional
        Basis by a trusted method: Q passes as well if its error is at most 3 times this one's.

    Raises
    ------
    AssertionError
        With the error that was got and the bound.

    Examples
    --------
    >>> check_orthonormal(np.eye(3)[:, :2])
    >>> check_orthonormal([[1.0, 1.0], [0.0, 1.0]])
    Traceback (most recent call last):
    ...
    AssertionError: norm(Q^H Q - I): got 1.62e+00, want at most 4.44e-15 (2x2, float64).
    """
    Q = _matrix(Q, "Q")
    n, k = Q.shape
    fail_unless(k <= n, f"Orthonormal columns: got {k} of them in dimension {n}.")
    limit = ORTHONORMAL * precision(Q)
    if peer is not None:
        limit = max(limit, PEER * _gram_error(_matrix(peer, "peer")))
    error = _gram_error(Q)
    fail_unless(
        error <= limit,
        f"norm(Q^H Q - I): got {error:.2e}, want at most {limit:.2e} ({n}x{k}, {Q.dtype}).",
    )


def check_annihilates(
    A: ArrayLike, N: ArrayLike, tol: float | None = None, *, peer: ArrayLike | None = None
) -> None:
    """A N = 0 to working precision: ``norm(A N) <= tol`` and ``<= max(3 peer, 20 u norm(A))``.

    Without a peer, the best possible one stands in for it: no orthonormal basis of k columns comes
    below sigma_{n-k+1} (Courant-Fischer), which is not zero where singular values decay past tol.

    Parameters
    ----------
    A : (m, n) array_like
    N : (n, k) array_like
        Orthonormal columns (not checked here), k may be 0.
    tol : float, optional
        Absolute cutoff of the rank decision; eps * max(m, n) * sigma_1 by default.
    peer : (n, l) array_like, optional
        A null space basis of A by a trusted method.

    Raises
    ------
    AssertionError
        With the norm that was got and the bound.

    Examples
    --------
    >>> check_annihilates([[1.0, 2.0], [2.0, 4.0]], np.array([[2.0], [-1.0]]) / np.sqrt(5))
    """
    A, N = _matrix(A, "A"), _matrix(N, "N")
    fail_unless(A.shape[1] == N.shape[0], f"A N: got shapes {A.shape} and {N.shape}.")
    u = precision(A, N)
    B, exponent = to_unit_scale(A)
    sigma = np.zeros(N.shape[0] + 1)  # padded with zeros: sigma_i = 0 for i > min(m, n)
    sigma[: min(A.shape)] = np.linalg.svd(B, compute_uv=False)
    sigma_1, k = float(sigma[0]), min(N.shape)
    best = float(sigma[-1 - k]) if peer is None else _norm(B @ _matrix(peer, "peer"))
    limit = max(ANNIHILATES * u * sigma_1, PEER * best)
    cutoff = (
        u * max(A.shape) * sigma_1 if tol is None else scalar_times_power_of_two(tol, -exponent)
    )
    limit = min(cutoff, limit)
    got = _norm(B @ N)
    fail_unless(
        got <= limit,
        f"norm(A N) / 2^{exponent}: got {got:.2e}, want at most {limit:.2e} "
        f"({A.shape[0]}x{A.shape[1]}, {A.dtype}, {N.shape[1]} columns).",
    )


def check_same_subspace(Q1: ArrayLike, Q2: ArrayLike, atol: float) -> None:
    """Two orthonormal bases span the same subspace: the sine of the largest angle is <= atol.

    Parameters
    ----------
    Q1, Q2 : (n, k) array_like
        Orthonormal bases.
    atol : float
        Expect about eps * sigma_1 / (sigma_r - sigma_{r+1}) between computed subspaces.

    Raises
    ------
    AssertionError
        Different dimensions, a basis that is not orthonormal, or too large an angle.

    Examples
    --------
    >>> check_same_subspace(np.eye(3)[:, :2], -np.eye(3)[:, 1::-1], atol=1e-15)
    """
    Q1, Q2 = _matrix(Q1, "Q1"), _matrix(Q2, "Q2")
    fail_unless(Q1.shape == Q2.shape, f"Same subspace: got shapes {Q1.shape} and {Q2.shape}.")
    for name, Q in (("Q1", Q1), ("Q2", Q2)):
        # An angle read off skewed bases means nothing; to notice that is enough here.
        error, limit = _gram_error(Q), max(atol, 1e3 * precision(Q))
        fail_unless(error <= limit, f"{name} is a basis: got norm(Q^H Q - I) = {error:.2e}.")
    got = max(_sine(Q1, Q2), _sine(Q2, Q1))
    fail_unless(got <= atol, f"Sine of the largest angle: got {got:.2e}, want at most {atol:.2e}.")


def check_in_range(A: ArrayLike, X: ArrayLike, atol: float | None = None) -> None:
    """The columns of X lie in the column space of A, taken from A's SVD.

    Parameters
    ----------
    A : (m, n) array_like
        Of well defined rank: without a gap the column space is not a continuous function of A.
    X : (m, k) array_like
        E.g. an orthonormal basis of the column space.
    atol : float, optional
        Bound of ``norm(X - P X) / norm(X)``, P the projector. By default what rounding explains:
        ``eps * (20 + max(m, n)) * sigma_1 / sigma_r``.

    Raises
    ------
    AssertionError
        With the distance that was got and the bound.

    Examples
    --------
    >>> check_in_range([[1.0, 0.0], [1.0, 0.0]], [[3.0], [3.0]])
    """
    A, X = _matrix(A, "A"), _matrix(X, "X")
    fail_unless(A.shape[0] == X.shape[0], f"In range: got shapes {A.shape} and {X.shape}.")
    B, rank = to_unit_scale(A)[0], gap(A).rank
    U, sigma, _ = np.linalg.svd(B, full_matrices=False)
    if atol is None:
        u = precision(A, X)
        atol = u * (20 + max(A.shape)) * float(sigma[0] / sigma[rank - 1]) if rank else 0.0
    Y, _ = to_unit_scale(X)
    got = _sine(Y, U[:, :rank])
    limit = atol * _norm(Y)
    fail_unless(
        got <= limit, f"Distance from the range of A: got {got:.2e}, want at most {limit:.2e}."
    )


def check_complementary(U: ArrayLike, V: ArrayLike, atol: float | None = None) -> None:
    """U and V together are an orthonormal basis of the whole space.

    Parameters
    ----------
    U : (n, r) array_like
    V : (n, n - r) array_like
    atol : float, optional
        Bound of ``norm([U V]^H [U V] - I)``; 20 eps sqrt(2) by default, for bases read off one
        factorisation. Between two factorisations of A expect eps * sigma_1 / sigma_r.

    Raises
    ------
    AssertionError
        The dimensions do not add up, or the norm is above its bound.

    Examples
    --------
    >>> check_complementary(np.eye(3)[:, :1], np.eye(3)[:, 1:])
    """
    U, V = _matrix(U, "U"), _matrix(V, "V")
    n = U.shape[0]
    fail_unless(
        V.shape[0] == n and U.shape[1] + V.shape[1] == n,
        f"Complementary: got shapes {U.shape} and {V.shape}, want (n, r) and (n, n - r).",
    )
    error = _gram_error(np.hstack([U, V]))
    # Two bases, each with its own error.
    limit = ORTHONORMAL * np.sqrt(2) * precision(U, V) if atol is None else atol
    fail_unless(
        error <= limit, f"norm([U V]^H [U V] - I): got {error:.2e}, want at most {limit:.2e}."
    )


def check_rrqr(A: ArrayLike, F: Any) -> None:
    """F unpacks as Q, R, p with A[:, p] = Q R, Q orthonormal, R upper triangular.

    Parameters
    ----------
    A : (m, n) array_like
    F : iterable of three arrays
        Q (m, k), R (k, n) and the permutation p (n,), k >= rank of A: k = min(m, n) for the
        economic factorisation, k = m for the full one.

    Raises
    ------
    AssertionError
        Shapes, p not a permutation, R not triangular, Q not orthonormal, or
        ``norm(A[:, p] - Q R) > 20 u norm(A)``.

    Examples
    --------
    >>> A = np.array([[3.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
    >>> check_rrqr(A, (np.eye(2), A, [0, 1, 2]))
    """
    Q, R, p = F
    A, Q, R, p = _matrix(A, "A"), _matrix(Q, "Q"), _matrix(R, "R"), np.asarray(p)
    m, n = A.shape
    k = Q.shape[1]
    fail_unless(
        Q.shape == (m, k) and R.shape == (k, n),
        f"Q, R: got shapes {Q.shape} and {R.shape}, want ({m}, k) and (k, {n}).",
    )
    fail_unless(
        p.shape == (n,) and bool(np.array_equal(np.sort(p), np.arange(n))),
        f"p: got {p!r}, want a permutation of 0..{n - 1}.",
    )
    fail_unless(not np.any(np.tril(R, -1)), "R: got nonzeros below the diagonal, want none.")
    check_orthonormal(Q)
    B, exponent = to_unit_scale(A)
    limit = FACTORS * precision(A, Q, R) * _norm(B)
    error = _norm(B[:, p] - Q @ times_power_of_two(R, -exponent))
    fail_unless(
        error <= limit,
        f"norm(A[:, p] - Q R) / 2^{exponent}: got {error:.2e}, want at most {limit:.2e}.",
    )
