"""Subspaces as objects: four at once, one too large for a basis, what ties columns, angles."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import fastsub
from fastsub.bench import checks, flops, peers
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.bench.matrices import gaussian, norm, of_rank, product, with_singular_values

Array = NDArray[Any]
Shape = tuple[int, int, int]
Maker = Callable[[np.random.Generator], Inputs]

# Columns whose VIF the peer computes for a row: each is a regression of its own.
_FEW = 2

TABLE: list[tuple[Shape, dict[str, Any]]] = [
    ((16, 16, 14), {"kind": "four bases", "floor": 1.0}),
    ((16, 3, 3), {"kind": "angles", "floor": 1.0}),
    ((2000, 2000, 1900), {"kind": "four bases", "floor": 25.0, "main": True}),
    ((1000000, 50, 50), {"kind": "projection", "floor": 9.0, "main": True}),
    ((1000000, 50, 50), {"kind": "projection", "ratio": 1e-12}),
    ((100000, 200, 185), {"kind": "identifiability", "floor": 50.0, "main": True}),
    ((2000, 1000, 950), {"kind": "intersection", "floor": 5.0, "main": True}),
    ((5000, 200, 200), {"kind": "angles", "floor": 2.0}),
]


def subspaces_case(shape: Shape, kind: str, floor: float | None = None, **fields: Any) -> Case:
    """One of the kinds of `TABLE`; fields go to its builder."""
    return _KINDS[kind](shape, floor, **fields)


def _case(shape: Shape, title: str, make: Maker, **fields: Any) -> Case:
    m, n, r = shape
    return Case("subspaces", title, (m, n), r, "float64", make, **fields)


# ---- all four bases ----


def _four(A: Array) -> tuple[Array, ...]:
    return tuple(V.basis for V in fastsub.fundamental_subspaces(A))


def _four_by_svds(A: Array) -> tuple[Array, ...]:
    orth, null_space = scipy.linalg.orth, scipy.linalg.null_space
    return orth(A), null_space(A), orth(A.T), null_space(A.T)


def _check_four(inputs: Inputs, ours: Any, theirs: Any, *, rank: int) -> float:
    (A,) = inputs
    worst = 0.0
    for i, (matrix, check) in enumerate(((A, checks.check_orth), (A, checks.check_null_space)) * 2):
        given = (matrix.T if i > 1 else matrix,)
        worst = max(worst, check(given, ours[i], theirs[i], rank=rank))
    return worst


def _four_bases(shape: Shape, floor: float | None, **fields: Any) -> Case:
    m, n, r = shape
    return _case(
        shape,
        "four bases",
        lambda rng: (of_rank(rng, m, n, r),),
        ours=_four,
        peers={"scipy orth, null_space ×2": Peer(_four_by_svds, floor)},
        # One factorisation, reduced from the right; two bases of either side.
        flops=flops.qr_steps(m, n, r)
        + 2.0 * r * r * (n - r)
        + flops.apply_steps(m, m - r, r)
        + flops.apply_steps(n, n - r, r)
        + 4.0 * r * (m - r) ** 2
        + 4.0 * r * (n - r) ** 2,
        check=partial(_check_four, rank=r),
        certify=lambda A: fastsub.fundamental_subspaces(A).certificate,
        **fields,
    )


# ---- a projection on the left null space, of a dimension that allows no basis ----


def _beside(A: Array, x: Array, *, rtol: float | None) -> Array:
    F = fastsub.fundamental_subspaces(A, rtol)
    _ = F.column_space, F.row_space, F.null_space
    return F.left_null_space.project(x)


def _beside_by_svd(A: Array, x: Array) -> Array:
    U = scipy.linalg.svd(A, full_matrices=False, check_finite=False)[0]
    return np.asarray(x - product(U, product(U.T, x)))


def _check_beside(inputs: Inputs, ours: Array, theirs: Array, *, ratio: float) -> float:
    A, x = inputs
    size = checks.spectral_norm(A) * norm(x)
    errors = [norm(product(A.T, p)) / size for p in (ours, theirs)]
    u = float(np.finfo(A.dtype).eps)
    if not errors[0] <= max(3 * errors[1], 20 * u):
        raise WrongAnswerError(f"‖Aᴴp‖ is {errors[0]:.2e}, the peer's {errors[1]:.2e}")
    # Of a perturbed A both are exact.
    if not norm(ours - theirs) <= 20 * u * np.sqrt(A.shape[1]) / ratio * norm(x):
        raise WrongAnswerError(f"the projections differ by {norm(ours - theirs):.2e}")
    return errors[0]


def _projection(shape: Shape, floor: float | None, *, ratio: float = 1e-2, **fields: Any) -> Case:
    m, n, r = shape
    # So that all columns count, as they do in the peer's U.
    rtol = None if ratio > 1e-9 else ratio / 1e3

    def make(rng: np.random.Generator) -> Inputs:
        A = with_singular_values(rng, m, n, np.geomspace(1, ratio, r), "float64")
        return A, gaussian(rng, m, 1, "float64")[:, 0]

    return _case(
        shape,
        f"project beside, kappa {1 / ratio:.0e}".replace("e+", "e"),
        make,
        ours=partial(_beside, rtol=rtol),
        peers={"economy SVD": Peer(_beside_by_svd, floor)},
        flops=float(m) * n * n + 4.0 * m * n,
        check=partial(_check_beside, ratio=ratio),
        certify=lambda A, x: fastsub.fundamental_subspaces(A, rtol).certificate,
        **fields,
    )


# ---- tied columns ----


def _tied(rng: np.random.Generator, m: int, n: int, r: int) -> Inputs:
    """Every column from r on is a combination of two others; centred, as some versions do it."""
    X = gaussian(rng, m, n, "float64")
    X -= X.mean(axis=0)
    for j in range(r, n):
        i = 3 * (j - r) % (r - 1)
        X[:, j] = 2 * X[:, i] + X[:, i + 1]
    return (X,)


def _columns(n: int, count: int) -> Array:
    """Return as many columns, those in the middle first, which are tied to none."""
    return (np.arange(count) + n // 2) % n


def _factors_of_variance(X: Array, count: int) -> Array:
    module = importlib.import_module("statsmodels.stats.outliers_influence")
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")  # of what is asked: columns that depend on others
        columns = _columns(X.shape[1], count)
        return np.array([module.variance_inflation_factor(X, j) for j in columns])


def _check_ties(inputs: Inputs, ours: Any, theirs: Array, *, rank: int) -> None:
    if ours.rank != rank or len(ours.drop) != inputs[0].shape[1] - rank:
        raise WrongAnswerError(f"rank {ours.rank}, the matrix has {rank}")
    mine = ours.vif[_columns(inputs[0].shape[1], theirs.size)]
    # Where R² is 1 but for rounding theirs is large, or anything.
    tied = np.isinf(mine)
    wrong = np.abs(theirs[tied]) < 1e8
    if wrong.any() or not np.allclose(mine[~tied], theirs[~tied], rtol=1e-8):
        raise WrongAnswerError(f"VIF {mine}, the peer's {theirs}")


def _identifiability(shape: Shape, floor: float | None, **fields: Any) -> Case:
    m, n, r = shape
    contenders: dict[str, Peer] = {}
    if importlib.util.find_spec("statsmodels") is not None:
        few = partial(_factors_of_variance, count=_FEW)
        share = None if floor is None else floor * _FEW / n
        contenders[f"statsmodels VIF of {_FEW} columns"] = peers.numpy_peer(few, share)
        every = partial(_factors_of_variance, count=n)
        contenders["statsmodels VIF of all columns"] = Peer(every, floor, slow=True)
    return _case(
        shape,
        "identifiability",
        lambda rng: _tied(rng, m, n, r),
        ours=fastsub.identifiability,
        peers=contenders,
        flops=flops.qr_steps(m, n, r),
        check=partial(_check_ties, rank=r),
        certify=lambda X: fastsub.identifiability(X).certificate,
        **fields,
    )


# ---- two subspaces ----


def _halves(rng: np.random.Generator, m: int, n: int, r: int) -> Inputs:
    """Two subspaces of dimension n / 2 that share one of dimension n - r."""
    k, shared = n // 2, n - r
    X = scipy.linalg.qr(gaussian(rng, m, k, "float64"), mode="economic")[0]
    mixed = np.hstack([X[:, :shared], gaussian(rng, m, k - shared, "float64")])
    Y, turn = (
        scipy.linalg.qr(M, mode="economic")[0] for M in (mixed, gaussian(rng, k, k, "float64"))
    )
    return fastsub.Subspace(X), fastsub.Subspace(product(Y, turn))


def _by_null_space(V: Any, W: Any) -> Array:
    """Find X a = Y b by the null space of (X, -Y)."""
    stacked = np.hstack([V.basis, -W.basis])
    N = scipy.linalg.null_space(stacked, rcond=V.tol)
    return product(V.basis, np.asfortranarray(N[: V.dim] * np.sqrt(2)))


def _check_shared(inputs: Inputs, ours: Array, theirs: Array, *, k: int) -> float:
    V, W = inputs
    if ours.shape != theirs.shape or ours.shape[1] != k:
        raise WrongAnswerError(f"dimensions {ours.shape}, {theirs.shape}; {k} are shared")
    apart = [float(np.max(S.distance(ours))) for S in (V, W)]
    sine = norm(ours - product(theirs, product(theirs.T, ours)))
    if not max(*apart, sine) <= V.tol * np.sqrt(k):
        raise WrongAnswerError(f"distances {apart}, to the peer's {sine:.2e}")
    return max(apart)


def _intersection(shape: Shape, floor: float | None, **fields: Any) -> Case:
    m, n, r = shape
    k = n // 2
    return _case(
        (m, n, 2 * k - (n - r)),
        "intersection",
        lambda rng: _halves(rng, m, n, r),
        ours=lambda V, W: (V & W).basis,
        peers={"scipy null_space, stacked": Peer(_by_null_space, floor)},
        # Sines of the angles, and their null space.
        flops=6.0 * m * k * k + flops.null_space(m, k, r - k),
        check=partial(_check_shared, k=n - r),
        certify=lambda V, W: (V & W).certificate,
        **fields,
    )


def _check_angles(inputs: Inputs, ours: Array, theirs: Array) -> float:
    error = float(np.abs(ours - theirs).max())
    if ours.shape != theirs.shape or not error <= 1e-13 * max(inputs[0].shape) ** 0.5:
        raise WrongAnswerError(f"angles differ by {error:.2e}")
    return error


def _angles(shape: Shape, floor: float | None, **fields: Any) -> Case:
    m, n, _ = shape
    return _case(
        shape,
        "subspace_angles",
        lambda rng: (gaussian(rng, m, n, "float64"), gaussian(rng, m, n, "float64")),
        ours=fastsub.subspace_angles,
        peers={"scipy subspace_angles": peers.numpy_peer(scipy.linalg.subspace_angles, floor)},
        flops=2 * flops.orth(m, n, n) + 2.0 * m * n * n + 8.0 * n**3 / 3,
        check=_check_angles,
        **fields,
    )


_KINDS: dict[str, Callable[..., Case]] = {
    "four bases": _four_bases,
    "projection": _projection,
    "identifiability": _identifiability,
    "intersection": _intersection,
    "angles": _angles,
}
