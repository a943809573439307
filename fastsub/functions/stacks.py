"""Bases of a stack ``(..., m, n)``: compiled where its matrices are small, else one at a time.

Bases are stored one after the other, each in Fortran order as that of a single matrix. How wide
they are is known only afterwards: a few matrices are asked for the usual rank, and those that turn
out to have another are done again, all of one rank at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, whole_strides
from fastsub.factor.choose import is_small
from fastsub.factor.memory import empty
from fastsub.factor.pieces import for_each, places
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.factor.stacked import Decisions, decide_stack

# One matrix of the stack, by the path of a single one.
One = Callable[[Array], tuple[Array, Certificate]]

# Matrices that are asked for the usual rank.
_ASKED = 9


@dataclass(slots=True)
class Bases:
    """Bases of a stack, in groups of one width.

    Attributes
    ----------
    groups : list of (indices, ndarray of shape (count, width, rows))
        Where in the stack, and the bases transposed.
    ranks : ndarray of intp, shape (N,)
    certificate : callable
        Makes the certificate of the stack.
    """

    groups: list[tuple[Array, Array]]
    ranks: Array
    certificate: Callable[[], Certificate]


def bases_of_stack(
    A: Array,
    rtol: float | None,
    one: One,
    *,
    row_side: bool,
    complement: bool,
    lapack_driver: str,
    check_finite: bool,
    ragged: bool,
    padded: bool,
    full_output: bool,
) -> tuple[Any, Certificate | None]:
    """Return one of the four subspaces of every matrix of a stack.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
    rtol : float, optional
        Relative cutoff.
    one : callable
        Returns the basis of one matrix, and its certificate.
    row_side, complement : bool
        Which subspace, as for `decide_small`.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD, where bounds cannot decide.
    check_finite : bool
        Raise on NaN and infinity.
    ragged, padded : bool
        Return a list of bases in C order; or an array, zero where a basis is narrower than the
        widest, and the ranks.
    full_output : bool
        Whether a certificate is wanted; without it there is none.

    Raises
    ------
    ValueError
        If ranks differ and neither `ragged` nor `padded`; or both of them.
    """
    if ragged and padded:
        raise ValueError("give ragged=True or padded=True, not both")
    shape, (m, n) = A.shape[:-2], A.shape[-2:]
    rows = n if row_side else m
    count = math.prod(shape)
    uniform = not (ragged or padded)

    def width(rank: int) -> int:
        return rows - rank if complement else rank

    if count and is_small(m, n, rows if complement else 0):
        bases = _compiled(
            whole_strides(A),
            rtol,
            row_side,
            complement,
            check_finite,
            uniform,
            full_output,
            lapack_driver,
        )
    else:
        bases = _one_at_a_time(A.reshape(count, m, n), one, width, shape)
    if uniform:
        _check_equal(bases.ranks)
    ranks = bases.ranks.reshape(shape)
    certificate = bases.certificate() if full_output else None
    if ragged:
        answers: list[Any] = [None] * count
        for indices, group in bases.groups:
            for i, basis in zip(indices.tolist(), group, strict=True):
                answers[i] = basis.T
        return answers, certificate
    if len(bases.groups) == 1 and len(bases.groups[0][0]) == count:
        whole = bases.groups[0][1]
    else:
        widest = max((group.shape[1] for _, group in bases.groups), default=width(min(m, n)))
        whole = np.zeros((count, widest, rows), A.dtype)
        for indices, group in bases.groups:
            whole[indices, : group.shape[1]] = group
    stacked = whole.reshape(*shape, *whole.shape[1:]).swapaxes(-1, -2)
    return ((stacked, ranks) if padded else stacked), certificate


def _check_equal(ranks: Array) -> None:
    if ranks.size and ranks.min() < ranks.max():
        raise ValueError(
            f"the matrices of the stack have different ranks ({ranks.min()} and {ranks.max()}), so "
            "their bases do not fit in one array; pass ragged=True for a list of bases, or "
            "padded=True for an array filled up with zeros"
        )


def _one_at_a_time(
    matrices: Array, one: One, width: Callable[[int], int], shape: tuple[int, ...]
) -> Bases:
    pairs = for_each(one, matrices)
    certificates = [said for _, said in pairs]
    ranks = np.array([said.rank for said in certificates], np.intp)
    groups = []
    for rank in np.unique(ranks).tolist():
        indices = np.flatnonzero(ranks == rank)
        group = np.empty((len(indices), width(rank), len(pairs[indices[0]][0])), matrices.dtype)
        for out, index in zip(group, indices, strict=True):
            out.T[...] = pairs[index][0]
        groups.append((indices, group))
    return Bases(groups, ranks, lambda: Certificate.stack(certificates, shape))


def _compiled(
    A: Array,
    rtol: float | None,
    row_side: bool,
    complement: bool,
    check_finite: bool,
    uniform: bool,
    full_output: bool,
    lapack_driver: str,
) -> Bases:
    at, rows, shape = places(A), A.shape[-1 if row_side else -2], A.shape[:-2]
    relative, added = Cutoff.of(A[(0,) * len(shape)], rtol).terms

    def run(at: Array, basis: Array | None = None, *, tight: bool = False) -> Decisions:
        return decide_stack(
            A,
            at,
            np.full(len(at), relative),
            np.full(len(at), added),
            row_side=row_side,
            complement=complement,
            basis=basis,
            tight=tight,
            lapack_driver=lapack_driver,
        )

    def room(count: int, rank: int) -> Array:
        # Fortran order of the transposed shape: one basis after the other.
        return empty((rows, rows - rank if complement else rank, count), A.dtype).T

    usual = int(np.bincount(run(at[:: math.ceil(len(at) / _ASKED)].copy()).ranks).argmax())
    basis = room(len(at), usual)
    decisions = run(at, basis, tight=full_output)
    decisions.check(A, "A", finite=check_finite)
    ranks = decisions.ranks
    if uniform:
        _check_equal(ranks)
    groups = []
    for rank in np.unique(ranks).tolist():
        indices = np.flatnonzero(ranks == rank)
        group = basis
        if rank != usual:
            group = room(len(indices), rank)
            run(at[indices], group)
        elif len(indices) < len(at):
            group = basis[indices]
        groups.append((indices, group))
    return Bases(groups, ranks, lambda: decisions.certificate(shape))
