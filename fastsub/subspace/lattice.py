"""Sums and intersections of spans of orthonormal bases, their dimensions decided with proof.

* X + Y and X & Y, from S = Y - X X^H Y, whose singular values are the sines of the angles from Y
  to X: with S = U T N^H, X + Y = X + range(U), X & Y = Y null(S). One decomposition decides both,
  so dim(X + Y) + dim(X & Y) = dim X + dim Y by construction.
* X & Y^perp = X null(Y^H X), whose singular values are the sines of the angles from X to Y^perp.
* X^perp & Y^perp = (X + Y)^perp; a sum of subspaces is found by De Morgan's law.

An angle counts as zero where its sine is at most the tolerance. S carries the rounding of three
products with bases that are themselves orthonormal only to 20 eps: the bounds of the certificate
are widened by that.

References
----------
Björck & Golub, Numerical methods for computing angles between linear subspaces, Math. Comp. 27
(1973), section 4. Giraud, Langou, Rozloznik & van den Eshof, Rounding error analysis of the
classical Gram-Schmidt orthogonalization process, Numer. Math. 101 (2005): twice is enough.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.linalg import eigvalsh

from fastsub.factor.arrays import Array
from fastsub.factor.choose import choose
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import rounding_margin

# Loss of orthonormality of a computed basis, ||Q^H Q - I||_2, in units of eps.
_ORTHONORMAL = 20


def intersection(
    X: Array, Y: Array, complemented: tuple[bool, bool], tol: float
) -> tuple[Array, bool, Certificate]:
    """Return the intersection of two subspaces, each a span or the complement of one.

    Parameters
    ----------
    X : ndarray, shape (n, p)
    Y : ndarray, shape (n, q)
        Orthonormal columns.
    complemented : pair of bool
        Whether each stands for the complement of its span.
    tol : float
        Sines up to which an angle is zero.

    Returns
    -------
    half : ndarray, shape (n, k)
        Orthonormal columns.
    complemented : bool
        Whether the intersection is the complement of their span.
    certificate : Certificate
        Its rank is n less the dimension of the intersection.
    """
    n = X.shape[0]
    if complemented == (True, True):
        return _sum(X, Y, tol)
    if complemented == (False, False):
        X, Y, cod = _angles(X, Y, tol)
        basis = product(Y, cod.null_space())
        return basis, False, _certificate(cod, Y.shape, tol, n - Y.shape[1])
    cod = COD(product(Y, X, adjoint=True), tol=tol)
    if complemented[1]:
        basis, side = product(X, cod.null_space()), X
    else:
        basis, side = product(Y, cod.left_null_space()), Y
    return basis, False, _certificate(cod, side.shape, tol, n - side.shape[1])


def is_inside(X: Array, Y: Array, complemented: tuple[bool, bool], tol: float) -> bool:
    """Whether the first subspace, of no larger dimension, lies in the second; as `intersection`.

    That is whether the sine of the largest angle is at most tol. X^perp in Y means that both are
    half of the space: then the angles are those of X in Y^perp.
    """
    if complemented == (True, True):
        X, Y = Y, X
    S = product(Y, X, adjoint=True)
    if complemented[0] == complemented[1]:
        S = X - product(Y, S)
    columns = np.linalg.norm(S, axis=0)
    if float(columns.max(initial=0.0)) > tol:
        return False
    if float(np.linalg.norm(columns)) <= tol:
        return True
    # For the largest singular value a Gram matrix is as good as an SVD.
    k = S.shape[1]
    largest = eigvalsh(product(S, S, adjoint=True), subset_by_index=(k - 1, k - 1))
    return math.sqrt(max(0.0, float(largest[0]))) <= tol


def _angles(X: Array, Y: Array, tol: float) -> tuple[Array, Array, COD]:
    """Return both, the larger first, and the decomposition of S."""
    if X.shape[1] < Y.shape[1]:
        X, Y = Y, X
    S = np.subtract(Y, product(X, product(X, Y, adjoint=True)), order="F")
    return X, Y, COD(S, tol=tol)


def _sum(X: Array, Y: Array, tol: float) -> tuple[Array, bool, Certificate]:
    """Return what the complement of X + Y is held by: a basis of it, or one of the sum."""
    X, Y, cod = _angles(X, Y, tol)
    (n, p), r = X.shape, cod.rank
    certificate = _certificate(cod, Y.shape, tol, p)
    # S is orthogonal to X to rounding, the directions of its small singular values less so.
    U = cod.column_space()
    U = np.subtract(U, product(X, product(X, U, adjoint=True)), order="F")
    both = np.empty((n, p + r), X.dtype, order="F")
    if 2 * (p + r) > n:
        np.concatenate([X, U], axis=1, out=both)
        return _qr(both).columns(p + r, n), False, certificate
    np.concatenate([X, _qr(U).columns(0, r)], axis=1, out=both)
    return both, True, certificate


def _qr(A: Array) -> Reflectors:
    return Reflectors.of_qr(A, choose(A.shape[0], A.shape[1], A.dtype, want="qr").block)


def _certificate(cod: COD, shape: tuple[int, int], tol: float, more: int) -> Certificate:
    """Return the certificate of sines, whose bounds allow for the rounding of the sines.

    Parameters
    ----------
    cod : COD
        Of the matrix whose singular values are the sines.
    shape : tuple of int
        (n, q) of the basis that was multiplied.
    tol : float
        The cutoff.
    more : int
        Singular values 1 beside the sines.
    """
    n, q = shape
    certificate, r = cod.certificate, cod.rank
    eps = float(np.finfo(cod.dtype).eps)
    # ||Y||_F = sqrt(q): three products, and two bases that are not quite orthonormal.
    error = 3 * rounding_margin(math.sqrt(q), n, cod.dtype) + 2 * _ORTHONORMAL * eps
    lower = certificate.sigma_r_lower - error if r else (1 - error if more else math.inf)
    upper = certificate.sigma_next_upper + error if r < q else 0.0
    decided_by = certificate.decided_by
    if not upper <= tol < lower:
        # Proved of the sines as they were computed, not of the true ones: too near to the cutoff.
        decided_by = "svd"
        if r:
            lower = max(lower, float(cod.singular_values()[r - 1]) - 2 * error)
    return replace(
        certificate,
        rank=r + more,
        sigma_r_lower=max(0.0, lower),
        sigma_next_upper=upper,
        decided_by=decided_by,
        method="principal angles",
    )
