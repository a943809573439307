"""The path for large matrices, on small ones of every kind: certificates, bases and solutions.

The orders would be those of kernels/small.pyx, which a COD never asks.
"""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsub import COD
from fastsub import testing as ft
from fastsub.testing.spectrum import gap, times_power_of_two

DTYPES = ["float32", "float64", "complex64", "complex128"]


def gaussian(rng, dtype, *shape):
    A = rng.standard_normal(shape)
    return A + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else A


def orthonormal(rng, dtype, m, k):
    return np.linalg.qr(gaussian(rng, dtype, m, k))[0]


def spectrum(rng, m, n, dtype, cutoff):
    """A gap, none, a step on the cutoff, or noise between rounding and the cutoff."""
    k = min(m, n)
    r = int(rng.integers(0, k + 1))
    above = np.geomspace(1, min(1, cutoff * 10 ** rng.uniform(0.3, 6)), r)
    below = rng.choice([0, cutoff * 10 ** rng.uniform(-4, 0)]) * np.ones(k - r)
    sigma = [
        np.concatenate([above, below]),
        np.concatenate([np.ones(r), below]),
        np.concatenate([np.ones(r), cutoff * rng.uniform(0.3, 3, k - r)]),
        np.geomspace(1, 10.0 ** -rng.uniform(0, 18), k),
    ][rng.integers(4)]
    return (orthonormal(rng, dtype, m, k) * sigma) @ orthonormal(rng, dtype, n, k).conj().T


def repeated(rng, m, n, dtype, _cutoff):
    r = int(rng.integers(1, n + 1))
    return gaussian(rng, dtype, m, r)[:, rng.integers(0, r, n)] * rng.choice([1, -1, 0.5, 0], n)


def dummies(rng, m, n, _dtype, _cutoff):
    levels = [np.eye(5)[rng.integers(0, 5, m)] for _ in range(n // 5 + 1)]
    return np.hstack([np.ones((m, 1)), *levels])[:, :n]


def network(rng, m, n, _dtype, _cutoff):
    edges = [tuple(rng.choice(m, 2, replace=False).tolist()) for _ in range(n)]
    return ft.incidence(edges, m).T[:m, :n] if m > 1 else np.ones((m, n))


def hostile(rng, m, n, dtype, cutoff):
    """The first r columns are nearly dependent: R11^-1 R12 is huge."""
    r = int(rng.integers(1, min(m, n) + 1))
    C = gaussian(rng, dtype, r, n)
    sigma = np.geomspace(1, 10.0 ** rng.uniform(np.log10(cutoff), 0), r)
    C[:, :r] = (orthonormal(rng, dtype, r, r) * sigma) @ orthonormal(rng, dtype, r, r).conj().T
    noise = gaussian(rng, dtype, m, n) * np.finfo(dtype).eps * 10 ** rng.uniform(-1, 4)
    return orthonormal(rng, dtype, m, r) @ C + rng.choice([0, 1]) * noise / np.sqrt(m)


def graded(rng, m, n, dtype, _cutoff):
    r = int(rng.integers(1, min(m, n) + 1))
    A = gaussian(rng, dtype, m, r) @ gaussian(rng, dtype, r, n)
    return (
        A * 10 ** rng.uniform(-8, 8, n) if rng.integers(2) else 10 ** rng.uniform(-8, 8, (m, 1)) * A
    )


def adversarial(rng, m, n, dtype, _cutoff):
    k = max(4, min(m, n))
    make = [ft.kahan, ft.kahan_scaled, ft.gu_eisenstat, ft.devils_stairs, ft.stewart_gap][
        rng.integers(5)
    ]
    return orthonormal(rng, dtype, max(m, k), k) @ make(k)


KINDS = [spectrum, spectrum, repeated, dummies, network, hostile, graded, adversarial]


def norm(X):
    return float(np.linalg.norm(X, 2)) if X.size else 0.0


def check_basis(basis, complement, A, peer, peers_complement):
    ft.check_orthonormal(basis, peer=peer)
    ft.check_orthonormal(complement, peer=peers_complement)
    ft.check_complementary(basis, complement)
    wide = np.result_type(A, float)
    limit = 20 * np.finfo(A.dtype).eps * norm(A.astype(wide))
    # Four times: where no gap shows, what is near the cutoff is left of more than one rounding.
    limit = max(2 * limit, 4 * norm(A.astype(wide) @ peers_complement))
    assert norm(A.astype(wide) @ complement) <= limit


@settings(max_examples=150)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(2, 70), st.integers(2, 70)),
    square=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    digits=st.none() | st.floats(2, 10),
    want=st.sampled_from(["all", "row", "column", "rank"]),
    scale=st.sampled_from([-1, 0, 0, 0, 1]),
    order=st.sampled_from("CF"),
    seed=st.integers(0, 10**6),
)
def test_certificates_bases_and_solutions(
    kind, shape, square, dtype, digits, want, scale, order, seed
):
    rng = np.random.default_rng(seed)
    m, n = (max(shape), max(shape)) if square else shape
    eps, single = float(np.finfo(dtype).eps), np.dtype(dtype).char in "fF"
    rtol = None if digits is None else 10.0 ** -(min(digits, 5) if single else digits)
    A = kind(rng, m, n, dtype, max(m, n) * eps if rtol is None else rtol)
    A = np.array(A if np.dtype(dtype).kind == "c" else A.real, dtype, order=order)
    if np.abs(A).max(initial=0) > 1e-3 and np.abs(A).max() < 1e3:
        exponent = scale * (100 if single else 900)
        A = np.array(times_power_of_two(A, exponent), dtype, order=order)
    F = COD(A, rtol, want=want)
    ft.check_certificate(A, F.certificate, rtol=rtol)
    if scale or want == "rank":
        return
    r = F.rank
    U, sigma, Vh = scipy.linalg.svd(A)
    V = Vh.conj().T
    if want in ("all", "row"):
        check_basis(F.row_space(), F.null_space(), A, V[:, :r], V[:, r:])
    if want in ("all", "column"):
        B = np.ascontiguousarray(A.conj().T)
        check_basis(F.column_space(), F.left_null_space(), B, U[:, :r], U[:, r:])
    if want == "all" and r > 0:
        check_solution(A, F, U[:, :r], sigma)


def check_solution(A, F, U1, sigma):
    """Nothing of x is in the null space, nearly nothing of b - A x in the column space."""
    eps, r = float(np.finfo(A.dtype).eps), F.rank
    b = np.asarray(gaussian(np.random.default_rng(1069), A.dtype, len(A)), A.dtype)
    x = F.solve(b)
    wide = np.result_type(A, float)
    length = float(np.linalg.norm(x))
    assert norm(F.null_space().astype(wide).conj().T @ x[:, None]) <= 100 * eps * length
    gradient = U1.astype(wide).conj().T @ (b - A.astype(wide) @ x)
    # A backward error of the cutoff, which turns the column space by its ratio to sigma_r.
    error = 2 * F.certificate.tol + 100 * eps * float(sigma[0])
    limit = error * (length + float(np.linalg.norm(b)) / float(sigma[r - 1]))
    assert np.linalg.norm(gradient) <= limit


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_larger(kind, dtype):
    rng = np.random.default_rng(1087)
    for m, n in ((160, 150), (190, 120), (120, 190)):
        cutoff = m * float(np.finfo(dtype).eps)
        A = kind(rng, m, n, dtype, cutoff)
        A = np.asfortranarray(A if np.dtype(dtype).kind == "c" else A.real, dtype)
        certificate = COD(A).certificate
        ft.check_certificate(A, certificate)
        assert gap(A).grey or certificate.rank == gap(A).rank
