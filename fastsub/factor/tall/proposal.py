"""A sketch of a tall matrix, and the rank that it proposes.

Y = S A (kernels/sketch.pyx) is d x n with d about 2 n: cheap to factor, Q^H Y P = R, and with high
probability Y stretches every direction of A alike, within a factor 6. Probability only proposes;
but whatever S is, Y bounds A from below:

* sigma_r(A) >= sigma_r(S A) / beta >= (1 / ||R11^-1||_F - 2 mu_d(Y)) / beta - mu_c(A), with
  beta := 2 sqrt(c) >= ||S||_2, c the most nonzeros in a row of S, and margins
  mu_s := sqrt(s) u ||.||_F as in rank/decide.py: those of the QR and of the inverse, and that of
  adding c numbers up: the error of Y is below sqrt(c) u |S| |A|, and || |S| ||_2 <= beta too.

References
----------
Rokhlin & Tygert, A fast randomized algorithm for overdetermined linear least-squares regression,
PNAS 105 (2008). Melnichenko et al., CholeskyQR with randomization and pivoting for tall matrices,
SIAM J. Matrix Anal. Appl. 46 (2025).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe, magnitude, upper
from fastsub.factor.choose import choose
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.reflectors import AvoidingQR, pivoted_qr
from fastsub.factor.parallel import map_pieces
from fastsub.factor.products import product
from fastsub.factor.rank.decide import Cutoff, rounding_margin, smallest_pivot, tail_norms
from fastsub.factor.rank.inverse import frobenius
from fastsub.kernels import qrcp, rz, sketch, triangular

_SEED = 20080422
# Sketch rows: twice the columns, and more of very few columns, which chance treats worse.
_LEAST_ROWS = 64
# Entries of A from which another thread pays, and the most pieces of rows.
_PIECE, _PIECES = 1 << 19, 8
# Of the power method, where an estimate within a few percent will do.
_STEPS = 8


@dataclass(slots=True)
class Sketch:
    """Y = S A, its rows d, the norm of A, and c: the most nonzeros in a row of S."""

    Y: Array | None
    d: int
    norm: float
    c: int

    @classmethod
    def of(cls, A: Array, rng: Any) -> Sketch | None:
        """Sketch A in pieces; None if an entry is not finite, or the scale a danger."""
        m, n = A.shape
        d = _rounded_up(max(2 * n, n + _LEAST_ROWS), 4)
        # Pieces of columns write to one Y; of few columns, pieces of rows have one each.
        width = _rounded_up(-(-n // (2 * -(-n // 128))), 8) if n >= 128 else n
        down = 1 if width < n else max(1, min(_PIECES, m * n // _PIECE, m // (4 * d)))
        across = -(-n // width)
        cuts = [m * i // down for i in range(down + 1)]
        seed = _SEED if rng is None else int(np.random.default_rng(rng).integers(1 << 63))
        Ys = [empty((d, n), A.dtype) for _ in range(down)]
        counts = np.zeros((down, across, d), np.intc)

        def sketch_piece(piece: int) -> float:
            i, j = divmod(piece, across)
            columns = slice(j * width, (j + 1) * width)
            part = A[cuts[i] : cuts[i + 1], columns]
            work = np.empty(sketch.py_work_size(part, d), A.dtype)
            return sketch.py_sketch(part, Ys[i][:, columns], counts[i, j], work, seed, cuts[i])

        sumsq = sum(map_pieces(sketch_piece, down * across))
        # Squares are added up by 64 in the precision of A, then in double. NaN and infinity stay.
        norm = (
            math.sqrt(sumsq) * (1 + 64 * float(np.finfo(A.dtype).eps)) if sumsq >= 0 else math.nan
        )
        # Squares may all have underflowed: only the entries themselves say that A is zero.
        if not is_safe(norm, A.dtype) and not (norm == 0 and magnitude(A) == 0):
            return None
        for other in Ys[1:]:
            Ys[0] += other
        return cls(Ys[0], d, norm, int(counts[:, 0].sum(axis=0).max()))


def _rounded_up(x: int, multiple: int) -> int:
    return -(-x // multiple) * multiple


@dataclass(slots=True)
class Revealed:
    """R of Y P in its first rows, a rank, X = R11^-1 with its Frobenius norm, a null space of R."""

    R: Array
    p: Array
    rank: int
    X: Array
    frobenius: float
    null: Array
    rz: tuple[Array, Array] | None = None

    def row_space(self) -> Array:
        """Complement of the null space, shape (n, rank)."""
        if self.rz is None:
            return np.asfortranarray(np.eye(self.rank, dtype=self.R.dtype))
        return _rz_columns(*self.rz, self.p, 0, self.rank)

    def top_right(self) -> Array:
        """Approximate right singular vector of the largest singular value, shape (n, 1)."""
        R = np.triu(self.R)
        # From the largest column j: (R^H R e_j)_j > 0, where R may annihilate any other start.
        x = np.asfortranarray(np.eye(self.p.size, dtype=R.dtype)[:, [_argmax_column(R)]])
        for _ in range(_STEPS):
            x = product(R, product(R, x), adjoint=True)
            x /= max(float(np.linalg.norm(x)), np.finfo(R.dtype).tiny)
        x[self.p] = x.copy()
        return x


def reveal(sketched: Sketch, cutoff: Cutoff, *, pivot: bool) -> Revealed | None:
    """Factor Y, which is lost, and propose a rank; None if that is 0, or not to be proved.

    Full rank needs no pivots, but a column space wants the graded R11 that they give.
    """
    Y, norm = sketched.Y, sketched.norm
    assert Y is not None
    n = Y.shape[1]
    low, high = cutoff.bracket(norm / math.sqrt(n), norm)
    if norm <= low:
        return None
    plan = choose(n, n, Y.dtype, want="row")
    # Chance stretches a vector to twice its length, hardly ever to four times.
    largest = _largest_column(Y) / 4
    low = max(low, cutoff.bracket(largest, norm)[0])
    qr = AvoidingQR(Y, plan, max(low, math.sqrt(np.finfo(Y.dtype).eps) * largest))
    p, rank, left = qr.p, qr.k, qr.left
    if left:
        qr.complete()
    R = upper(Y, n)
    sketched.Y = Y = None  # its memory is wanted
    if pivot or left > 2 * low or smallest_pivot(R, rank) <= 4 * high:
        _, q, k, left = pivoted_qr(R, plan, stop=low / 2)
        p = p[q]
        tails = tail_norms(R, k, left)
        rank = int(np.flatnonzero(np.append(tails[:-1] <= 2 * low, True))[0])
        if rank == 0 or smallest_pivot(R, rank) <= low:
            return None
    X = empty((rank, rank), R.dtype)
    size = triangular.py_inverse(R, X)
    if not 0 < size < math.inf:
        return None
    if rank == n:
        return Revealed(R, p, n, X, size, empty((n, 0), R.dtype))
    factors = _rz(R, rank)
    return Revealed(R, p, rank, X, size, _rz_columns(*factors, p, rank, n), factors)


def lower_by_sketch(sketched: Sketch, revealed: Revealed) -> float:
    """Bound sigma_r(A) from below by that of Y."""
    dtype = revealed.R.dtype
    margin = 2 * rounding_margin(frobenius(revealed.R), sketched.d, dtype)
    beta = 2 * math.sqrt(sketched.c)
    adding = rounding_margin(sketched.norm, sketched.c, dtype)
    return (1 / revealed.frobenius - margin) / beta - adding


def _largest_column(A: Array) -> float:
    norms = np.empty(2 * A.shape[1])
    qrcp.py_column_norms(A, norms)
    return float(norms.max())


def _argmax_column(R: Array) -> int:
    norms = np.empty(2 * R.shape[1])
    qrcp.py_column_norms(np.asfortranarray(R), norms)
    return int(np.argmax(norms[: R.shape[1]]))


def _rz(R: Array, r: int) -> tuple[Array, Array]:
    """B and T of kernels/rz.pyx; 0 < r < n."""
    n, block = R.shape[1], min(32, r)
    U, B, T = (empty(shape, R.dtype) for shape in ((r, r), (n - r, r), (block, r)))
    rz.py_rz(R, U, B, T, np.empty(block * r, R.dtype))
    return B, T


def _rz_columns(B: Array, T: Array, p: Array, start: int, stop: int) -> Array:
    C = empty((p.size, stop - start), B.dtype)
    work = np.empty(max(T.shape[0] * C.shape[1], C.shape[0]), B.dtype)
    rz.py_rz_columns(B, T, p, C, start, work)
    return C
