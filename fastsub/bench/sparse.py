"""Rows of sparse matrices: a metabolic network and graphs, against dense SVDs of the same.

The peers get the dense matrix ready-made. Where it does not fit, a graph's rank is that of its
connected components, which is no general method and a check.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.io
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

import fastsub
from fastsub.bench import checks, flops
from fastsub.bench.case import Case, Inputs, Peer
from fastsub.bench.exact import NETWORK
from fastsub.data import as_sparse_arrays

Array = NDArray[Any]
Shape = tuple[int, int, int]

_SIZE = (1805, 2583, 1766)

# (m, n, rank): function, and the wanted ratio.
TABLE: list[tuple[Shape, dict[str, Any]]] = [
    ((9, 12, 8), {"function": "matrix_rank"}),
    ((900, 1740, 899), {"function": "matrix_rank", "floor": 1.0}),
    ((900, 1740, 899), {"function": "null_space", "floor": 1.0}),
    ((40000, 79600, 39999), {"function": "matrix_rank"}),
]
if NETWORK.exists():
    TABLE[:0] = [
        (_SIZE, {"function": "matrix_rank", "floor": 15.0, "network": True}),
        (_SIZE, {"function": "null_space", "floor": 15.0, "network": True, "main": True}),
    ]


def sparse_case(
    shape: Shape,
    function: str,
    floor: float | None = None,
    *,
    network: bool = False,
    main: bool = False,
) -> Case:
    """Ours of the sparse matrix, the peer's of the dense one; a grid unless it is the network."""
    side = round(shape[0] ** 0.5)
    shape = _SIZE if network else (side**2, 2 * side * (side - 1), side**2 - 1)
    m, n, r = shape
    large = m * n > 10**8

    def make(rng: np.random.Generator) -> Inputs:
        A = _network() if network else _grid(rng, side)
        return A, A if large else A.toarray()

    call: Callable[..., Any] = getattr(fastsub, function)
    peer: Peer
    if large:
        name, peer = "connected components", Peer(_components, floor)
    elif function == "matrix_rank":
        name, peer = "numpy matrix_rank, dense", Peer(lambda _, A: np.linalg.matrix_rank(A), floor)
    else:
        name, peer = "scipy null_space, dense", Peer(lambda _, A: scipy.linalg.null_space(A), floor)
    return Case(
        "sparse",
        f"{function}, {'network' if network else 'grid graph'}",
        (m, n),
        r,
        "float64",
        make,
        ours=lambda A, _: call(A),
        peers={name: peer},
        flops=1e9 if large else flops.null_space(m, n, r),
        check=partial(_check, rank=r, function=function),
        certify=lambda A, _: call(A, full_output=True)[1],
        main=main,
    )


def _check(inputs: Inputs, ours: Any, theirs: Any, *, rank: int, function: str) -> float | None:
    if function == "matrix_rank":
        checks.check_rank(inputs, ours, theirs, rank=rank)
        return None
    return checks.check_null_space(inputs[1:], ours, theirs, rank=rank)


def _network() -> Any:
    with gzip.open(NETWORK) as stored:
        return scipy.io.mmread(stored, **as_sparse_arrays(scipy.io.mmread))


def _grid(rng: np.random.Generator, side: int) -> Any:
    """Vertices by edges of a square grid, in random order: 1 at one end, -1 at the other."""
    index = rng.permutation(side**2).reshape(side, side)
    tails = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    heads = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    k = tails.size
    entries = (np.concatenate([tails, heads]), np.tile(rng.permutation(k), 2))
    return scipy.sparse.csr_array((np.repeat([1.0, -1.0], k), entries), shape=(side**2, k))


def _components(A: Any, _: Any) -> int:
    count, _labels = connected_components(abs(A) @ abs(A).T, directed=False)
    return int(A.shape[0] - count)
