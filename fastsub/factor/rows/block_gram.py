"""Gram matrices that stand for blocks of rows, where they lose no more than Householder QR may.

A block whose columns, scaled to one length, are far from dependent may take half the flops: R of
its Gram matrix, G + E = R^H R. With C the diagonal of the column lengths c_j, |E_ij| <= d c_i c_j,
the E_ij independent of one another (the square root law of rank/cutoff.py) and v = ||C R^-1||_F,

    ||R^-H E R^-1||_F <= d v^2 =: 2 t,     so R is the factor of X + F, ||F e_j|| <= t c_j

to first order, because X R^-1 has the Gram matrix I - R^-H E R^-1. (Terms that are all alike, as of
constant columns, round alike: there nothing but the shortness of the sums keeps E small, which are
those of pieces.) Right-hand sides Y beside X:
R^-H E_Y <= d v c_j changes what they have in the column space of X, and the triangle S of the rest,
S^H S = Y^H Y - g^H g, has the Gram error d (1 + 2 v) c_i c_j, to be judged by its own ||C S^-1||_F.

Other blocks are made such first, by the triangle of rows before them. With its columns scaled to
one length and ordered by pivots, X0 its inverse, B = X0^-1,

    Z = X P X0,    Z^H Z + E = R^H R,    and R B is the factor of X P + F:  ||F e_j|| <= t c_j

with the t of Z: F = (Q R - Z) B, and Q R - Z = Q (I - (I - R^-H E R^-1)^1/2) R. The roundings of Z
and of R B add sqrt(n) u ||D B e_j|| each, D the diagonal of c^T |X0|. Pivots make that small for
ill-conditioned X, too: the rows of B are graded, what is badly scaled cancels in D B. Where the
rows before had rounding alone in a coordinate, so has Z, in directions of no meaning: a row s e_k
is put below Z, which below X P is a row s e_k B, as large as rounding. If rows to come depend on
one another otherwise than those before, Z is ill-conditioned, and t shows it.

A block takes either only if every column has changed by at most ten times sqrt(p n) u of its
length; with one, this is what Householder QR of p rows and n columns is held to (Higham 2002,
theorem 19.4, by the square root law of rank/cutoff.py). No scaling of columns changes it.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 10.1 and 19.3.
Higham & Mary, A new approach to probabilistic rounding error analysis, SISC 41 (2019).
Fan, Guo & Lin, A novel randomized XR-based preconditioned CholeskyQR algorithm, arXiv:2111.11148
(2021): Cholesky QR after a triangle from elsewhere.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe, whole_strides
from fastsub.factor.choose import is_fused, is_packed
from fastsub.factor.gram import gram_matrix
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.products import column_norms, product
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.tall.passes import multiply
from fastsub.kernels import blas, gram, triangular

# Rows per column from which a Gram matrix pays.
_GRAM_FROM = 16
# The most rows that a Gram matrix is made of at once: large beside the cubes of the columns.
UNIT = 1 << 14
# Times sqrt(p n) u: DESIGN's accuracy contract of least squares.
_AS_GOOD = 10.0
# Of the default cutoff of the rank, eps times the rows, the share that dependent columns may lose.
_OF_CUTOFF = 0.5


class Coordinates:
    """Those in which the columns of blocks to come are thought to be independent.

    Parameters
    ----------
    p : ndarray of intc, shape (n,)
        A permutation.
    X : ndarray, shape (n, n)
        Upper triangular; column j of ``rows[:, p] @ X`` is coordinate j.
    weak : ndarray of bool, shape (n,)
        The coordinates of which rounding is all that there is.
    """

    def __init__(self, p: Array, X: Array, weak: Array) -> None:
        self.p, self.X, self.weak = p, X, weak

    @classmethod
    def of(cls, R: Array) -> Coordinates | None:
        """Return those of the triangle of some rows; None if it has fewer rows than columns."""
        n, u = R.shape[1], EPS[R.dtype.char] / 2
        if len(R) < n:
            return None
        lengths = column_norms(np.asfortranarray(R))
        zero = lengths == 0
        lengths[zero] = 1
        F = RRQR(np.asfortranarray(R / lengths.astype(R.real.dtype)), check_finite=False)
        p, U, j = F.p, np.array(F.R, order="F"), np.arange(n)
        weak = np.abs(U[j, j]) < n * u
        U[j[weak], j[weak]] = np.where(zero[p[weak]], 1, n * u)
        X = empty(U.shape, U.dtype)
        if not math.isfinite(triangular.py_inverse(U, X)):
            return None
        X /= lengths[p, None].astype(R.real.dtype)
        return cls(p.astype(np.intc), X, weak)

    @cached_property
    def _sizes(self) -> tuple[Array, Array, Array]:
        """B = X^-1, the entries of X without signs, and the squares of those of B."""
        B = empty(self.X.shape, self.X.dtype)
        triangular.py_inverse(self.X, B)
        return B, np.abs(self.X).astype(np.float64), np.abs(B).astype(np.float64) ** 2

    def shift(self, G: Array) -> Array:
        """Return what is added to the diagonal of G: rows in the weak coordinates."""
        squares = np.diagonal(G).real
        return np.where(self.weak & (squares > 0), squares.max(initial=0.0), 0)

    def loss(self, R: Array, shift: Array) -> float:
        """Return what shifts and the roundings of the way here and back cost, in units of u.

        R is the triangle in between.
        """
        B, X, squares = self._sizes
        # Without the BLAS, whose threads wait for those that read.
        order, none = np.arange(len(R), dtype=np.intc), empty((len(R), 0), R.dtype)
        G = multiply(R, order, B, none, keep=False, pieces=1)[1]
        lengths = np.sqrt(np.diagonal(G).real.astype(np.float64))
        here, u = lengths > 0, EPS[R.dtype.char] / 2
        rounding = len(R) * (lengths @ X) ** 2 @ squares
        shifted = shift.astype(np.float64) / u**2 @ squares
        found = (2 * np.sqrt(rounding) + np.sqrt(shifted))[here] / lengths[here]
        return float(found.max(initial=0.0))

    def back(self, R: Array) -> Array:
        """Return R B P^H: in the order of the columns, no triangle any more."""
        S = np.array(R, order="F")
        blas.py_trsm("R", "U", "N", "N", self.X, S)
        out = np.empty_like(S)
        out[:, self.p] = S
        return out


def is_worth(p: int, n: int, dtype: Any) -> bool:
    """Whether a Gram matrix of p rows pays, if it serves."""
    return p >= _GRAM_FROM * n and is_packed(p, n, dtype)


def gram_of(
    X: Array, Y: Array, coordinates: Coordinates | None, *, alone: bool = False
) -> Array | None:
    """Return the Gram matrix of (X Y), its upper triangle, in coordinates.

    alone: by this thread and without the BLAS; None where that would be slower.
    """
    X, Y = whole_strides(X), whole_strides(Y)
    n = X.shape[1] + Y.shape[1]
    if coordinates is None:
        if not alone:
            return gram_matrix(X, Y)
        G, work = empty((n, n), X.dtype), np.empty(gram.py_gram_work_size(X, Y.shape[1]), X.dtype)
        gram.py_gram_with(X, Y, G, work)
        return G
    Z = np.concatenate([X, Y], axis=1) if Y.shape[1] else X
    none = empty((n, 0), X.dtype)
    if is_fused(n, X.dtype):
        pieces = 1 if alone else None
        return multiply(Z, coordinates.p, coordinates.X, none, keep=False, pieces=pieces)[1]
    if alone:
        return None
    return gram_matrix(product(Z[:, coordinates.p], coordinates.X))


def least_rows(n: int) -> float:
    """Return the rows before which hardly any block will do in coordinates."""
    # With v^2 = n, and as much for the rest.
    return _rounding(n, 0, 1) * n * math.sqrt(n) / (2 * _OF_CUTOFF)


def allowed(p: int, n: int, rows: int, coordinates: Coordinates | None) -> float:
    """Return the largest t / u of a Gram matrix of blocks of p rows, `rows` being all so far."""
    most = _AS_GOOD * math.sqrt(p * n)
    # In coordinates columns may be dependent: t u ||A||_F against eps rows sigma_1, the cutoff.
    return most if coordinates is None else min(most, 2 * _OF_CUTOFF * rows / math.sqrt(n))


def _rounding(n: int, p: int, units: int) -> float:
    """Return d of the module's docstring, in units of u."""
    # gram.pyx sums 128 rows, their sums, and those of at most 8 pieces, passes.pyx 64 rows, at most
    # 64 sums of those, and so on; then Cholesky.
    return math.sqrt(128 + p / 128 + 8 + units) + math.sqrt(n)


def triangle_of(G: Array, coordinates: Coordinates | None) -> Array | None:
    """Return R with R^H R = G and shifts; columns of zeros stay such."""
    R, j = G.copy(order="F"), np.arange(len(G))
    if coordinates is not None:
        R[j, j] += coordinates.shift(G)
    zero = np.flatnonzero(np.diagonal(G) == 0)
    R[zero, zero] = 1
    if gram.py_cholesky(R) != 0:
        return None
    R[zero, zero] = 0
    return R


def loss(G: Array, own: int, p: int, units: int, coordinates: Coordinates | None) -> float:
    """Return t / u of the module's docstring for a Gram matrix; infinity if it is no number.

    Parameters
    ----------
    G : ndarray, shape (n, n)
    own : int
        Columns that are no right-hand sides.
    p, units : int
        Rows of a block, and the blocks.
    coordinates : Coordinates, optional
        Those of G.
    """
    n = len(G)
    squares = np.diagonal(G).real.astype(np.float64)
    total, info = float(squares.sum()), np.finfo(G.dtype)
    # NaN and infinity show in the diagonal; so does a column whose squares are lost.
    if not (math.isfinite(total) and is_safe(math.sqrt(total), G.dtype)):
        return math.inf
    zero = squares == 0
    least = float(info.tiny) / float(info.eps) ** 2
    if (coordinates is None and zero.any()) or not squares[~zero].min(initial=1.0) > least:
        return math.inf
    R = triangle_of(G, coordinates)
    if R is None:
        return math.inf
    inverse, unit = np.empty_like(R), R.copy(order="F")
    unit[zero, zero] = 1
    if not math.isfinite(triangular.py_inverse(unit, inverse)):
        return math.inf
    d = _rounding(n, p, units)
    if coordinates is not None:
        shift = coordinates.shift(G)
        squares += shift
    lengths = np.sqrt(squares)
    if coordinates is not None:
        # Right-hand sides are columns like others there: R has made them independent.
        return d * _scaled(lengths, inverse) ** 2 / 2 + coordinates.loss(R, shift)
    v = _scaled(lengths[:own], inverse[:own, :own])
    found = d * v**2 / 2
    if n > own:
        S, w = R[own:, own:], _scaled(lengths[own:], inverse[own:, own:])
        rest = float(np.max(np.linalg.norm(S, axis=0) / lengths[own:]))
        found = max(found, d * (v + (1 + 2 * v) * w**2 * rest / 2))
    return found


def _scaled(lengths: Array, inverse: Array) -> float:
    # np.linalg.norm would wake the threads of a BLAS up, which wait for those that read.
    squares = inverse.real**2 + inverse.imag**2 if inverse.dtype.kind == "c" else inverse**2
    return math.sqrt(float((lengths[:, None] ** 2 * squares).sum()))
