"""Complete orthogonal decomposition: one factorisation, all four subspaces, every solution.

    A = U [T 0; 0 0] V^H,    U (m, m) and V (n, n) unitary, T (r, r) nonsingular

in three steps on W = A, or A^H where that one is tall (or the free one of a square):

1. tall W: unpivoted QR to a square triangle, at the speed of gemm (Chan's trick);
2. QR with column pivoting of the triangle, with early stop; the rank decision (decide.py);
3. RZ of its first r rows, when a basis of the row side is asked for.

Where singular values had to decide and no gap separates the two sides, U and V are the singular
vectors of the triangle instead: then the bases are the best there are, as from SciPy's SVD.

References
----------
Chan, An improved algorithm for computing the singular value decomposition, ACM TOMS 8 (1982).
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix, empty, product, unscale, working_copy
from fastsub.factor.choose import Plan, Want, choose
from fastsub.factor.decide import (
    Cutoff,
    Decision,
    certify,
    decide,
    prove,
    rounding_margin,
    sigma_1_lower,
    singular_values,
    stopping_norm,
    tail_norms,
)
from fastsub.factor.reflectors import Product, Reflectors, pivoted_qr
from fastsub.kernels import blas, gram, rz, triangular


class COD:
    """Complete orthogonal decomposition of a matrix, with its rank and certificate.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.
    tol : float, optional
        Absolute cutoff; goes before `rtol`.
    want : {"null", "range", "rank"}
        What will be asked, so that the cheapest path can be chosen. With ``"rank"`` no basis can be
        asked for afterwards.
    overwrite_a, check_finite : bool
        Whether the memory of A may be reused, and whether A is searched for NaN and infinity.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD of the small factor, where one is needed.
    name : str
        How errors call the matrix.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate

    Notes
    -----
    Cost: 2 m n^2 - 2 n^3 / 3 flops for m >= n, at most 4 n^3 / 3 more for the pivoting of a tall
    matrix's triangle; each basis costs what its size times the rank says.

    Examples
    --------
    >>> from fastsub.factor.cod import COD
    >>> F = COD([[1, 2], [3, 6], [4, 8]])
    >>> F.rank, F.null_space().shape, F.left_null_space().shape
    (1, (2, 1), (3, 2))
    """

    def __init__(
        self,
        A: Any,
        rtol: float | None = None,
        *,
        tol: float | None = None,
        want: Want = "null",
        overwrite_a: bool = False,
        check_finite: bool = True,
        lapack_driver: str = "gesdd",
        name: str = "A",
    ) -> None:
        A = as_matrix(A, name)
        self.shape: tuple[int, int] = A.shape
        self.dtype = A.dtype
        m, n = A.shape
        relative = float(np.finfo(A.dtype).eps) * max(m, n) if rtol is None else rtol
        plan = choose(m, n, A.dtype, want=want, c_order=bool(A.flags.c_contiguous))
        self._adjoint = plan.adjoint
        self._driver = lapack_driver
        working = working_copy(
            A, name, adjoint=plan.adjoint, overwrite=overwrite_a, check_finite=check_finite
        )
        self._exponent = working.exponent
        cutoff = Cutoff(relative, tol).scaled(working.exponent)
        self._decide(working.W, plan, cutoff)

    # ---- the factorisation ----

    def _decide(self, W: Array, plan: Plan, cutoff: Cutoff) -> None:
        """Fill in left, R, p, k and the decision."""
        full = min(W.shape)
        self._left = Product()
        self._p = np.arange(W.shape[1], dtype=np.intc)
        if full == 0:
            self._R, self._k = W, 0
            self._conclude(Decision(0, cutoff.absolute or 0.0, math.inf, 0.0, "bounds", 0.0), "empty")
            return
        if plan.gram:
            decision = _by_gram(W, cutoff)
            if decision is not None:
                self._conclude(decision, "gram+cholesky")
                return
        factors: list[Reflectors] = []
        core, method = W, "qrcp"
        if plan.reduce:
            tall = Reflectors.of_qr(W, plan.block)
            factors.append(tall)
            core = np.triu(W[:full])
            core = np.asfortranarray(core)
            # Often the rank is full, and the unpivoted triangle already proves it.
            decision = decide_full(core, W.shape[0], cutoff)
            if decision is not None:
                self._left, self._R, self._k = Product(tall), core, full
                self._conclude(decision, "qr")
                return
            method = "qr+qrcp"
        norms = np.sqrt(np.sum(np.square(np.abs(core), dtype=np.float64), axis=0))
        norm = float(np.linalg.norm(norms))
        margin = rounding_margin(norm, max(W.shape), W.dtype)
        stop = stopping_norm(norm, float(norms.max()), full, cutoff, margin)
        Q, self._p, self._k, left = pivoted_qr(core, plan.panel, plan.block, stop=stop)
        factors.append(Q)
        self._left, self._R = Product(*factors), core
        decision = decide(
            core, self._k, left, size=max(W.shape), full=full, cutoff=cutoff, driver=self._driver
        )
        self._conclude(decision, method)

    def _conclude(self, decision: Decision, method: str) -> None:
        self._decision = decision
        self.rank = decision.rank
        self.certificate = certify(decision, method, self._exponent)

    # ---- the bases of A ----

    def column_space(self) -> Array:
        """Return an orthonormal basis of the column space, shape (m, rank)."""
        if self.rank == self.shape[0]:
            return _identity(self.shape[0], self.dtype)
        return self._right_basis() if self._adjoint else self._left_basis(0, self.rank)

    def left_null_space(self) -> Array:
        """Return an orthonormal basis of the null space of A^H, shape (m, m - rank)."""
        if self.rank == 0:
            return _identity(self.shape[0], self.dtype)
        if self._adjoint:
            return self._right_null()
        return self._left_basis(self.rank, self.shape[0])

    def row_space(self) -> Array:
        """Return an orthonormal basis of the row space (column space of A^H), shape (n, rank)."""
        if self.rank == self.shape[1]:
            return _identity(self.shape[1], self.dtype)
        return self._left_basis(0, self.rank) if self._adjoint else self._right_basis()

    def null_space(self) -> Array:
        """Return an orthonormal basis of the null space, shape (n, n - rank)."""
        if self.rank == 0:
            return _identity(self.shape[1], self.dtype)
        if self._adjoint:
            return self._left_basis(self.rank, self.shape[1])
        return self._right_null()

    # ---- the bases of W ----

    def _left_basis(self, start: int, stop: int) -> Array:
        """Columns start .. stop-1 of U."""
        if start == stop:
            return empty((self._left.factors[0].V.shape[0], 0), self.dtype)
        return self._U.columns(start, stop)

    @cached_property
    def _U(self) -> Product:
        """The left factor, turned into the best one where the QR's is not."""
        r = self.rank
        if self._is_clean:
            return self._left
        if self._vectors is not None:
            G = np.asfortranarray(self._vectors[0][:, :r])
        else:
            # One step of subspace iteration: the columns of R V1 span the column space up to
            # ||R2||^2 instead of ||R2||.
            G = product(np.triu(self._R[: self._k]), self._right_basis()[self._p])
        return Product(*self._left.factors, Reflectors.of_qr(G, 64))

    def _right_basis(self) -> Array:
        """First r columns of V."""
        n, r = self._R.shape[1], self.rank
        if self._vectors is not None:
            return np.asfortranarray(self._unpermute(self._vectors[1][:r].conj().T))
        if r == 0:
            return empty((n, 0), self.dtype)
        if r == n:
            return self._unpermute(np.eye(n, dtype=self.dtype))
        return self._rz_columns(0, r)

    def _right_null(self) -> Array:
        """Last n - r columns of V."""
        n, r = self._R.shape[1], self.rank
        if r == n:
            return empty((n, 0), self.dtype)
        if self._vectors is not None:
            return np.asfortranarray(self._unpermute(self._vectors[1][r:].conj().T))
        return self._rz_columns(r, n)

    def _rz_columns(self, start: int, stop: int) -> Array:
        B, T = self._rz[1:]
        C = empty((self._R.shape[1], stop - start), self.dtype)
        if C.size:
            work = np.empty(max(T.shape[0] * C.shape[1], C.shape[0]), self.dtype)
            rz.py_rz_columns(B, T, self._p, C, start, work)
        return C

    @cached_property
    def _rz(self) -> tuple[Array, Array, Array]:
        """U, B, T of kernels/rz.pyx; 0 < rank < n."""
        n, r = self._R.shape[1], self.rank
        block = min(64, r)
        U, B, T = (empty(shape, self.dtype) for shape in ((r, r), (n - r, r), (block, r)))
        rz.py_rz(self._R, U, B, T, np.empty(block * r, self.dtype))
        return U, B, T

    def _unpermute(self, rows: Array) -> Array:
        out = np.empty_like(rows, order="F")
        out[self._p] = rows
        return out

    @property
    def _is_clean(self) -> bool:
        """Whether ||R2|| is at rounding level, so that no other basis annihilates any better."""
        scale = 20 * float(np.finfo(self.dtype).eps)
        return self._decision.residual <= scale * self._sigma_1

    @cached_property
    def _sigma_1(self) -> float:
        sigma = self._decision.sigma
        if sigma is not None:
            return float(sigma[0])
        return sigma_1_lower(self._R, self._k, 0.0) if self._k else 0.0

    @cached_property
    def _vectors(self) -> tuple[Array, Array] | None:
        """Singular vectors of the k-row trapezoid (U, V^H); None where QR's bases are as good.

        With the gap ||R2|| <= sigma_min(R11), that is in every decision by bounds, RZ's null space
        has ||A N|| <= sqrt(2) sigma_{r+1}: the (2, 1) block R2 V1 can only rotate it by
        ||R2 V1 T^-1|| <= 1 (Stewart, Updating a rank-revealing ULV decomposition, SIMAX 14, 1993).
        """
        decision = self._decision
        if decision.sigma is None or self._is_clean:
            return None
        following = decision.sigma[self.rank] if self.rank < decision.sigma.size else 0.0
        if 0 < self.rank and decision.residual <= min(3 * float(following), decision.tol):
            return None
        from scipy.linalg import svd

        U, _, Vh = svd(
            np.triu(self._R[: self._k]),
            full_matrices=True,
            check_finite=False,
            lapack_driver=self._driver,
        )
        return U, Vh

    # ---- solving ----

    def solve(self, b: Array) -> Array:
        """Return the minimum-norm least-squares solution of A x = b, shape (n,) or (n, k).

        Parameters
        ----------
        b : ndarray, shape (m,) or (m, k)
            Finite; of a dtype that `A` can be promoted to without becoming complex.
        """
        B = np.array(b[:, None] if b.ndim == 1 else b, dtype=self.dtype, order="F")
        if self.rank == 0 or B.shape[1] == 0:
            X = np.zeros((self.shape[1], B.shape[1]), self.dtype, order="F")
        else:
            X = self._solve_adjoint(B) if self._adjoint else self._solve(B)
            # The factors are those of 2^exponent A.
            unscale(X, -self._exponent)
        return X[:, 0] if b.ndim == 1 else X

    def _solve(self, B: Array) -> Array:
        """W x = b: x = V1 T^-1 U1^H b."""
        r, n = self.rank, self._R.shape[1]
        if self._vectors is not None:
            self._left.apply(B, adjoint=True)
            U, Vh = self._vectors
            C = product(U[:, :r], B[: self._k], adjoint=True) / self._sigma[:r, None]
            return self._unpermute(product(Vh[:r], C, adjoint=True))
        self._left.apply(B, adjoint=True)
        C = np.asfortranarray(B[:r])
        if r == n:
            blas.py_trsm("L", "U", "N", "N", self._triangle, C)
            return self._unpermute(C)
        # [R11 R12] = J U^H J [J 0] Z^H: reverse, solve with U^H, and lift by V1 = Z[:, :r].
        C = np.asfortranarray(C[::-1])
        blas.py_trsm("L", "U", "C", "N", self._rz[0], C)
        return product(self._right_basis(), C)

    def _solve_adjoint(self, B: Array) -> Array:
        """W^H x = b: x = U1 T^-H V1^H b."""
        r, n, M = self.rank, self._R.shape[1], self._left.factors[0].V.shape[0]
        X = np.zeros((M, B.shape[1]), self.dtype, order="F")
        if self._vectors is not None:
            U, Vh = self._vectors
            C = product(Vh[:r], B[self._p]) / self._sigma[:r, None]
            X[: self._k] = product(U[:, :r], C)
        elif r == n:
            C = np.asfortranarray(B[self._p])
            blas.py_trsm("L", "U", "C", "N", self._triangle, C)
            X[:r] = C
        else:
            C = product(self._right_basis(), B, adjoint=True)
            blas.py_trsm("L", "U", "N", "N", self._rz[0], C)
            X[:r] = C[::-1]
        self._left.apply(X)
        return X

    @property
    def _triangle(self) -> Array:
        """R11 in Fortran order (its lower part is not zero)."""
        return np.asfortranarray(self._R[: self.rank, : self.rank])

    # ---- A in small orthonormal coordinates ----

    def small_factor(self) -> Array:
        """Return a matrix with the singular values of A, min(m, n) columns at most.

        A = X M Y^H with orthonormal X, Y: M is the pivoted trapezoid R, or its conjugate transpose.
        """
        M = np.triu(self._R[: self._k])
        unscale(M, self._exponent)
        return M.conj().T if self._adjoint else M

    def small_adjoint(self, G: Array) -> Array:
        """Return Y^H G for the Y of `small_factor` and G of shape (n, k), which may be destroyed."""
        if not self._adjoint:
            return np.asfortranarray(G[self._p])
        self._left.apply(G, adjoint=True)
        return np.asfortranarray(G[: self._k])

    # ---- spectrum ----

    @cached_property
    def _sigma(self) -> Array:
        decision = self._decision
        return decision.sigma if decision.sigma is not None else singular_values(
            self._R, self._k, self._driver
        )

    def singular_values(self) -> Array:
        """Return all singular values, descending, shape (min(m, n),).

        Those that the early stop left out are below the cutoff and returned as zero.
        """
        sigma = np.zeros(min(self.shape), self.dtype.type(0).real.dtype)
        if self._k:
            sigma[: self._k] = np.ldexp(self._sigma, -self._exponent)
        return sigma

    @cached_property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_r``, within a small factor; nan at rank 0."""
        r = self.rank
        if r == 0:
            return math.nan
        if self._decision.sigma is not None:
            return float(self._decision.sigma[0] / self._decision.sigma[r - 1])
        X = np.empty((r, r), self.dtype, order="F")
        triangular.py_inverse(self._R, X)
        work = np.empty(2 * r, self.dtype)
        return self._sigma_1 * float(triangular.py_sigma_max_lower(X, r, work, 10))


def decide_full(R: Array, size: int, cutoff: Cutoff) -> Decision | None:
    """Prove full rank of an n x n triangle from any QR, pivoted or not; None if that fails."""
    n = R.shape[0]
    decision = prove(R, n, tail_norms(R, n, 0.0), size=size, full=n, cutoff=cutoff)
    return decision if decision is not None and decision.rank == n else None


def _by_gram(W: Array, cutoff: Cutoff) -> Decision | None:
    """Prove full rank from the Gram matrix, or return None: half of QR's flops, half its digits.

    sigma_min(W)^2 = lambda_min(G) >= 1 / ||L^-1||_F^2 - d, where d = 2 sqrt(m) u ||W||_F^2 bounds the
    rounding of G and of its Cholesky factor (Higham 2002, sections 3.5 and 10.1; square root law as
    in decide.py).
    """
    m, n = W.shape
    G = np.empty((n, n), W.dtype, order="F")
    gram.py_gram(W, G)
    norm_sq = float(np.trace(G).real)
    if gram.py_cholesky(G) != 0:
        return None
    X = np.empty_like(G)
    inverse = triangular.py_inverse(G, X)
    d = 2 * rounding_margin(norm_sq, m, W.dtype)
    lower = math.sqrt(max(0.0, 1 / inverse**2 - d))
    low = sigma_1_lower(G, n, math.sqrt(max(0.0, norm_sq - d)))
    tol_low, tol_high = cutoff.bracket(low, math.sqrt(norm_sq + d))
    if lower > tol_high:
        return Decision(n, tol_low, lower, 0.0, "bounds", 0.0)
    return None


def _identity(n: int, dtype: Any) -> Array:
    basis = empty((n, n), dtype, "it is the whole space: no basis is needed")
    basis[...] = 0
    np.fill_diagonal(basis, 1)
    return basis

