"""Accuracy of least squares: certified regressions, and backward errors up to kappa = 1e15."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

import fastsub
from fastsub import testing as ft
from fastsub.factor.least_squares.normal import solve_tall
from fastsub.factor.rank.decide import Cutoff

STRD = json.loads((Path(__file__).parent / "data" / "nist_strd.json").read_text(encoding="utf-8"))


def regression(name):
    """Design matrix with an intercept, observations, certified coefficients and residual sd."""
    problem = STRD[name]
    x, y = np.array(problem["x"], float), np.array(problem["y"], float)
    if x.ndim == 1:
        X = np.vander(x, len(problem["certified_coefficients"]), increasing=True)
    else:
        X = np.column_stack([np.ones(len(x)), x])
    return X, y, np.array(problem["certified_coefficients"]), problem["certified_residual_sd"]


def log_relative_error(got, wanted):
    """Digits that agree, for the worst coefficient; 15 at the most (NIST's score)."""
    with np.errstate(divide="ignore"):
        return float(np.min(np.clip(-np.log10(np.abs(got - wanted) / np.abs(wanted)), 0, 15)))


@pytest.mark.parametrize("name", ["Longley", *(f"Wampler{i}" for i in range(1, 6))])
def test_certified_regressions(name):
    """By the path that such a size takes, and by refined normal equations."""
    X, y, coefficients, residual_sd = regression(name)
    (b, residues, rank, _), certificate = fastsub.lstsq(X, y, full_output=True)
    assert rank == X.shape[1]
    ft.check_certificate(X, certificate)
    cond = float(np.finfo(float).eps) * max(X.shape)
    peers = [scipy.linalg.lstsq(X, y, cond, lapack_driver=d)[0] for d in ("gelsy", "gelsd")]
    peers.append(householder_solution(X, y))
    peer = min(log_relative_error(other, coefficients) for other in peers)
    answer = solve_tall(X, np.asfortranarray(y[:, None]), Cutoff.of(X), honest=True)
    for solution in (b, answer.X[:, 0]):
        score = log_relative_error(solution, coefficients)
        assert score >= peer - 0.5, f"{name}: {score:.1f}, peers {peer:.1f}"
    got_sd = np.sqrt(residues / (len(y) - X.shape[1]))
    np.testing.assert_allclose(got_sd, residual_sd, rtol=1e-8, atol=1e-6 * np.abs(y).max())


def karlson_walden(A, b, x):
    """The estimate relative to ||A||_F, the residual in extended precision, A by its SVD."""
    wide = np.result_type(A, np.longdouble)
    r = np.asarray(b.astype(wide) - A.astype(wide) @ x.astype(wide), A.dtype)
    U, sigma, _ = np.linalg.svd(A, full_matrices=False)
    length = float(np.linalg.norm(x))
    theta = float(np.linalg.norm(r)) / length
    weighted = sigma * np.abs(U.conj().T @ r) / np.hypot(sigma, theta)
    return float(np.linalg.norm(weighted)) / length / float(np.linalg.norm(sigma))


def householder_solution(A, b):
    Q, R = scipy.linalg.qr(A, mode="economic")
    return scipy.linalg.solve_triangular(R, Q.conj().T @ b)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("residual", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize("shape", [(60, 20), (300, 60), (24, 24)])
def test_backward_error_of_householder_at_every_condition(dtype, residual, shape):
    m, n = shape
    rng = np.random.default_rng(977)
    for power in range(16):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, n), m, n, rng, dtype)
        B = A @ rng.standard_normal((n, 3)) + residual * rng.standard_normal((m, 3))
        # cond below 1 / kappa: SciPy's meaning of "solve it as it stands".
        X, _, rank, _ = fastsub.lstsq(A, B, cond=1e-18)
        assert rank == n
        ours, peers = (
            max(karlson_walden(A, b, x) for b, x in zip(B.T, Y.T, strict=True))
            for Y in (X, np.column_stack([householder_solution(A, b) for b in B.T]))
        )
        # Below half a unit roundoff the measurement itself is rounding.
        u = float(np.finfo(float).eps)
        assert ours <= 10 * max(peers, u / 2), (
            f"kappa 1e{power}: {ours:.1e}, Householder {peers:.1e}"
        )


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (20, 20), (300, 60)])
def test_the_certificate_estimates_the_backward_error(shape):
    """Within its own rounding and a small factor of the estimate computed by an SVD."""
    rng = np.random.default_rng(983)
    for r in (5, min(shape)):
        A = ft.random_rank(*shape, r, rng)
        for residual in (0.0, 1.0):
            b = A @ rng.standard_normal(shape[1]) + residual * rng.standard_normal(shape[0])
            (x, *_), certificate = fastsub.lstsq(A, b, full_output=True)
            wanted = karlson_walden(A, b, x)
            u = float(np.finfo(float).eps)
            assert wanted / 4 - u <= certificate.backward_error <= 4 * wanted + u


def test_the_certificate_tells_a_bad_solution():
    """A right-hand side lost by the cutoff shows in the backward error."""
    A = np.diag([1.0, 1e-3])
    _, honest = fastsub.lstsq(A, [1.0, 1.0], full_output=True)
    (_, _, rank, _), cut = fastsub.lstsq(A, [1.0, 1.0], cond=0.1, full_output=True)
    assert rank == 1
    assert honest.backward_error < 1e-15
    assert 1e-4 < cut.backward_error < 1e-2


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision(dtype):
    rng = np.random.default_rng(991)
    for power in range(7):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 15), 50, 15, rng, dtype)
        b = (A @ np.ones(15) + 0.1 * rng.standard_normal(50)).astype(dtype)
        x = fastsub.lstsq(A, b, cond=1e-10)[0]
        wide = np.result_type(dtype, float)
        A, b = A.astype(wide), b.astype(wide)
        peer = householder_solution(A.astype(dtype), b.astype(dtype)).astype(wide)
        bound = 10 * max(karlson_walden(A, b, peer), float(np.finfo(dtype).eps) / 2)
        assert karlson_walden(A, b, x.astype(wide)) <= bound
