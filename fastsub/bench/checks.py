"""What must hold before anything is timed: the accuracy contract, with the peer as the measure.

The contract speaks of 2-norms; here they are Frobenius norms of k columns, which are cheap and at
most √k larger, so every constant carries a √k. "Ours at most 3 × the peer's, or 20 u" throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fastsub.bench.case import Inputs, WrongAnswerError
from fastsub.bench.matrices import SIGMA_RATIO, gaussian, norm, product
from fastsub.bench.peers import ALPHAS

Array = NDArray[Any]


def _demand(what: str, got: float, limit: float) -> None:
    if not got <= limit:  # so that NaN fails
        raise WrongAnswerError(f"{what} is {got:.2e}, allowed {limit:.2e}")


def _defect(Q: Array) -> float:
    """Return ‖QᴴQ - I‖."""
    return norm(product(Q.conj().T, Q) - np.eye(Q.shape[1]))


def _eps(A: Array) -> float:
    return float(np.finfo(A.dtype).eps)


def spectral_norm(A: Array, steps: int = 10) -> float:
    """Return a lower estimate of the largest singular value, by power iteration on AᴴA."""
    x: Array = gaussian(np.random.default_rng(496), A.shape[1], 1, "float64").astype(A.dtype)
    AH = A.conj().T
    for _ in range(steps):
        size = norm(x)
        if size == 0:
            return 0.0
        x = product(AH, product(A, x / size))
    return float(np.sqrt(norm(x)))


def _check_bases(what: str, ours: Array, theirs: Array, A: Array, k: int) -> None:
    """Both orthonormal, both of dimension k, one space: (rows, k) each."""
    if ours.shape != theirs.shape or ours.shape[1] != k:
        raise WrongAnswerError(
            f"{what} is of shape {ours.shape}, the peer's {theirs.shape}, the dimension is {k}"
        )
    u = _eps(A)
    defect, defect_theirs = _defect(ours), _defect(theirs)
    _demand(f"{what}: ‖QᴴQ - I‖", defect, max(3 * defect_theirs, 20 * u * np.sqrt(k)))
    # Both are spaces of A + E, ‖E‖ ~ √n u ‖A‖, so their sine is at most about ‖E‖ / σ_r.
    sine = norm(ours - product(theirs, product(theirs.conj().T, ours)))
    _demand(f"{what}: distance", sine, 20 * u * np.sqrt(max(A.shape) * k) / SIGMA_RATIO)


def null_residual(A: Array, N: Array) -> float:
    """Return ‖A N‖ / ‖A‖, Frobenius over spectral norm."""
    return norm(product(A, N)) / (spectral_norm(A) or 1.0)


def range_residual(A: Array, Q: Array) -> float:
    """Return ‖A - Q QᴴA‖ / ‖A‖, Frobenius over spectral norm."""
    return norm(A - product(Q, product(Q.conj().T, A))) / (spectral_norm(A) or 1.0)


def check_null_space(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> float:
    """Check N and return its residual."""
    (A,) = inputs
    k = A.shape[1] - rank
    _check_bases("null space", ours, theirs, A, k)
    residual, limit = null_residual(A, ours), 20 * _eps(A) * np.sqrt(k)
    _demand("‖A N‖", residual, max(3 * null_residual(A, theirs), limit))
    return residual


def check_orth(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> float:
    """Check Q and return its residual."""
    (A,) = inputs
    _check_bases("range", ours, theirs, A, rank)
    residual, limit = range_residual(A, ours), 20 * _eps(A) * np.sqrt(min(A.shape))
    _demand("‖A - Q QᴴA‖", residual, max(3 * range_residual(A, theirs), limit))
    return residual


def check_undecided(
    inputs: Inputs,
    ours: Array,
    theirs: Array,
    *,
    dimensions: tuple[int, int],
    residual_of: Callable[[Array, Array], float],
) -> float:
    """Check a basis where one σ is so near the cutoff that two dimensions are right."""
    (A,) = inputs
    k = ours.shape[1]
    if not {k, theirs.shape[1]} <= set(dimensions):
        raise WrongAnswerError(f"dimension {k}, the peer's {theirs.shape[1]}, not in {dimensions}")
    u, residual = _eps(A), residual_of(A, ours)
    _demand("‖QᴴQ - I‖", _defect(ours), 20 * u * np.sqrt(max(k, 1)))
    _demand("the residual", residual, (1.1 * max(A.shape) + 20 * np.sqrt(min(A.shape))) * u)
    return residual


def check_rank(inputs: Inputs, ours: Any, theirs: Any, *, rank: int, slack: int = 0) -> None:
    """Check two ranks: the constructed one, or up to `slack` less of it."""
    for whose, got in (("ours", ours), ("the peer's", theirs)):
        if not rank - slack <= int(got) <= rank:
            raise WrongAnswerError(f"{whose} is {int(got)}, the rank is {rank}")


def check_rrqr(inputs: Inputs, ours: Any, theirs: tuple[Array, ...], *, rank: int) -> float:
    """Check Q R = A P and the diagonal of R; return ‖A P - Q R‖ / ‖A‖ in Frobenius norms.

    `ours` has R (rank, n) and p, and Q when asked; `theirs` is (R, p), or (R,) if unpivoted.
    """
    (A,) = inputs
    u, scale = _eps(A), norm(A) or 1.0
    Q, R, p = ours.Q, ours.R, ours.p
    if not np.array_equal(np.sort(p), np.arange(A.shape[1])):
        raise WrongAnswerError("p is no permutation")
    _demand("below the diagonal of R", norm(np.tril(R, -1)), 0.0)
    _demand(
        "‖QᴴQ - I‖",
        norm(product(Q.conj().T, Q) - np.eye(Q.shape[1])),
        20 * u * np.sqrt(max(rank, 1)),
    )
    residual = norm(A[:, p] - product(Q, R)) / scale
    _demand("‖A P - Q R‖", residual, 20 * u * np.sqrt(max(rank, 1)))
    norms_apart = abs(norm(R) - norm(theirs[0])) / scale
    _demand("‖R‖ against the peer's", norms_apart, 20 * u * np.sqrt(max(min(A.shape), 1)))
    if len(theirs) > 1 and rank:
        mine, other = (np.abs(np.diagonal(F))[:rank] for F in (R, theirs[0]))
        # Randomised pivots may differ from the greedy ones; r_ii reveals σ_i as well or nearly so.
        _demand("diag R against the peer's", float(np.max(other / mine)), 10.0)
        _demand("the peer's diag R against ours", float(np.max(mine / other)), 10.0)
    return residual


def check_rref(inputs: Inputs, ours: Any, theirs: Any, *, rank: int) -> float:
    """Check the rank, the form of R and A = A_p R; return ‖A - A_p R‖ / (‖A_p‖ ‖R‖)."""
    (A,) = inputs
    R, pivots = ours
    if len(pivots) != rank:
        raise WrongAnswerError(f"the rank is {len(pivots)}, by construction {rank}")
    p = list(pivots)
    _demand("the pivot columns", norm(R[:, p] - np.eye(*R.shape)[:, :rank]), 0.0)
    size = norm(A[:, p]) * norm(R)
    residual = norm(A - product(A[:, p], R[:rank])) / (size or 1.0)
    _demand("‖A - A_p R‖", residual, max(A.shape) * _eps(A))
    return residual


def check_lstsq(inputs: Inputs, ours: Any, theirs: Any, *, rank: int) -> float:
    """Check residual and norm of x; return ‖Aᴴ(b - A x)‖ / (‖A‖ ‖b‖).

    An answer is x, or (x, residues, rank, singular values).
    """
    A, b = inputs
    for whose, answer in (("ours", ours), ("the peer's", theirs)):
        if isinstance(answer, tuple) and np.size(answer[2]) and int(answer[2]) != rank:
            raise WrongAnswerError(f"{whose} has rank {int(answer[2])}, the rank is {rank}")
    x, y = (answer[0] if isinstance(answer, tuple) else answer for answer in (ours, theirs))
    if x.shape != y.shape:
        raise WrongAnswerError(f"x is of shape {x.shape}, the peer's {y.shape}")
    u, scale = _eps(A), spectral_norm(A) or 1.0
    r, s = b - product(A, x), b - product(A, y)
    size = scale * norm(x) + norm(b)
    _demand("‖b - A x‖ beyond the peer's", norm(r) - norm(s), 20 * u * np.sqrt(len(b)) * size)
    # Both minimise for A + E, hence ‖x - y‖ ~ κ √n u (‖x‖ + κ ‖r‖ / ‖A‖).
    kappa = 3 / SIGMA_RATIO
    spread = kappa * u * np.sqrt(max(A.shape)) * (norm(y) + kappa * norm(s) / scale)
    _demand("‖x‖ against the peer's", abs(norm(x) - norm(y)), 20 * spread)
    return norm(product(A.conj().T, r)) / ((scale * norm(b)) or 1.0)


def check_pinv(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> float:
    """Check ‖A X A - A‖ and ‖X - X of the peer‖; return the first over ‖A‖."""
    (A,) = inputs
    if ours.shape != theirs.shape:
        raise WrongAnswerError(f"X is of shape {ours.shape}, the peer's {theirs.shape}")
    scale = spectral_norm(A) or 1.0

    def residual(X: Array) -> float:
        return norm(product(A, product(X, A)) - A) / scale

    limit = 20 * _eps(A) * np.sqrt(max(A.shape)) / SIGMA_RATIO
    got = residual(ours)
    _demand("‖A X A - A‖", got, max(3 * residual(theirs), limit))
    _demand("‖X - X of the peer‖", norm(ours - theirs), limit * norm(theirs))
    return got


def check_ridge(inputs: Inputs, ours: Array, theirs: Array) -> float:
    """Check the first, a middle and the last x against least squares of (A; √α I).

    Returns the largest relative error of ours; it may be no larger than twice the peer's.
    """
    A, b = inputs
    m, n = A.shape
    worst = 0.0
    for i in (0, ALPHAS.size // 2, ALPHAS.size - 1):
        K = np.vstack([A, np.sqrt(ALPHAS[i]) * np.eye(n, dtype=A.dtype)])
        Q, R = scipy.linalg.qr(K, mode="economic", overwrite_a=True, check_finite=False)
        x = scipy.linalg.solve_triangular(R, product(Q[:m].conj().T, b))
        diagonal = np.abs(np.diagonal(R))
        # An error of the reference itself is of this size.
        kappa = float(diagonal.max() / diagonal.min())
        errors = [norm(path[i] - x) / (norm(x) or 1.0) for path in (ours, theirs)]
        limit = 20 * _eps(A) * np.sqrt(max(m, n)) * kappa
        _demand(f"error of x at alpha {ALPHAS[i]:.0e}", errors[0], max(2 * errors[1], limit))
        worst = max(worst, errors[0])
    return worst
