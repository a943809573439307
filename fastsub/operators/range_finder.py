"""The range of a map from random vectors: Q with A = Q Q^H A + E, and a bound of E.

The columns of Y = A Omega, Omega standard normal, come in blocks and are factored as they come,
Y = Q R (growing.py). For any c the columns of Omega from c on know nothing of Q_c, the first c of
Q, which depends on those before. So

    (I - Q_c Q_c^H) A (omega_c ... omega_{c+p-1}) = Q (0; R[c:c+p, c:c+p])

tests Q_c, for every c: the p x p diagonal block of R there bounds E_c by probes.py, with
probability 1 - delta_c. With delta_c = delta / ((c + 1) (c + 2)) all of these hold at once with
probability 1 - delta, so that the first that is small enough may be taken: each column serves as a
test of those before it first, and then as one of them. Nothing is drawn for a test alone but the
last p. A few columns more (Halko, Martinsson & Tropp 2011, section 4.2) can only make E smaller.

Q_c with c = min(m, n) is unitary: then E = 0, and nothing is left to chance.

References
----------
Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53 (2011), algorithms 4.2
and 4.4. Martinsson & Tropp, Randomized numerical linear algebra, Acta Numerica 29 (2020), 11-12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.memory import check_memory
from fastsub.factor.products import product
from fastsub.factor.rank.decide import Cutoff, rounding_margin
from fastsub.operators.growing import GrowingQR
from fastsub.operators.probes import gaussian, norm_bound
from fastsub.operators.products import Products

FAILURE = 1e-10
"""Probability that a bound is wrong; what depends on it grows like its (1 / p)-th root."""

# Columns of a test: those that are drawn beyond the rank.
PROBES = 16
# Columns beyond those that passed the test.
_MORE = 8
_SEED = 20111104
# Products that agree to this relative to the map are called those of one map, if nobody says more.
_AGREE = 1e-3


@dataclass(frozen=True, slots=True)
class Range:
    """A = Q Z^H + E, Z = A^H Q; all but `failure` in the scale of the products.

    Attributes
    ----------
    Q : ndarray, shape (m, k)
        Orthonormal.
    Z : ndarray, shape (n, k)
    error : float
        Bound of ``norm(E, 2)``.
    error_norm : float
        Estimate of ``norm(E)``, Frobenius.
    noise : float
        How far the two products are from being those of one map, measured.
    failure : float
        Probability that `error` is wrong.
    """

    Q: Array
    Z: Array
    error: float
    error_norm: float
    noise: float
    failure: float


def find_range(
    A: Products,
    cutoff: Cutoff,
    rng: Any = None,
    *,
    failure: float = FAILURE,
    probes: int = PROBES,
) -> Range:
    """Find all of the range that counts: E is at most a quarter of the cutoff.

    Parameters
    ----------
    A : Products
    cutoff : Cutoff
        In the scale of the user.
    rng : seed or Generator, optional
    failure : float
    probes : int
        p above.

    Raises
    ------
    ValueError
        If the two products are not those of one map, to within the cutoff.
    """
    generator = np.random.default_rng(_SEED if rng is None else rng)
    qr = GrowingQR(A.m, A.dtype)
    sigma_1, c, found = 0.0, 0, False
    while qr.k < A.m and not found:
        b = min(A.m - qr.k, _step(qr.k))
        check_memory((A.n, qr.k + b), A.dtype, "give a larger rtol")
        X = gaussian(A.n, b, A.dtype, generator)
        qr.append(A.forward(X))
        cut = cutoff.scaled(A.exponent or 0)
        if not sigma_1:
            sigma_1 = _largest(A, qr, X, cut)
        small = cut.bracket(sigma_1, sigma_1)[0] / 4
        while not found and c + probes <= qr.k:
            error = norm_bound(qr.R[c : c + probes, c : c + probes], failure / ((c + 1) * (c + 2)))
            found = error <= small
            c += not found
    if not found:
        c, error, failure, frobenius = A.m, 0.0, 0.0, 0.0
    else:
        frobenius = float(np.linalg.norm(qr.R[c : c + probes, c : c + probes])) / math.sqrt(probes)
    k = min(qr.k, c + _MORE)
    Q = qr.columns(k)
    Z = A.backward(Q)
    noise = 0.0
    if qr.k:
        noise = _disagreement(qr.R[:k, -b:], Z, X)
        _check_adjoint(A, noise, Z, cut)
    return Range(Q, Z, error, frobenius, noise, failure)


def leading_range(A: Products, rank: int, rng: Any = None, *, failure: float = FAILURE) -> Range:
    """Find the range of the leading singular values: one step of subspace iteration.

    For a rank that the user chose: E may be as large as the next singular value.
    """
    k = rank + _MORE
    if 2 * k >= A.m:
        return find_range(A, Cutoff(0.0), rng, failure=failure)
    generator = np.random.default_rng(_SEED if rng is None else rng)
    check_memory((A.n, k), A.dtype, "ask for a smaller rank")
    X = gaussian(A.n, k, A.dtype, generator)
    Q, R = _orthonormal(A.forward(X))
    Z = A.backward(Q)
    noise = _disagreement(R, Z, X)
    _check_adjoint(A, noise, Z, None)
    Q = _orthonormal(A.forward(_orthonormal(Z)[0]))[0]
    Z = A.backward(Q)
    rest = A.forward(gaussian(A.n, PROBES, A.dtype, generator))
    rest -= product(Q, product(Q, rest, adjoint=True))
    error_norm = float(np.linalg.norm(rest)) / math.sqrt(PROBES)
    return Range(Q, Z, norm_bound(rest, failure), error_norm, noise, failure)


def _step(k: int) -> int:
    """Columns of the next block: few while the rank may be small, then for speed."""
    return 32 if k < 256 else 32 * (k // 256 + 1)


def _orthonormal(Y: Array) -> tuple[Array, Array]:
    qr = GrowingQR(Y.shape[0], Y.dtype)
    qr.append(Y)
    return qr.columns(qr.k), qr.R


def _largest(A: Products, qr: GrowingQR, X: Array, cutoff: Cutoff) -> float:
    """Return a lower bound of sigma_1: ``norm(A^H q)``, q the leading left vector of Y."""
    if not qr.R.any():
        return 0.0
    u = np.asfortranarray(np.linalg.svd(qr.R)[0][:, :1])
    z = A.backward(product(qr.columns(qr.k), u))
    _check_adjoint(A, _disagreement(product(u, qr.R, adjoint=True), z, X), z, cutoff)
    return float(np.linalg.norm(z))


def _disagreement(QY: Array, Z: Array, X: Array) -> float:
    """Return an estimate of ``norm(Q^H A - Z^H)`` from Y = A X: Q^H Y is Z^H X for one map."""
    return float(np.linalg.norm(QY - product(Z, X, adjoint=True))) / math.sqrt(X.shape[1])


def _check_adjoint(A: Products, noise: float, Z: Array, cutoff: Cutoff | None) -> None:
    """Raise unless <y, A x> = <A^H y, x> to within the cutoff, or what rounding explains."""
    norm = float(np.linalg.norm(Z))
    limit = _AGREE * norm if cutoff is None else cutoff.bracket(norm / math.sqrt(Z.shape[1]), 0)[0]
    if noise > max(limit, 100 * rounding_margin(norm, A.n, A.dtype)):
        raise ValueError(
            f"the products with {A.name} and with its adjoint are not those of one map: "
            f"<y, A x> and <A^H y, x> differ by {noise / norm:.1e}, relative to A. Return the "
            "conjugate transpose times y from the second one; if both are right but not so "
            "accurate, declare a smaller precision (dtype) or pass an rtol above that"
        )
