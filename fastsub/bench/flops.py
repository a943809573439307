"""Operations that an answer needs: the yardstick of "times the gemm time".

Real additions and multiplications, from Golub & Van Loan, Matrix Computations, 4th ed. 2013,
sections 5.2.2, 5.3.2 and 5.4.2, without the lower-order terms; a complex operation counts for four.
"""

from __future__ import annotations


def qr_steps(m: int, n: int, r: int) -> float:
    """Count r Householder steps on an (m, n) matrix: 4mnr - 2r²(m + n) + 4r³/3."""
    return 4.0 * m * n * r - 2.0 * r**2 * (m + n) + 4.0 * r**3 / 3


def apply_steps(m: int, k: int, r: int) -> float:
    """Count r reflectors of length m, m - 1, ... applied to k columns: 4mkr - 2kr²."""
    return 4.0 * m * k * r - 2.0 * k * r**2


def null_space(m: int, n: int, r: int) -> float:
    """Factor to the rank, then make the n - r basis vectors of length n."""
    return qr_steps(m, n, r) + apply_steps(n, n - r, r)


def orth(m: int, n: int, r: int) -> float:
    """Factor to the rank, then make the r basis vectors of length m: 2mr² - 2r³/3."""
    return qr_steps(m, n, r) + 2.0 * m * r**2 - 2.0 * r**3 / 3


def lstsq(m: int, n: int, r: int, k: int = 1) -> float:
    """Count the cheapest method that the rank allows, for k right-hand sides.

    Full rank: the Gram matrix of the short side and its Cholesky factor, or LU if A is square.
    Rank-deficient: Householder steps from the left to the rank, then from the right.
    """
    p, q = max(m, n), min(m, n)
    if r < q:
        matrix = qr_steps(m, n, r) + qr_steps(n, r, r)
    elif m == n:
        matrix = 2.0 * n**3 / 3
    else:
        matrix = float(p) * q**2 + q**3 / 3
    return matrix + 4.0 * m * n * k


def echelon(m: int, n: int, r: int) -> float:
    """Eliminate r columns, then go back through the n - r others: r²(n - r)."""
    return 2.0 * m * n * r - 1.0 * r**2 * (m + n) + 2.0 * r**3 / 3 + 1.0 * r**2 * (n - r)
