"""Tall matrices: a sketch proposes the rank, bounds on A itself prove it; A is read twice.

The sketch (proposal.py) and one more pass over A (passes.py) give

* sigma_r(A) from below: by the sketch, or by A P1 X (orthonormal.py), whichever is more;
* sigma_{r+1}(A) <= (||A N||_F + mu_m(A)) / sigma_min(N), for any n x (n - r) matrix N (Courant &
  Fischer); here N is the null space of R, orthonormal to rounding;
* sigma_1(A), between ||A x||_2, x a right singular vector of R, and ||A||_F.

These are bounds of A as it is given, not of a perturbed A + E; mu_m(A) = sqrt(m) u ||A||_F as in
rank/decide.py. None is returned where they do not decide, or where N is not the best null space
that rounding allows: then orthogonal/cod.py answers.

References
----------
Park & Nakatsukasa, A fast randomized algorithm for computing an approximate null space, BIT 63
(2023). Martinsson & Tropp, Randomized numerical linear algebra, Acta Numerica 29 (2020).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import is_fused, is_tall
from fastsub.factor.memory import empty, zeros
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.factor.rank.inverse import frobenius
from fastsub.factor.tall.orthonormal import Whitened, norm_estimate
from fastsub.factor.tall.passes import multiply, precondition, product_gram
from fastsub.factor.tall.proposal import Revealed, Sketch, lower_by_sketch, reveal

# ||A N||_2 in units of eps ||A||_2 up to which no other null space annihilates any better.
_CLEAN = 20.0
# Of the power method, where an estimate within a few percent will do.
_STEPS = 16
# sigma_min(A P1 X), at which the bound from below is aimed, is hardly ever more: S doubles lengths.
_WHITE = 0.5
# Products in a sum of squares, rounded one after the other.
_SUMMANDS = 256


def decide_by_sketch(
    A: Array,
    cutoff: Cutoff,
    *,
    row_side: bool = True,
    complement: bool = True,
    want_basis: bool = True,
    rng: Any = None,
) -> tuple[Array, Certificate] | None:
    """Return a basis and its certificate, or None: not tall or wide, not proved, not finite.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides.
    cutoff : Cutoff
        Singular values above it count.
    row_side, complement : bool
        Which subspace: row space (True, False), null space (True, True), column space (False,
        False), left null space (False, True).
    want_basis : bool
        False: the rank alone, and an empty array for a basis.
    rng : seed or Generator, optional
        For the sketch; it never changes whether an answer is right.
    """
    wide = A.shape[0] < A.shape[1]
    if wide:
        # The subspaces of A^T are the conjugates of those of A^H.
        A, row_side = A.T, not row_side
    if not is_tall(*A.shape) or (want_basis and complement and not row_side):
        return None
    A = whole_strides(A)
    sketch = Sketch.of(A, rng)
    if sketch is None:
        return None
    if sketch.norm == 0:
        return _of_zero(A, cutoff, row_side, complement, want_basis)
    column_side = want_basis and not row_side
    revealed = reveal(sketch, cutoff, pivot=column_side)
    if revealed is None:
        return None
    lower = lower_by_sketch(sketch, revealed)
    high = cutoff.bracket(0.0, sketch.norm)[1]
    whiten = column_side or not lower > high
    if whiten and not _WHITE / norm_estimate(revealed.X) > high:
        return None  # a singular value near the cutoff: a pass over A would be in vain
    x = revealed.top_right()
    n, k = revealed.null.shape
    V = np.concatenate([revealed.null, x], axis=1, out=empty((n, k + 1), A.dtype))
    whitened, Q = None, empty((0, 0), A.dtype)
    if whiten and is_fused(n, A.dtype):
        Q, G, H = multiply(A, revealed.p, revealed.X, V, keep=column_side)
        squares = np.diagonal(H).real.astype(float)
    else:
        if whiten:
            Q, G = precondition(A, revealed.p, revealed.X, keep=column_side)
        squares, H = product_gram(A, V, k if want_basis else 0)
    if whiten:
        whitened = Whitened.of(G, A, sketch.norm, revealed)
        if whitened is not None:
            lower = max(lower, whitened.lower)
    largest = max(sketch.norm / math.sqrt(n), math.sqrt(squares[k]) / float(np.linalg.norm(x)))
    decision = _verify(A, sketch.norm, revealed, squares, x, lower, cutoff)
    if decision is None:
        return None
    if want_basis and k and not _is_clean(H[:k, :k], largest, decision.tol):
        return None
    basis = empty((0, 0), A.dtype)
    if column_side:
        if whitened is None or not whitened.orthonormalize(Q):
            return None
        basis = Q
    elif want_basis:
        basis = revealed.null if complement else revealed.row_space()
    if wide and basis.dtype.kind == "c":
        np.conj(basis, out=basis)
    return basis, certify(decision, "sketch", 0)


def _of_zero(
    A: Array, cutoff: Cutoff, row_side: bool, complement: bool, want_basis: bool
) -> tuple[Array, Certificate]:
    rows = A.shape[1 if row_side else 0]
    basis = zeros((rows, rows if complement else 0) if want_basis else (0,), A.dtype)
    if basis.size:
        np.fill_diagonal(basis, 1)
    tol = cutoff.bracket(0.0, 0.0)[0]
    return basis, certify(Decision(0, tol, math.inf, 0.0, "bounds", 0.0), "sketch", 0)


def _verify(
    A: Array,
    norm: float,
    revealed: Revealed,
    squares: Array,
    x: Array,
    lower: float,
    cutoff: Cutoff,
) -> Decision | None:
    """Bound sigma_{r+1} and sigma_1 by the squared norms of the columns of A [N x].

    None if that leaves the rank open.
    """
    (m, n), N, dtype = A.shape, revealed.null, A.dtype
    k, eps = N.shape[1], float(np.finfo(A.dtype).eps)
    margin = rounding_margin(norm, m, dtype)
    stretched = math.sqrt(squares[k]) * (1 - _SUMMANDS * eps)
    low = max(norm / math.sqrt(n), (stretched - margin) / float(np.linalg.norm(x)))
    tol_low, tol_high = cutoff.bracket(low, norm)
    upper = residual = 0.0
    if k:
        residual = math.sqrt(float(squares[:k].sum())) * (1 + _SUMMANDS * eps)
        loss = product(N, N, adjoint=True)
        np.fill_diagonal(loss, np.diagonal(loss) - 1)
        sine = frobenius(loss) + 2 * rounding_margin(k, n, dtype)
        if not sine < 0.5:
            return None
        upper = (residual + margin) / math.sqrt(1 - sine)
    if not upper <= tol_low <= tol_high < lower:
        return None
    return Decision(revealed.rank, tol_low, lower, upper, "bounds", residual)


def _is_clean(H: Array, norm: float, tol: float) -> bool:
    """Whether N annihilates as well as rounding allows; H = (A N)^H A N, norm about ||A||_2."""
    annihilated = math.sqrt(_largest_eigenvalue(H))
    return annihilated <= min(tol, _CLEAN * float(np.finfo(H.dtype).eps) * norm)


def _largest_eigenvalue(H: Array) -> float:
    """Estimate that of a Hermitian matrix given by its upper triangle, from below."""
    H = H + np.triu(H, 1).conj().T
    largest = int(np.argmax(np.diagonal(H).real))
    x = np.asfortranarray(np.eye(len(H), dtype=H.dtype)[:, [largest]])
    size = 0.0
    for _ in range(_STEPS):
        x = product(H, x)
        size = float(np.linalg.norm(x))
        if not size > 0:
            break
        x /= size
    return size
