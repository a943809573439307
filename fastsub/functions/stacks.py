"""Stacks ``(..., m, n)``: one matrix at a time, the answers gathered."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.certificate import Certificate


def bases_of_stack(
    A: Array,
    basis_of: Callable[[Array], tuple[Array, Certificate]],
    rows: int,
    width: Callable[[int], int],
    ragged: bool,
) -> tuple[Any, Certificate]:
    """Apply `basis_of` to every matrix of a stack.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
    basis_of : callable
        Returns the basis (rows, ...) of one matrix and its certificate.
    rows : int
        Rows of a basis.
    width : callable
        Columns of a basis, given the rank: for a stack of no matrices.
    ragged : bool
        Return a list of bases in C order, which may differ in width.

    Raises
    ------
    ValueError
        If ranks differ and the result is not ragged.
    """
    shape = A.shape[:-2]
    matrices = A.reshape(math.prod(shape), *A.shape[-2:])
    pairs = [basis_of(matrix) for matrix in matrices]
    certificate = Certificate.stack([certificate for _, certificate in pairs], shape)
    if ragged:
        return [basis for basis, _ in pairs], certificate
    ranks = np.unique(certificate.rank).astype(int)
    if ranks.size > 1:
        raise ValueError(
            f"the matrices of the stack have different ranks ({ranks[0]} and {ranks[-1]}), so "
            "their bases do not fit in one array; pass ragged=True for a list of bases"
        )
    count = width(int(ranks[0]) if ranks.size else min(A.shape[-2:]))
    stacked = np.empty((*shape, rows, count), A.dtype)
    outs = stacked.reshape(math.prod(shape), rows, count)
    for out, (basis, _) in zip(outs, pairs, strict=True):
        out[...] = basis
    return stacked, certificate
