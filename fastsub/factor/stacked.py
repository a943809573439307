"""Stacks of small matrices: what compiled loops over pieces of them (pieces.py) decide and solve.

Bounds decide without the BLAS; what they leave open its singular values decide, by LAPACK.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array, check_finite_magnitude
from fastsub.factor.memory import empty
from fastsub.factor.pieces import in_pieces
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.kernels import stack, stack_angles, stack_backward, stack_lstsq, stack_qr

# Who decided, by the codes of kernels/stack.pxd.
_METHODS = np.array(["small qr", "small qrcp", "small qrcp+svd", "svd", "not finite"])
_DECIDED_BY = np.array(["bounds", "bounds", "bounds", "svd", "svd"])
_UNKNOWN, _FAILED = 4, 5


@dataclass(slots=True)
class Decisions:
    """What was decided about every matrix of a stack.

    Attributes
    ----------
    ranks : ndarray of intp, shape (N,)
    bounds : ndarray, shape (N, 3)
        The cutoff, the lower bound of sigma_r and the upper one of the next.
    how : ndarray of int8, shape (N,)
        See kernels/stack.pxd.
    """

    ranks: Array
    bounds: Array
    how: Array

    @classmethod
    def empty(cls, count: int) -> Decisions:
        """Return room for `count` decisions."""
        return cls(np.zeros(count, np.intp), np.empty((count, 3)), np.zeros(count, np.int8))

    def check(self, A: Array, name: str, *, finite: bool) -> None:
        """Raise where an SVD failed or, if `finite`, entries of the stack A are not."""
        worst = self.how.max(initial=0)
        if worst == _FAILED:
            raise ConvergenceError(f"the SVD of a matrix of the stack {name} did not converge")
        if worst == _UNKNOWN and finite:
            check_finite_magnitude(A, name)

    def certificate(self, shape: tuple[int, ...], errors: Array | None = None) -> Certificate:
        """Return the certificate of the stack, `errors` the backward errors, shape (N,)."""
        decided_by, method = _DECIDED_BY[self.how], _METHODS[self.how]
        return Certificate(
            self.ranks.astype(int).reshape(shape),
            self.bounds[:, 0].reshape(shape),
            self.bounds[:, 1].reshape(shape),
            self.bounds[:, 2].reshape(shape),
            decided_by.reshape(shape),
            method.reshape(shape),
            None if errors is None else errors.reshape(shape),
            np.zeros(shape),
        )


def decide_stack(
    A: Array,
    at: Array,
    rtol: Array,
    tol: Array,
    *,
    row_side: bool = True,
    complement: bool = True,
    basis: Array | None = None,
    tight: bool = True,
    lapack_driver: str = "gesdd",
) -> Decisions:
    """Decide about the matrices that begin at `at`, and span one of their subspaces.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, of whole strides; small matrices, not empty.
    at : ndarray of intp, shape (N,)
        Places of matrices.
    rtol, tol : ndarray, shape (N,)
        Cutoffs are their sum, the first times sigma_1.
    row_side, complement : bool
        As for `decide_small`.
    basis : ndarray, shape (N, width, rows), optional
        Out: transposed bases, of the matrices whose bases have that width.
    tight : bool
        Whether the cutoff is shown.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD, where bounds cannot decide.
    """
    decisions = Decisions.empty(len(at))

    def work(first: int, last: int) -> None:
        stack.py_spaces(
            A,
            at,
            first,
            last,
            row_side,
            complement,
            basis,
            rtol,
            tol,
            tight,
            lapack_driver == "gesvd",
            decisions.ranks,
            decisions.bounds,
            decisions.how,
        )

    m, n = A.shape[-2:]
    in_pieces(work, len(at), m, n, 0 if basis is None else basis.shape[1])
    return decisions


def solve_stack(
    A: Array,
    at: Array,
    B: Array,
    at_b: Array,
    cutoff: Cutoff,
    *,
    tight: bool,
    sigma: bool = False,
) -> tuple[Array, Array, Array | None, Decisions]:
    """Return the solutions of minimum norm of ``A X = B``, matrix by matrix.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, of whole strides; small matrices, not empty.
    at : ndarray of intp, shape (N,)
        Places of matrices.
    B : ndarray, shape (..., m, k)
        Of the same dtype, of whole strides; k > 0.
    at_b : ndarray of intp, shape (N,)
        Places of right-hand sides.
    cutoff : Cutoff
        The same for all.
    tight : bool
        Whether the cutoff is shown.
    sigma : bool
        Whether singular values are wanted; then they decide.

    Returns
    -------
    X : ndarray, shape (N, n, k)
        One solution after the other, in Fortran order.
    squares : ndarray, shape (N, k)
        Squared norms of residuals, where m > n and the rank is n.
    sigmas : ndarray, shape (N, min(m, n)), or None
        Singular values.
    decisions : Decisions
    """
    (m, n), k, count = A.shape[-2:], B.shape[-1], len(at)
    decisions = Decisions.empty(count)
    X, squares = empty((n, k, count), A.dtype).T, np.zeros((count, k))
    sigmas = np.empty((count, min(m, n))) if sigma else None

    def work(first: int, last: int) -> None:
        stack_lstsq.py_solve(
            A,
            at,
            B,
            at_b,
            first,
            last,
            X,
            squares,
            sigmas,
            *cutoff.terms,
            tight,
            decisions.ranks,
            decisions.bounds,
            decisions.how,
        )

    in_pieces(work, count, m, n, k)
    return X.swapaxes(1, 2), squares, sigmas, decisions


def backward_errors(A: Array, at: Array, B: Array, at_b: Array, X: Array) -> Array:
    """Return the largest backward error of each solution, relative to ``norm(A, "fro")``.

    Parameters
    ----------
    A, at, B, at_b
        As for `solve_stack`.
    X : ndarray, shape (N, n, k)
        Its solutions.

    Returns
    -------
    ndarray, shape (N,)
        The estimate of least_squares/backward.py; infinite where entries are not finite.
    """
    errors, stored = np.empty(len(at)), X.swapaxes(1, 2)

    def work(first: int, last: int) -> None:
        stack_backward.py_estimates(A, at, B, at_b, stored, first, last, errors)

    (m, n), k = A.shape[-2:], B.shape[-1]
    in_pieces(work, len(at), m + n, n, k)
    return errors


def qr_stack(A: Array, at: Array, mode: str, *, pivoting: bool) -> tuple[Array, ...]:
    """Return what `qr` does, of small matrices: Q (qr and tau when raw), R and, pivoted, P.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, of whole strides; small matrices, not empty.
    at : ndarray of intp, shape (N,)
        Places of matrices.
    mode, pivoting
        As for `qr`.
    """
    (m, n), count = A.shape[-2:], len(at)
    k, raw = min(m, n), mode == "raw"
    columns = {"full": m, "economic": k, "r": 0, "raw": n}[mode]
    rows = k if mode == "economic" or raw else m
    Q = empty((m, columns, count), A.dtype).T if columns else None
    R = empty((rows, n, count), A.dtype).T
    tau = np.empty((count, k), A.dtype) if raw else None
    p = np.empty((count, n), np.intc) if pivoting else None

    def work(first: int, last: int) -> None:
        stack_qr.py_qr(A, at, first, last, Q, R, tau, p)

    in_pieces(work, count, m, n, columns)
    parts = (Q if Q is None else Q.swapaxes(1, 2), tau, R.swapaxes(1, 2), p)
    return tuple(part for part in parts if part is not None)


def angles_stack(
    X: Array, Y: Array, pairs: tuple[Array, Array], ranks: tuple[Array, Array], k: int
) -> Array:
    """Return the principal angles of pairs of subspaces, descending, shape (N, k).

    Parameters
    ----------
    X, Y : ndarray, shape (., n, p) and (., n, q)
        Orthonormal bases, one after the other in Fortran order, the first `ranks` of their columns.
    pairs : (ndarray, ndarray) of intp, shape (N,)
        Which of X and which of Y.
    ranks : (ndarray, ndarray) of intp
        Of each of X and Y.
    k : int
        The smaller rank of every pair.

    Raises
    ------
    ConvergenceError
        If an SVD fails.
    """
    angles = np.empty((len(pairs[0]), k))
    x, y = X.swapaxes(1, 2), Y.swapaxes(1, 2)

    def work(first: int, last: int) -> None:
        info = stack_angles.py_angles(x, y, *pairs, *ranks, first, last, angles)
        if info:
            raise ConvergenceError(f"the SVD failed: bdsdc did not converge (info {info})")

    if k:
        in_pieces(work, len(angles), X.shape[1], X.shape[2] + Y.shape[2], 2 * k)
    return angles
