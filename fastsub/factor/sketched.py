"""Tall matrices: a sketch proposes the rank, bounds on A itself prove it; A is read twice.

Y = S A (kernels/sketch.pyx) is d x n with d about 2 n: cheap to factor, Q^H Y P = R, and with high
probability Y stretches every direction of A alike, within a factor 6. Probability only proposes.
The proof is deterministic, with beta := 2 sqrt(c) >= ||S||_2, c the most nonzeros in a row of S,
and margins mu_s := sqrt(s) u ||.||_F as in decide.py:

* sigma_r(A) >= sigma_r(S A) / beta >= (1 / ||R11^-1||_F - 2 mu_d(Y)) / beta - mu_c(A): the margins
  are those of the QR and of the inverse, and that of adding c numbers up: the error of Y is below
  sqrt(c) u |S| |A|, and || |S| ||_2 <= beta too.
* sigma_{r+1}(A) <= (||A N||_F + mu_m(A)) / sigma_min(N), for any n x (n - r) matrix N (Courant &
  Fischer); here N is the null space of R, orthonormal to rounding.
* sigma_1(A) lies between ||A x||_2, x a right singular vector of R, and ||A||_F.

These are bounds of A as it is given, not of a perturbed A + E. None is returned where they do not
decide, or where N is not the best null space that rounding allows: then cod.py answers.

References
----------
Rokhlin & Tygert, A fast randomized algorithm for overdetermined linear least-squares regression,
PNAS 105 (2008). Park & Nakatsukasa, A fast randomized algorithm for computing an approximate null
space, BIT 63 (2023). Melnichenko et al., CholeskyQR with randomization and pivoting for tall
matrices, SIAM J. Matrix Anal. Appl. 46 (2025).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    empty,
    is_safe,
    magnitude,
    product,
    upper,
    whole_strides,
    zeros,
)
from fastsub.factor.certificate import Certificate
from fastsub.factor.choose import choose, is_tall
from fastsub.factor.decide import (
    Cutoff,
    Decision,
    certify,
    rounding_margin,
    smallest_pivot,
    tail_norms,
)
from fastsub.factor.parallel import map_pieces
from fastsub.factor.reflectors import AvoidingQR, pivoted_qr
from fastsub.factor.sharpen import norm_upper
from fastsub.kernels import blas, gram, panels, qrcp, rz, sketch, triangular

_SEED = 20080422
# Sketch rows: twice the columns, and more of very few columns, which chance treats worse.
_LEAST_ROWS = 64
# Entries of A from which another thread pays, and the most pieces of rows.
_PIECE, _PIECES = 1 << 19, 8
# ||A N||_2 in units of eps ||A||_2 up to which no other null space annihilates any better.
_CLEAN = 20.0
# Condition of A1 = A P1 R11^-1 up to which one more Cholesky makes it orthonormal.
_CONDITION = 20.0
# Of the power method, where an estimate within a few percent will do.
_STEPS = 8


def decide_by_sketch(
    A: Array,
    cutoff: Cutoff,
    *,
    row_side: bool = True,
    complement: bool = True,
    want_basis: bool = True,
    rng: Any = None,
) -> tuple[Array, Certificate] | None:
    """Return a basis and its certificate, or None: not tall or wide, not proved, not finite.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, any strides.
    cutoff : Cutoff
        Singular values above it count.
    row_side, complement : bool
        Which subspace: row space (True, False), null space (True, True), column space (False,
        False), left null space (False, True).
    want_basis : bool
        False: the rank alone, and an empty array for a basis.
    rng : seed or Generator, optional
        For the sketch; it never changes whether an answer is right.
    """
    wide = A.shape[0] < A.shape[1]
    if wide:
        # The subspaces of A^T are the conjugates of those of A^H.
        A, row_side = A.T, not row_side
    if not is_tall(*A.shape) or (want_basis and complement and not row_side):
        return None
    A = whole_strides(A)
    sketched = sketch_of(A, rng)
    if sketched is None:
        return None
    if sketched.norm == 0:
        return _of_zero(A, cutoff, row_side, complement, want_basis)
    column_side = want_basis and not row_side
    revealed = reveal(sketched, cutoff, pivot=column_side)
    if revealed is None:
        return None
    lower, Q = lower_by_sketch(sketched, revealed), np.empty(0)
    if column_side or not lower > cutoff.bracket(0.0, sketched.norm)[1]:
        whitened = whiten(A, sketched.norm, revealed, keep=column_side)
        if whitened is None:
            return None
        lower, Q = max(lower, whitened[0]), whitened[1]
    decision = _verify(A, sketched.norm, revealed, lower, cutoff, clean=want_basis)
    if decision is None:
        return None
    basis = Q
    if row_side and want_basis:
        basis = revealed.null if complement else revealed.row_space()
    if wide and basis.dtype.kind == "c":
        np.conj(basis, out=basis)
    return basis, certify(decision, "sketch", 0)


def _of_zero(
    A: Array, cutoff: Cutoff, row_side: bool, complement: bool, want_basis: bool
) -> tuple[Array, Certificate]:
    rows = A.shape[1 if row_side else 0]
    basis = zeros((rows, rows if complement else 0) if want_basis else (0,), A.dtype)
    if basis.size:
        np.fill_diagonal(basis, 1)
    tol = cutoff.bracket(0.0, 0.0)[0]
    return basis, certify(Decision(0, tol, math.inf, 0.0, "bounds", 0.0), "sketch", 0)


# ---- the sketch ----


@dataclass(slots=True)
class Sketch:
    """Y = S A, its rows d, the norm of A, and c: the most nonzeros in a row of S."""

    Y: Array | None
    d: int
    norm: float
    c: int


def sketch_of(A: Array, rng: Any = None) -> Sketch | None:
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
    norm = math.sqrt(sumsq) * (1 + 64 * float(np.finfo(A.dtype).eps)) if sumsq >= 0 else math.nan
    # Squares may all have underflowed: only the entries themselves say that A is zero.
    if not is_safe(norm, A.dtype) and not (norm == 0 and magnitude(A) == 0):
        return None
    for other in Ys[1:]:
        Ys[0] += other
    return Sketch(Ys[0], d, norm, int(counts[:, 0].sum(axis=0).max()))


def _rounded_up(x: int, multiple: int) -> int:
    return -(-x // multiple) * multiple


# ---- the rank: proposed, and bounded from below ----


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
    frobenius = triangular.py_inverse(R, X)
    if not 0 < frobenius < math.inf:
        return None
    if rank == n:
        return Revealed(R, p, n, X, frobenius, empty((n, 0), R.dtype))
    factors = _rz(R, rank)
    return Revealed(R, p, rank, X, frobenius, _rz_columns(*factors, p, rank, n), factors)


def lower_by_sketch(sketched: Sketch, revealed: Revealed) -> float:
    """Bound sigma_r(A) from below by that of Y."""
    dtype = revealed.R.dtype
    margin = 2 * rounding_margin(_frobenius(revealed.R), sketched.d, dtype)
    beta = 2 * math.sqrt(sketched.c)
    adding = rounding_margin(sketched.norm, sketched.c, dtype)
    return (1 / revealed.frobenius - margin) / beta - adding


def _frobenius(A: Array) -> float:
    return qrcp.py_column_norms(A, np.empty(2 * A.shape[1]))


def _largest_column(A: Array) -> float:
    norms = np.empty(2 * A.shape[1])
    qrcp.py_column_norms(A, norms)
    return float(norms.max())


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


# ---- the pass that bounds from above ----


def _verify(
    A: Array, norm: float, revealed: Revealed, lower: float, cutoff: Cutoff, *, clean: bool
) -> Decision | None:
    """Bound sigma_{r+1} and sigma_1 by products with A; None if they leave the rank open.

    clean: also None unless the null space is as good as rounding allows.
    """
    (m, n), N = A.shape, revealed.null
    k, dtype = N.shape[1], A.dtype
    margin = rounding_margin(norm, m, dtype)
    low = norm / math.sqrt(n)
    if not lower > cutoff.bracket(low, norm)[1]:
        return None
    x = top_right(revealed)
    V = np.concatenate([N, x], axis=1, out=empty((n, k + 1), dtype))
    squares, G = np.empty(k + 1), empty((k, k) if clean else (0, 0), dtype)
    work = np.empty(panels.py_work_size(A, k + 1), dtype)
    panels.py_product_sumsq(A, V, squares, G, work)
    low = max(low, (math.sqrt(squares[k]) - margin) / float(np.linalg.norm(x)))
    tol_low, tol_high = cutoff.bracket(low, norm)
    upper = residual = 0.0
    if k:
        residual = math.sqrt(float(squares[:k].sum()))
        loss = product(N, N, adjoint=True)
        np.fill_diagonal(loss, np.diagonal(loss) - 1)
        sine = _frobenius(loss) + 2 * rounding_margin(k, n, dtype)
        if not sine < 0.5:
            return None
        upper = (residual + margin) / math.sqrt(1 - sine)
    if not upper <= tol_low <= tol_high < lower:
        return None
    if k and clean:
        annihilated = math.sqrt(_largest_eigenvalue(G))
        if not annihilated <= min(tol_low, _CLEAN * float(np.finfo(dtype).eps) * low):
            return None
    return Decision(revealed.rank, tol_low, lower, upper, "bounds", residual)


def top_right(revealed: Revealed) -> Array:
    """Approximate right singular vector of the largest singular value, shape (n, 1)."""
    R, p = np.triu(revealed.R), revealed.p
    x = np.ones((p.size, 1), R.dtype, order="F")
    for _ in range(_STEPS):
        x = product(R, product(R, x), adjoint=True)
        x /= max(float(np.linalg.norm(x)), np.finfo(R.dtype).tiny)
    x[p] = x.copy()
    return x


def _largest_eigenvalue(G: Array) -> float:
    """Estimate that of a Hermitian matrix given by its upper triangle, from below."""
    G = G + np.triu(G, 1).conj().T
    x = np.ones((G.shape[0], 1), G.dtype, order="F")
    size = 0.0
    for _ in range(2 * _STEPS):
        x = product(G, x)
        size = float(np.linalg.norm(x))
        if not size > 0:
            break
        x /= size
    return size


# ---- the column space, and a sharper bound from below ----


def whiten(
    A: Array, norm: float, revealed: Revealed, *, keep: bool
) -> tuple[float, Array, Array] | None:
    """CQRRPT: A1 = A P1 X is well-conditioned, so its Cholesky QR is orthonormal.

    And sigma_r(A) >= sigma_min(A P1) >= (sigma_min(A1) - ||E||) / ||X||, E the rounding of A1,
    ||E|| <= sqrt(r) u ||A||_F ||X||_F, whatever X is. sigma_min(A1) comes from its Gram matrix, as
    in fullrank.py.

    Returns
    -------
    lower : float
        The bound.
    Q : ndarray, shape (m, r)
        The column space; if it is not to be kept, of no meaning.
    R : ndarray, shape (r, r)
        The Cholesky factor of A1^H A1.
    """
    (m, r), dtype = (A.shape[0], revealed.rank), A.dtype
    Q = empty((m if keep else panels.py_panel_rows(A, r), r), dtype)
    G = empty((r, r), dtype)
    panels.py_precondition(A, revealed.p, revealed.X, Q, G, np.empty(2 * r * r, dtype))
    rounding = 2 * rounding_margin(float(np.trace(G).real), m, dtype)
    if gram.py_cholesky(G) != 0:
        return None
    X = empty((r, r), dtype)
    frobenius = triangular.py_inverse(G, X)
    if not 0 < frobenius < math.inf:
        return None
    inverse = norm_upper(X, _estimate(X), frobenius)
    if keep:
        if not inverse * _estimate(G) <= _CONDITION:
            return None
        blas.py_trmm("R", "U", "N", "N", X, Q)
    sigma = 1 / inverse - rounding_margin(_frobenius(G), r, dtype)
    sigma = math.sqrt(max(0.0, sigma * abs(sigma) - rounding))
    error = rounding_margin(norm * revealed.frobenius, r, dtype)
    stretch = norm_upper(revealed.X, _estimate(revealed.X), revealed.frobenius)
    return (sigma - error) / stretch, Q, G


def _estimate(T: Array) -> float:
    """Estimate of the norm of a triangle, from below."""
    r = T.shape[0]
    return float(triangular.py_sigma_max_lower(T, r, np.empty(2 * r, T.dtype), 4 * _STEPS))
