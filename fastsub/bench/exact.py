"""Rows of exact elimination: integers, and a real network, against python-flint and SymPy.

The peers get their own matrices ready-made; the answers are compared in Python integers.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse
from numpy.typing import NDArray

from fastsub import exact
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.data import as_sparse_arrays

Array = NDArray[Any]
Shape = tuple[int, int, int]

# Part of the source tree, not of what is installed.
NETWORK = Path(__file__).parents[2] / "tests" / "data" / "iJO1366.mtx.gz"
_SIZE = (1805, 2583, 1766)

# (m, n, rank): function, peer, wanted ratio, largest entry of the factors.
TABLE: list[tuple[Shape, dict[str, Any]]] = [
    *(
        ((n, n, n), {"function": "rref", "peer": "sympy Matrix", "floor": 20.0})
        for n in (3, 4, 6, 8)
    ),
    ((50, 50, 45), {"function": "rref", "peer": "sympy DomainMatrix", "floor": 10.0}),
    ((300, 300, 290), {"function": "rref", "peer": "flint rref", "floor": 3.0, "largest": 24}),
    ((400, 402, 400), {"function": "null_space", "peer": "flint nullspace", "floor": 6.0}),
]
if NETWORK.exists():
    TABLE += [
        (_SIZE, {"function": "null_space", "peer": "flint rref", "floor": 80.0, "network": True}),
        (_SIZE, {"function": "rank", "peer": "flint rank", "floor": 2.0, "network": True}),
    ]


def _fmpz_mat(A: Array) -> Any:
    import flint

    return flint.fmpz_mat(A.tolist())


def _sympy_matrix(A: Array) -> Any:
    import sympy

    return sympy.Matrix(A.tolist())


def _domain_matrix(A: Array) -> Any:
    from sympy import ZZ
    from sympy.polys.matrices import DomainMatrix

    return DomainMatrix.from_list(A.tolist(), ZZ).to_field()


# Name: (package, from integers to its matrix, the call on that).
_PEERS: dict[str, tuple[str, Callable[[Array], Any], Callable[[Any], Any]]] = {
    "flint rref": ("flint", _fmpz_mat, lambda M: M.rref()),
    "flint nullspace": ("flint", _fmpz_mat, lambda M: M.nullspace()),
    "flint rank": ("flint", _fmpz_mat, lambda M: M.rank()),
    "sympy Matrix": ("sympy", _sympy_matrix, lambda M: M.rref()),
    "sympy DomainMatrix": ("sympy", _domain_matrix, lambda M: M.rref()),
}


def exact_case(
    shape: Shape,
    function: str,
    peer: str,
    floor: float,
    *,
    largest: int = 9,
    network: bool = False,
) -> Case:
    """Ours against one peer; no peer at all where its package is not installed."""
    m, n, r = _SIZE if network else shape
    package, convert, call = _PEERS[peer]

    def make(rng: np.random.Generator) -> Inputs:
        A = _network() if network else _of_rank(rng, m, n, r, largest)
        return A, convert(_in_integers(A)) if importlib.util.find_spec(package) else None

    ours = partial(getattr(exact, function), decimals=network)
    contenders = {}
    if importlib.util.find_spec(package) is not None:
        contenders[peer] = Peer(lambda _, M: call(M), floor)
    return Case(
        "exact",
        f"{function}, network" if network else function,
        (m, n),
        r,
        "int64",
        make,
        ours=lambda A, _: ours(A),
        peers=contenders,
        # One elimination modulo a prime, and one inverse.
        flops=2.0 * m * n * r + 2.0 * r**3,
        check=partial(check_exact, rank=r, function=function),
    )


def _of_rank(rng: np.random.Generator, m: int, n: int, r: int, largest: int) -> Array:
    """Integers of rank r: of up to 4 bits where the rank is full, else products of factors."""
    if r == min(m, n):
        return rng.integers(-largest, 16 if max(m, n) > 16 else largest + 1, (m, n))
    left = rng.integers(-largest, largest + 1, (m, r))
    # Narrow factors keep the entries of a large product near 14 bits.
    right = rng.integers(-largest, largest + 1, (r, n))
    return np.asarray(left @ right)


def _network() -> Any:
    with gzip.open(NETWORK) as stored:
        return scipy.io.mmread(stored, **as_sparse_arrays(scipy.io.mmread))


def _in_integers(A: Any) -> Array:
    """Return A, or for a network its columns scaled to integers, which changes no rank."""
    if not scipy.sparse.issparse(A):
        return np.asarray(A)
    coordinates = A.tocoo()
    Z = np.zeros(A.shape, dtype=object)
    ratios = [Fraction(repr(float(x))) for x in coordinates.data]
    common = [1] * A.shape[1]
    for j, x in zip(coordinates.col, ratios, strict=True):
        common[j] = int(np.lcm(common[j], x.denominator))
    for i, j, x in zip(coordinates.row, coordinates.col, ratios, strict=True):
        Z[i, j] = int(x * common[j])
    return Z


def check_exact(inputs: Inputs, ours: Any, theirs: Any, *, rank: int, function: str) -> None:
    """Compare ranks; reduced echelon forms entry by entry; A N = 0 of a dense A."""
    A = inputs[0]
    if function == "null_space":
        got = A.shape[1] - ours.shape[1]
        if not scipy.sparse.issparse(A) and (A.astype(object) @ ours.astype(object)).any():
            raise WrongAnswerError("A N is not zero")
    else:
        got = int(ours) if function == "rank" else ours.rank
    if got != rank or _rank_of(theirs, A.shape[1], function) != rank:
        raise WrongAnswerError(f"the rank is {rank}; ours {got}")
    if function == "rref" and not np.array_equal(ours.to_fractions(), _fractions(theirs)):
        raise WrongAnswerError("the echelon forms differ")


def _rank_of(theirs: Any, n: int, function: str) -> int:
    if isinstance(theirs, int):
        return theirs
    if len(theirs) == 3:  # flint: R, denominator, rank
        return int(theirs[2])
    return n - int(theirs[1]) if function == "null_space" else len(theirs[1])


def _fractions(theirs: Any) -> Array:
    R, below = theirs[0], int(theirs[1]) if len(theirs) == 3 else 1
    rows = R.to_list() if hasattr(R, "to_list") else R.tolist()
    return np.array(
        [
            [Fraction(int(_part(x, "numerator")), _part(x, "denominator") * below) for x in row]
            for row in rows
        ],
        dtype=object,
    )


def _part(x: Any, name: str) -> int:
    """Numerator or denominator of anybody's number."""
    return int(getattr(x, name, x if name == "numerator" else 1))
