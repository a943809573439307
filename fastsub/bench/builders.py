"""One builder a function: from a shape and the wanted ratios to a `Case` with its peers.

A floor is the ratio (the peer's time / ours) that is wanted: "in at most 1.5 × its time" is 1/1.5.
Each builder takes ``dtype``, ``order`` ("C" or "F") and ``in_sweep`` as well.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import fastsub
from fastsub.bench import checks, flops, matrices, peers
from fastsub.bench.case import Case, Inputs, Peer

Array = NDArray[Any]
Shape = tuple[int, int, int]  # m, n, rank

UNDECIDED = "sigma at 1.05 tol"
# An (m, m) U of more than 4 GB is nobody's peer.
LARGEST_U = 22000
# From so many rows on SciPy's takes a minute to make it.
SLOW_U = 12000
# Below this many entries a call of torch's measures its dispatcher.
TORCH_FROM = 10**4


def _case(
    group: str,
    shape: Shape,
    *,
    dtype: str = "float64",
    order: matrices.Order = "C",
    maker: Callable[..., Array] = matrices.of_rank,
    columns: int | None = -1,
    title: str = "",
    **fields: Any,
) -> Case:
    """Fill in what follows from the shape; `columns` of b for lstsq, -1 for no b at all."""
    m, n, r = shape

    def make(rng: np.random.Generator) -> Inputs:
        A = maker(rng, m, n, r, dtype, order)
        return (A,) if columns == -1 else (A, matrices.right_hand_side(rng, A, columns))

    fields["flops"] *= 4 if dtype.startswith("complex") else 1
    remarks = [title] * bool(title) + ["Fortran order"] * (order == "F")
    ours = fields["ours"]
    fields.setdefault("certify", lambda *inputs: ours(*inputs, full_output=True)[1])
    return Case(group, ", ".join(remarks), shape[:2], r, dtype, make, **fields)


def null_space_case(
    shape: Shape,
    scipy_floor: float | None = None,
    economy_floor: float | None = None,
    *,
    undecided: bool = False,
    **fields: Any,
) -> Case:
    """Ours against SciPy's null_space and, on tall and square input, an economy SVD by hand."""
    m, n, r = shape
    contenders: dict[str, Peer] = {}
    check: Any = partial(checks.check_null_space, rank=r)
    if m <= LARGEST_U:
        contenders["scipy null_space"] = Peer(scipy.linalg.null_space, scipy_floor, slow=m > SLOW_U)
    if undecided:
        fields |= {"maker": matrices.undecided, "title": UNDECIDED}
        check = partial(
            checks.check_undecided,
            dimensions=(n - r, n - r + 1),
            residual_of=checks.null_residual,
        )
    elif m >= n > 16:
        contenders["economy SVD"] = Peer(peers.economy_null_space, economy_floor)
        if m * n > TORCH_FROM:
            contenders |= peers.torch_peers(svd=(peers.torch_null_space, None))
    return _case(
        "null_space",
        shape,
        ours=fastsub.null_space,
        peers=contenders,
        check=check,
        flops=flops.null_space(*shape),
        **fields,
    )


def orth_case(
    shape: Shape, scipy_floor: float | None = None, *, undecided: bool = False, **fields: Any
) -> Case:
    """Ours against SciPy's orth."""
    r = shape[2]
    check: Any = partial(checks.check_orth, rank=r)
    if undecided:
        fields |= {"maker": matrices.undecided, "title": UNDECIDED}
        check = partial(
            checks.check_undecided, dimensions=(r - 1, r), residual_of=checks.range_residual
        )
    return _case(
        "orth",
        shape,
        ours=fastsub.orth,
        peers={"scipy orth": Peer(scipy.linalg.orth, scipy_floor)},
        check=check,
        flops=flops.orth(*shape),
        **fields,
    )


def rank_case(
    shape: Shape, numpy_floor: float | None = None, *, undecided: bool = False, **fields: Any
) -> Case:
    """Ours against NumPy's matrix_rank."""
    m, n, r = shape
    contenders = {"numpy matrix_rank": peers.numpy_peer(np.linalg.matrix_rank, numpy_floor)}
    if undecided:
        fields |= {"maker": matrices.undecided, "title": UNDECIDED}
    elif m * n > TORCH_FROM:
        contenders |= peers.torch_peers(matrix_rank=(peers.torch_matrix_rank, None))
    return _case(
        "rank",
        shape,
        ours=fastsub.matrix_rank,
        peers=contenders,
        check=partial(checks.check_rank, rank=r, slack=int(undecided)),
        flops=flops.qr_steps(*shape),
        **fields,
    )


def rrqr_case(
    shape: Shape,
    pivoted_floor: float | None = None,
    unpivoted_floor: float | None = None,
    *,
    stop: bool = False,
    **fields: Any,
) -> Case:
    """Ours (R and p) against SciPy's full pivoted and unpivoted QR; `stop`: ours stops at rank."""
    r = shape[2]
    ours = fastsub.rrqr
    contenders = {"scipy pivoted qr": Peer(peers.pivoted_r, pivoted_floor)}
    if stop:
        ours = partial(fastsub.rrqr, rank=r)
        fields["title"] = "stopped at the rank"
    else:
        contenders["scipy unpivoted qr"] = Peer(peers.unpivoted_r, unpivoted_floor)
    return _case(
        "rrqr",
        shape,
        ours=ours,
        certify=lambda A: ours(A).certificate,
        peers=contenders,
        check=partial(checks.check_rrqr, rank=r),
        flops=flops.qr_steps(*shape),
        **fields,
    )


def rref_case(shape: Shape, lu_floor: float | None = None, **fields: Any) -> Case:
    """Ours against SciPy's LU factorisation, which is the elimination without the reduction."""
    return _case(
        "rref",
        shape,
        ours=fastsub.rref,
        certify=lambda A: fastsub.rref(A).certificate,
        peers={"scipy lu_factor": Peer(peers.lu, lu_floor)},
        check=partial(checks.check_rref, rank=shape[2]),
        flops=flops.echelon(*shape),
        **fields,
    )


def lstsq_case(
    shape: Shape,
    floors: dict[str, float] | None = None,
    *,
    columns: int | None = None,
    slow: tuple[str, ...] = (),
    **fields: Any,
) -> Case:
    """Ours against every driver of SciPy's, NumPy, and at full rank what has no safety.

    `floors` and `slow` go by the peers' names; a name in `floors` needs no other mention.
    """
    m, n, r = shape
    floors = floors or {}
    calls = {f"scipy {name}": peers.scipy_lstsq(name) for name in ("gelsd", "gelsy", "gelss")}
    contenders = {
        name: Peer(call, floors.get(name), slow=name in slow) for name, call in calls.items()
    }
    contenders["numpy lstsq"] = peers.numpy_peer(peers.numpy_lstsq, floors.get("numpy lstsq"))
    if r == n:
        name = "normal equations by hand"
        contenders[name] = peers.numpy_peer(peers.normal_equations_by_hand, floors.get(name))
        if m * n > TORCH_FROM:
            contenders |= peers.torch_peers(gels=(peers.torch_gels, floors.get("torch gels")))
    if columns is not None:
        fields["title"] = f"b {m}×{columns}"
    return _case(
        "lstsq",
        shape,
        columns=columns,
        ours=fastsub.lstsq,
        peers=contenders,
        check=partial(checks.check_lstsq, rank=r),
        flops=flops.lstsq(*shape, columns or 1),
        **fields,
    )


def pinv_case(shape: Shape, scipy_floor: float | None = None, **fields: Any) -> Case:
    """Ours against SciPy's pinv, whose last product runs on NumPy's thread pool."""
    return _case(
        "pinv",
        shape,
        ours=fastsub.pinv,
        peers={"scipy pinv": peers.numpy_peer(scipy.linalg.pinv, scipy_floor)},
        check=partial(checks.check_pinv, rank=shape[2]),
        flops=flops.pinv(*shape),
        **fields,
    )


def ridge_case(
    shape: Shape, sklearn_floor: float | None = None, *, ill: bool = False, **fields: Any
) -> Case:
    """Ours, a path of 50 alphas, against scikit-learn fitted as often and against Cholesky."""
    m, n, _ = shape
    if ill:
        fields |= {"maker": matrices.ill_conditioned, "title": "kappa 1e5, 50 alphas"}
    fields.setdefault("title", "50 alphas")
    contenders = {"cholesky by hand": peers.numpy_peer(peers.cholesky_path)}
    if importlib.util.find_spec("sklearn") is not None:
        contenders["sklearn 50 fits"] = peers.numpy_peer(peers.sklearn_path, sklearn_floor)
    return _case(
        "ridge",
        shape,
        columns=None,
        ours=lambda A, b: fastsub.ridge(A, b, peers.ALPHAS).coefficients,
        peers=contenders,
        check=checks.check_ridge,
        certify=None,
        flops=flops.ridge(m, n, peers.ALPHAS.size),
        **fields,
    )
