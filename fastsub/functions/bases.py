"""One of the four subspaces, chosen by a table; what the functions of subspaces.py share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastsub.factor.arrays import Array, as_array, check_tolerance
from fastsub.factor.choose import Want
from fastsub.factor.memory import empty, zeros
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.factor.small import decide_small
from fastsub.factor.tall.sketched import decide_by_sketch
from fastsub.functions.stacks import bases_of_stack

_DRIVERS = ("gesdd", "gesvd")


class Space(NamedTuple):
    """One of the four: whose rows it has, range or complement, and where it comes from."""

    row_side: bool
    complement: bool
    want: Want
    basis: Callable[[COD], Array]


NULL_SPACE = Space(True, True, "row", COD.null_space)
ROW_SPACE = Space(True, False, "row", COD.row_space)
COLUMN_SPACE = Space(False, False, "column", COD.column_space)
LEFT_NULL_SPACE = Space(False, True, "column", COD.left_null_space)


def _of_zero(A: Array, space: Space) -> tuple[Array, Certificate]:
    """Return the whole space or nothing, of a matrix of zeros."""
    rows = A.shape[1 if space.row_side else 0]
    certificate = Certificate(0, 0.0, math.inf, 0.0, "bounds", "zero")
    if not space.complement:
        return empty((rows, 0), A.dtype), certificate
    basis = zeros((rows, rows), A.dtype, "it is the whole space: no basis is needed")
    np.fill_diagonal(basis, 1)
    return basis, certificate


def basis(
    A: Any,
    rcond: float | None,
    space: Space,
    check_finite: bool,
    *,
    overwrite_a: bool = False,
    lapack_driver: str = "gesdd",
    rng: Any,
    full_output: bool,
    ragged: bool,
    padded: bool,
) -> Any:
    """Return an orthonormal basis of one of the four subspaces, of a matrix or of a stack of them.

    The smallest machinery that can answer does: one compiled call, a sketch, a factorisation.
    """
    A = as_array(A)
    if A.ndim < 2:
        raise ValueError(f"A must be a matrix or a stack of matrices, got {A.ndim}-d")
    if lapack_driver not in _DRIVERS:
        raise ValueError(f"lapack_driver must be one of {_DRIVERS}, got {lapack_driver!r}")
    rtol = check_tolerance(rcond, "rcond")

    def one(matrix: Array) -> tuple[Array, Certificate]:
        answer = decide_small(
            matrix,
            Cutoff.of(matrix, rtol),
            row_side=space.row_side,
            complement=space.complement,
            lapack_driver=lapack_driver,
        )
        if answer is None and matrix.size and not matrix[0].any() and not matrix.any():
            return _of_zero(matrix, space)
        if answer is None:
            answer = decide_by_sketch(
                matrix,
                Cutoff.of(matrix, rtol),
                row_side=space.row_side,
                complement=space.complement,
                rng=rng,
            )
        if answer is not None:
            return answer
        factorisation = COD(
            matrix,
            rtol,
            want=space.want,
            overwrite_a=overwrite_a,
            check_finite=check_finite,
            lapack_driver=lapack_driver,
            rng=rng,
        )
        return space.basis(factorisation), factorisation.certificate

    certificate: Certificate | None
    if A.ndim == 2:
        result, certificate = one(A)
    else:
        result, certificate = bases_of_stack(
            A,
            rtol,
            one,
            row_side=space.row_side,
            complement=space.complement,
            lapack_driver=lapack_driver,
            check_finite=check_finite,
            ragged=ragged,
            padded=padded,
            full_output=full_output,
        )
    return (result, certificate) if full_output else result
