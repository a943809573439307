"""The public functions as one table: what the contract tests loop over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastsub


@dataclass(frozen=True)
class Entry:
    """One public function.

    Attributes
    ----------
    name : str
    call : callable
        Takes a matrix and keywords; returns a tuple of arrays and numbers.
    argument : str
        What its errors call the matrix.
    tolerances : tuple of str
        Keywords that take a tolerance.
    flags : tuple of str
        Of ``check_finite``, ``overwrite_a`` and ``full_output``, those that it takes.
    stacks : bool
        Whether it takes stacks of matrices.
    """

    name: str
    call: Callable[..., tuple[Any, ...]]
    argument: str = "A"
    tolerances: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    stacks: bool = True

    def __repr__(self):
        return self.name


def _alone(function):
    return lambda A, **options: (function(A, **options),)


def _lstsq(A, **options):
    rows = np.shape(A)[-2] if np.ndim(A) > 1 else len(A)
    result = fastsub.lstsq(A, np.linspace(-1, 2, rows), **options)
    return result[0] if options.get("full_output") else result


def _rrqr(A, **options):
    return tuple(fastsub.rrqr(A, **options))


def _rref(A, **options):
    E = fastsub.rref(A, **options)
    return E.R, E.null_basis, np.array(E.pivots, int)


def _cod(A, **options):
    F = fastsub.COD(A, **options)
    return F.column_space(), F.row_space(), F.null_space(), F.left_null_space(), F.rank


def _fundamental(A, **options):
    F = fastsub.fundamental_subspaces(A, **options)
    b = np.linspace(-1, 2, F.shape[0])
    return *(V.basis for V in F), F.rank, F.solve(b), F.pseudoinverse()


def _solutions(A, **options):
    shape = A.array.shape if hasattr(A, "array") else getattr(A, "shape", None) or (1,)
    rows = len(A) if isinstance(A, (list, tuple)) else shape[0]
    S = fastsub.solutions(A, np.linspace(-1, 2, rows), **options)
    return S.particular, S.residual, S.basic(), S.sample(), S.determined, S.residual_norm


def _identifiability(A, **options):
    found = fastsub.identifiability(A, **options)
    return found.identified, found.vif, found.flat_directions.basis, found.rank, found.nullity


def _kernel(A, **options):
    V = fastsub.Subspace.kernel(A, **options)
    return V.basis, V.complement().basis, V.projector().to_matrix(), V.dim


def _rows(A):
    """Rows of whatever was given: where it has none, its error is what a test wants to see."""
    try:
        return (*np.shape(A), 0)[0]
    except ValueError:  # a ragged list
        return len(A)


def _least_squares(A, **options):
    fit = fastsub.LeastSquares(A, np.linspace(-1, 2, _rows(A)), **options)
    return fit.coefficients, fit.leverage, fit.rank, fit.estimable


def _ridge(A, **options):
    fit = fastsub.ridge(A, np.linspace(-1, 2, _rows(A)), [0.5, 2], **options)
    return *fit.coefficients, fit.gcv, fit.rank


def _factorize(A, **options):
    F = fastsub.factorize(A, **options)
    m, n = F.shape
    x, y = F.solve(np.linspace(-1, 2, m)), F.solve_adjoint(np.linspace(2, -1, n))
    return x, y, F.rank


_SUBSPACE = {"tolerances": ("rcond",), "flags": ("check_finite", "full_output")}

FUNCTIONS = (
    Entry(
        "null_space",
        _alone(fastsub.null_space),
        tolerances=("rcond",),
        flags=("check_finite", "full_output", "overwrite_a"),
    ),
    Entry("orth", _alone(fastsub.orth), **_SUBSPACE),
    Entry("column_space", _alone(fastsub.column_space), **_SUBSPACE),
    Entry("row_space", _alone(fastsub.row_space), **_SUBSPACE),
    Entry("left_null_space", _alone(fastsub.left_null_space), **_SUBSPACE),
    Entry(
        "matrix_rank",
        _alone(fastsub.matrix_rank),
        tolerances=("tol", "rtol"),
        flags=("full_output",),
    ),
    Entry(
        "lstsq",
        _lstsq,
        argument="a",
        tolerances=("cond",),
        flags=("check_finite", "full_output", "overwrite_a"),
    ),
    Entry(
        "pinv",
        _alone(fastsub.pinv),
        argument="a",
        tolerances=("atol", "rtol"),
        flags=("check_finite", "full_output"),
    ),
    Entry("rrqr", _rrqr, tolerances=("rtol",), stacks=False),
    Entry("rref", _rref, tolerances=("rtol",), flags=("check_finite",), stacks=False),
    Entry("qr", fastsub.qr, argument="a", flags=("check_finite", "overwrite_a")),
    Entry(
        "qr-pivoted",
        lambda A, **options: fastsub.qr(A, pivoting=True, **options),
        argument="a",
        flags=("check_finite", "overwrite_a"),
    ),
    Entry("fundamental_subspaces", _fundamental, tolerances=("rtol",), stacks=False),
    Entry("solutions", _solutions, tolerances=("rtol", "rcond"), stacks=False),
    Entry("Subspace.kernel", _kernel, tolerances=("rtol", "tol"), stacks=False),
    Entry("identifiability", _identifiability, argument="X", tolerances=("rtol",), stacks=False),
    Entry(
        "interpolative",
        lambda A, **options: tuple(fastsub.interpolative(A, **options)),
        tolerances=("rtol",),
        stacks=False,
    ),
    Entry(
        "low_rank",
        lambda A, **options: tuple(fastsub.low_rank(A, **options)),
        tolerances=("rtol",),
        stacks=False,
    ),
    Entry("subspace_angles", lambda A: (fastsub.subspace_angles(A, A).astype(float),)),
    Entry(
        "COD",
        _cod,
        tolerances=("rtol", "tol"),
        flags=("check_finite", "overwrite_a"),
        stacks=False,
    ),
    Entry("factorize", _factorize, tolerances=("rtol",), flags=("check_finite",), stacks=False),
    Entry("ridge", _ridge, flags=("check_finite",), stacks=False),
    Entry("LeastSquares", _least_squares, tolerances=("rtol",), stacks=False),
)

every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=repr)


def those_with(*flags):
    """Parametrize over the functions that take a flag, or stacks."""
    some = [f for f in FUNCTIONS if all(flag in f.flags or getattr(f, flag, 0) for flag in flags)]
    return pytest.mark.parametrize("function", some, ids=repr)


def assert_same_bits(one, other):
    """Two answers are equal to the last bit: shapes, dtypes and entries."""
    assert len(one) == len(other)
    for x, y in zip(one, other, strict=True):
        if x is None or y is None:
            assert x is y
            continue
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(x, y)
