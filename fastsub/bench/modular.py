"""Rows of echelon forms modulo primes: the table, the peers, and what a right answer is.

Peers need their own kind of matrix: it is made with the inputs, outside of what is timed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.bench import flops
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.exact import modular
from fastsub.factor.modular.elimination import product_mod

Array = NDArray[Any]
Shape = tuple[int, int, int]  # m, n, rank

# (m, n, rank): options of `modular_case`.
TABLE: list[tuple[Shape, dict[str, Any]]] = [
    ((16, 16, 14), {"p": 65521, "flint": 0.0}),
    *(
        (shape, {"p": p, "flint": floor, "main": shape == (2000, 2000, 1500) and p < 2**16})
        for p, floor in ((65521, 8.0), (8388593, 6.0), (2**31 - 1, 2.0), (2**61 - 1, 1.0))
        for shape in (
            (1000, 1000, 1000),
            (2000, 2000, 2000),
            (1000, 2000, 1000),
            (2000, 2000, 1500),
        )
    ),
    ((1000, 1000, 1000), {"p": 2, "galois": 200.0}),
    ((4000, 4000, 4000), {"p": 2, "flint": 200.0, "main": True}),
]


def of_rank(rng: np.random.Generator, m: int, n: int, r: int, p: int) -> Array:
    """Return an (m, n) matrix of rank r modulo p, its first r columns independent.

    A unit lower times a unit upper trapezoid, rows shuffled: uint8 for p = 2, else int64.
    """
    dtype = np.uint8 if p == 2 else np.int64
    B = rng.integers(0, p, (m, r), dtype=np.int64)
    B[:r][np.triu_indices(r, 1)] = 0
    np.fill_diagonal(B, 1)
    X = rng.integers(0, p, (r, n), dtype=np.int64)
    X[np.tril_indices(r, -1)] = 0
    np.fill_diagonal(X, 1)
    return np.asarray(product_mod(B, X, p)[rng.permutation(m)], dtype)


def flint_rref(A: Array, F: Any, _: Any) -> Any:
    """Reduce FLINT's matrix; return the form and its rank."""
    return F.rref()


def galois_rref(A: Array, _: Any, G: Any) -> Any:
    """Reduce the matrix of galois."""
    return G.row_reduce()


def check_rref(inputs: Inputs, ours: Any, theirs: Any, *, rank: int) -> None:
    """Demand the rank, and the peer's form entry by entry."""
    if ours.rank != rank:
        raise WrongAnswerError(f"ours has rank {ours.rank}, the rank is {rank}")
    if isinstance(theirs, tuple):
        form, found = theirs
        same = found == rank and form == _flint(ours.R, form.modulus())
    else:
        same = np.array_equal(np.asarray(getattr(theirs, "R", theirs)), ours.R)
    if not same:
        raise WrongAnswerError("the peer has another echelon form")


def _flint(A: Array, p: int) -> Any:
    import flint

    m, n = A.shape
    return flint.nmod_mat(m, n, A.ravel().tolist(), p)


def _galois(A: Array, p: int) -> Any:
    import galois

    return galois.GF(p)(A)


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def modular_case(
    shape: Shape,
    *,
    p: int,
    flint: float | None = None,
    galois: float | None = None,
    main: bool = False,
) -> Case:
    """Ours against python-flint's rref and galois' row_reduce, where given a floor (0: none)."""
    m, n, r = shape
    wanted: dict[str, tuple[Callable[..., Any], float | None]] = {}
    if flint is not None and _has("flint"):
        wanted["flint rref"] = flint_rref, flint
    if galois is not None and _has("galois"):
        wanted["galois row_reduce"] = galois_rref, galois

    def make(rng: np.random.Generator) -> Inputs:
        A = of_rank(rng, m, n, r, p)
        return (
            A,
            _flint(A, p) if "flint rref" in wanted else None,
            _galois(A, p) if "galois row_reduce" in wanted else None,
        )

    return Case(
        "modular",
        f"modulo {p}",
        (m, n),
        r,
        "uint8" if p == 2 else "int64",
        make,
        ours=lambda A, *_: modular.rref(A, p),
        peers={name: Peer(call, floor or None) for name, (call, floor) in wanted.items()},
        flops=0.0 if p == 2 else flops.echelon(m, n, r),
        check=lambda inputs, ours, theirs: check_rref(inputs, ours, theirs, rank=r),
        main=main,
    )
