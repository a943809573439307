"""The slow, obvious oracle: a few NumPy lines per function, in double precision, by the SVD.

The cutoff is that of the dtype that comes in, eps * max(m, n) * sigma_1, unless rtol is given.
"""

from fractions import Fraction

import numpy as np


def _double(A):
    A = np.asarray(A)
    eps = np.finfo(A.dtype).eps if A.dtype.kind in "fc" else np.finfo(float).eps
    return np.asarray(A, dtype=np.result_type(A, float)), float(eps) * max(A.shape)


def svd(A, rtol=None):
    """U (m, m), sigma (min(m, n),), V (n, n) and the rank: A = U[:, :k] diag(sigma) V[:, :k]^H."""
    A, default = _double(A)
    U, sigma, Vh = np.linalg.svd(A)
    cutoff = (default if rtol is None else rtol) * sigma.max(initial=0)
    return U, sigma, Vh.conj().T, int(np.sum(sigma > cutoff))


def matrix_rank(A, rtol=None):
    """Number of singular values above the cutoff."""
    return svd(A, rtol)[3]


def orth(A, rtol=None):
    """Left singular vectors of the singular values above the cutoff: (m, r)."""
    U, _, _, r = svd(A, rtol)
    return U[:, :r]


def left_null_space(A, rtol=None):
    """The other left singular vectors: (m, m - r), and X^H A = 0."""
    U, _, _, r = svd(A, rtol)
    return U[:, r:]


def row_space(A, rtol=None):
    """Right singular vectors of the singular values above the cutoff: (n, r)."""
    _, _, V, r = svd(A, rtol)
    return V[:, :r]


def null_space(A, rtol=None):
    """The other right singular vectors: (n, n - r)."""
    _, _, V, r = svd(A, rtol)
    return V[:, r:]


def lstsq(A, b, rtol=None):
    """Least-squares solution of minimum norm, V_r diag(1/sigma_r) U_r^H b, and the rank."""
    U, sigma, V, r = svd(A, rtol)
    return V[:, :r] @ ((U[:, :r].conj().T @ b).T / sigma[:r]).T, r


def householder(x):
    """LAPACK larfg: v with v_1 = 1, tau and real beta, (I - tau v v^H)^H x = beta e_1."""
    v = np.array(x)
    alpha, rest = v[0], np.linalg.norm(v[1:])
    if rest == 0 and np.imag(alpha) == 0:
        return np.r_[1, 0 * v[1:]], 0 * alpha, alpha
    beta = -np.copysign(np.hypot(abs(alpha), rest), np.real(alpha))
    v[1:] /= alpha - beta
    v[0] = 1
    return v, (beta - alpha) / beta, beta


def pivoted_qr(A):
    """Businger and Golub 1965 with every column norm recomputed: R (min(m, n), n) and p (n,).

    Ties go to the leftmost column. The Householder vectors V (m, k) and tau (k,) come third and
    fourth.
    """
    A, _ = _double(A)
    R = np.array(A)
    m, n = R.shape
    k = min(m, n)
    p, V, tau = np.arange(n), np.zeros((m, k), R.dtype), np.zeros(k, R.dtype)
    for j in range(k):
        best = j + int(np.argmax(np.linalg.norm(R[j:, j:], axis=0)))
        R[:, [j, best]], p[[j, best]] = R[:, [best, j]], p[[best, j]]
        V[j:, j], tau[j], beta = householder(R[j:, j])
        v = V[:, j : j + 1]
        R -= np.conj(tau[j]) * v @ (v.conj().T @ R)
        R[j, j] = beta
    return np.triu(R[:k]), p, V, tau


def gram(A):
    """A^H A, accumulated in extended precision and rounded once."""
    A = np.asarray(A)
    wide = np.asarray(A, dtype=np.result_type(A, np.longdouble))
    return (wide.conj().T @ wide).astype(A.dtype)


def compact_wy(V, tau):
    """T, upper triangular (k, k), with H_1 H_2 ... H_k = I - V T V^H (Schreiber, Van Loan 1989).

    H_j = I - tau_j v_j v_j^H; column j of T is -tau_j T V^H v_j above its diagonal entry tau_j.
    """
    k = tau.size
    T = np.zeros((k, k), dtype=np.result_type(V, tau))
    for j in range(k):
        T[:j, j] = -tau[j] * T[:j, :j] @ (V[:, :j].conj().T @ V[:, j])
        T[j, j] = tau[j]
    return T


def rational_rref(A):
    """Reduced row echelon form of a matrix of integers, in Fractions, and its pivot columns."""
    rows = [[Fraction(int(x)) for x in row] for row in A]
    pivots, n = [], np.shape(A)[1]
    for j in range(n):
        i = len(pivots)
        choice = next((k for k in range(i, len(rows)) if rows[k][j]), None)
        if choice is None:
            continue
        rows[i], rows[choice] = rows[choice], rows[i]
        rows[i] = [x / rows[i][j] for x in rows[i]]
        for k in range(len(rows)):
            if k != i:
                rows[k] = [x - rows[k][j] * y for x, y in zip(rows[k], rows[i], strict=True)]
        pivots.append(j)
    return rows, pivots
