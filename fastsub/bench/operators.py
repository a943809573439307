"""Maps known by their products: subspaces of a Jacobian that is never formed, beside the dense way.

The model is y = W2 tanh(W1 theta) with r hidden units, so J = W2 diag(d) W1 has rank r; its
products are those of NumPy's arithmetic by SciPy's BLAS, a block of vectors at a time, for both
sides alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

import fastsub
from fastsub.bench import flops
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError
from fastsub.bench.matrices import Array, gaussian, norm, product

# (m, n, rank): options.
TABLE: list[tuple[tuple[int, int, int], dict[str, Any]]] = [
    ((12, 16, 5), {}),
    ((200, 5000, 60), {}),
    ((1000, 100_000, 300), {"floor": 5.0, "main": True}),
]


@dataclass(frozen=True, eq=False)
class Model:
    """The factors of J."""

    W1: Array
    W2: Array
    d: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs, parameters."""
        return self.W2.shape[0], self.W1.shape[1]

    def jvp(self, V: Array) -> Array:
        """J V, V (n, k)."""
        return product(self.W2, self.d[:, None] * product(self.W1, V))

    def vjp(self, U: Array) -> Array:
        """J^T U, U (m, k)."""
        return product(self.W1.T, self.d[:, None] * product(self.W2.T, U))


def model(rng: np.random.Generator, m: int, n: int, r: int) -> Model:
    """Return the model at a random theta."""
    W1 = gaussian(rng, r, n, "float64") / np.sqrt(n)
    W2 = gaussian(rng, m, r, "float64")
    return Model(W1, W2, 1 - np.tanh(product(W1, rng.standard_normal(n))) ** 2)


def ours(given: Model) -> Array:
    """Return the column space by products."""
    J = fastsub.jacobian(given.jvp, given.vjp, given.shape, blocks=True)
    basis: Array = fastsub.fundamental_subspaces(J).column_space.basis
    return basis


def dense(given: Model) -> Array:
    """Return the column space of J, formed by one block of products with its transpose."""
    J = given.vjp(np.eye(given.shape[0])).T
    basis: Array = scipy.linalg.orth(J)
    return basis


def check(inputs: Inputs, mine: Array, theirs: Array, *, rank: int) -> float:
    """Demand the rank and the span of W2; return how far from orthogonal ours is to its rest."""
    (given,) = inputs
    if mine.shape[1] != rank or theirs.shape[1] != rank:
        raise WrongAnswerError(f"ranks {mine.shape[1]} and {theirs.shape[1]}, it is {rank}")
    residual = norm(given.W2 - product(mine, product(mine.T, given.W2))) / norm(given.W2)
    if not residual < 1e-10:
        raise WrongAnswerError(f"W2 is {residual:.1e} off what was found")
    return residual


def operator_case(
    shape: tuple[int, int, int], floor: float | None = None, *, main: bool = False
) -> Case:
    """Ours against the dense Jacobian and SciPy's orth."""
    m, n, r = shape
    return Case(
        "operators",
        "Jacobian by jvp and vjp",
        (m, n),
        r,
        "float64",
        lambda rng: (model(rng, m, n, r),),
        ours=ours,
        peers={"dense Jacobian, scipy orth": Peer(dense, floor)},
        flops=flops.orth(m, n, r),
        check=lambda inputs, mine, theirs: check(inputs, mine, theirs, rank=r),
        certify=lambda given: fastsub.matrix_rank(
            fastsub.jacobian(given.jvp, given.vjp, given.shape, blocks=True), full_output=True
        )[1],
        main=main,
    )
