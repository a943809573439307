"""Stacks of small matrices: ours in one call, the peer's on the stack or in a Python loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import fastsub
from fastsub.bench import flops
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.bench.peers import numpy_peer

Array = NDArray[Any]
Shape = tuple[int, int, int]  # m, n, rank

TABLE: list[tuple[Shape, dict[str, Any]]] = [
    ((6, 8, 6), {"function": "null_space", "count": 20, "floor": 1.0}),
    ((20, 30, 20), {"function": "null_space", "count": 10000, "floor": 50.0}),
    ((4, 6, 4), {"function": "null_space", "count": 100000, "floor": 300.0}),
    ((4, 6, 3), {"function": "null_space", "count": 100000, "floor": 10.0}),
    ((30, 8, 8), {"function": "lstsq", "count": 10000, "floor": 60.0}),
    ((32, 32, 32), {"function": "matrix_rank", "count": 10000, "floor": 15.0}),
    ((32, 32, 28), {"function": "matrix_rank", "count": 10000, "floor": 8.0}),
    ((30, 8, 8), {"function": "pinv", "count": 10000, "floor": 1.0}),
]


def of_rank(rng: np.random.Generator, count: int, m: int, n: int, r: int) -> Array:
    """Return Gaussian matrices, (count, m, n), or Gaussian products of rank r."""
    if r == min(m, n):
        return rng.standard_normal((count, m, n))
    return np.asarray(
        np.matmul(rng.standard_normal((count, m, r)), rng.standard_normal((count, r, n)))
    )


def lstsq_loop(A: Array, b: Array) -> Array:
    """Call NumPy's lstsq for every matrix."""
    return np.array([np.linalg.lstsq(M, c)[0] for M, c in zip(A, b, strict=True)])


def _demand(what: str, got: Any, limit: float) -> None:
    if not np.all(got <= limit):
        raise WrongAnswerError(f"{what} is {np.max(got):.2e}, allowed {limit:.2e}")


def _norms(A: Array) -> Array:
    return np.asarray(np.linalg.norm(A, axis=(-2, -1)))


def check_null_space(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> float:
    """Check every basis as that of a single matrix is; return the largest residual."""
    (A,) = inputs
    n = A.shape[-1]
    if not ours.shape == theirs.shape == (len(A), n, n - rank):
        raise WrongAnswerError(f"bases of shape {ours.shape}, the peer's {theirs.shape}")
    eps, k = float(np.finfo(A.dtype).eps), n - rank
    eye = np.eye(k)
    defect, peer_defect = (_norms(N.swapaxes(1, 2) @ N - eye) for N in (ours, theirs))
    _demand("NᵀN - I", defect, max(3 * float(peer_defect.max()), 20 * eps * np.sqrt(k)))
    residual, peers = (_norms(A @ N) / _norms(A) for N in (ours, theirs))
    _demand("‖A N‖", residual, max(3 * float(peers.max()), 20 * eps * np.sqrt(k)))
    return float(residual.max())


def check_rank(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> None:
    """Check every rank: Gaussian matrices have the one of their construction."""
    if not ((ours == rank).all() and (theirs == rank).all()):
        raise WrongAnswerError(f"ranks {np.unique(ours)}, the peer's {np.unique(theirs)}")


def check_lstsq(inputs: Inputs, ours: Any, theirs: Array, *, rank: int) -> float:
    """Demand that residuals are orthogonal to the range as the peer's; return the worst."""
    A, b = inputs
    eps = float(np.finfo(A.dtype).eps)

    def optimality(x: Array) -> float:
        r = b - np.matmul(A, x[..., None])[..., 0]
        g = np.matmul(A.swapaxes(1, 2), r[..., None])[..., 0]
        scale = _norms(A) * np.linalg.norm(r, axis=-1) + eps * _norms(A) ** 2
        return float((np.linalg.norm(g, axis=-1) / scale).max())

    got = optimality(ours[0][..., 0])
    _demand("‖Aᵀr‖", got, max(10 * optimality(theirs), 20 * eps))
    return got


def check_pinv(inputs: Inputs, ours: Array, theirs: Array, *, rank: int) -> float:
    """Demand A⁺A = I as near as the peer's; return the worst residual."""
    (A,) = inputs
    eye = np.eye(rank)
    got, limit = (float(_norms(B @ A - eye).max()) for B in (ours, theirs))
    _demand("A⁺A - I", got, max(3 * limit, 20 * float(np.finfo(A.dtype).eps)))
    return got


def _columns(A: Array, b: Array) -> Any:
    return fastsub.lstsq(A, b[..., None])


# function: ours, the peer, the flops of one matrix, what is right
_FUNCTIONS: dict[str, tuple[Callable[..., Any], str, Peer, Callable[..., float], Any]] = {
    "null_space": (
        fastsub.null_space,
        "scipy null_space",
        Peer(scipy.linalg.null_space),
        flops.null_space,
        check_null_space,
    ),
    "matrix_rank": (
        fastsub.matrix_rank,
        "numpy matrix_rank",
        numpy_peer(np.linalg.matrix_rank),
        flops.qr_steps,
        check_rank,
    ),
    "lstsq": (_columns, "numpy lstsq, a loop", numpy_peer(lstsq_loop), flops.lstsq, check_lstsq),
    "pinv": (
        fastsub.pinv,
        "scipy pinv",
        numpy_peer(scipy.linalg.pinv),
        flops.pinv,
        check_pinv,
    ),
}


def stacks_case(shape: Shape, *, function: str, count: int, floor: float, **fields: Any) -> Case:
    """Ours against the one peer that takes, or is given, the stack."""
    m, n, r = shape
    ours, name, peer, operations, check = _FUNCTIONS[function]

    def make(rng: np.random.Generator) -> Inputs:
        A = of_rank(rng, count, m, n, r)
        return (A, rng.standard_normal((count, m))) if function == "lstsq" else (A,)

    return Case(
        "stacks",
        f"{function} of {count} matrices",
        (m, n),
        r,
        "float64",
        make,
        ours=ours,
        peers={name: Peer(peer.call, floor, settle=peer.settle)},
        flops=count * operations(m, n, r),
        check=partial(check, rank=r),
        **fields,
    )
