"""One factorisation for many right-hand sides: the answers of SciPy's, and a proved rank."""

import pickle

import numpy as np
import pytest
import reference
from test_least_squares_accuracy import householder_solution, karlson_walden

import fastsub
from fastsub import testing as ft
from fastsub.factor.least_squares import seminormal
from fastsub.factor.least_squares.lu import Nonsingular
from fastsub.factor.rank.decide import Cutoff
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (6, 6), (12, 5), (5, 12), (70, 70), (230, 210), (210, 230), (250, 250), (900, 60)]


def sides(rows, dtype, seed):
    rng = np.random.default_rng(seed)
    b = rng.standard_normal((rows, 3))
    return (b + 1j * rng.standard_normal(b.shape) if np.dtype(dtype).kind == "c" else b).astype(
        dtype
    )


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways(dtype, shape):
    for r in {0, 1, min(shape) // 2, min(shape) - 1, min(shape)}:
        A = ft.with_singular_values(np.geomspace(10, 1, r), *shape, 1601 + r, dtype)
        F = fastsub.factorize(A)
        assert (F.rank, F.shape, F.dtype) == (r, A.shape, A.dtype)
        ft.check_certificate(A, F.certificate)
        assert F.certificate.method in ("lu", "qr", "qr+qrcp", "normal equations")
        if np.dtype(dtype).char in "dD":
            # In single precision the bounds of L and U, taken apart, are too coarse at order 250.
            assert (F.certificate.method == "lu") == (shape[0] == shape[1] == r)
        if r:
            assert 3 <= F.condition <= 10.5 or r == 1
        for M, solve, seed in ((A, F.solve, 1607), (A.conj().T, F.solve_adjoint, 1609)):
            b = sides(len(M), dtype, seed)
            wanted, _ = reference.lstsq(M, b)
            scale = np.abs(wanted).max(initial=1e-30)
            got = solve(b)
            assert got.dtype == A.dtype
            np.testing.assert_allclose(got, wanted, atol=2e3 * np.finfo(dtype).eps * scale)
            np.testing.assert_allclose(solve(b[:, 0]), got[:, 0], atol=1e-3 * scale)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_tall_matrices_are_refined_or_decomposed(dtype):
    """Normal equations answer where they are proved to be as good as QR, and QR where not."""
    for power, method in ((3, "normal equations"), (6, "normal equations"), (10, "qr")):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 60), 900, 60, 1667, dtype)
        A *= 10.0 ** np.linspace(-3, 3, 60)
        F = fastsub.factorize(A, 1e-18 if power > 6 else None)
        assert F.certificate.method.startswith(method)
        assert F.rank == 60
        for b in (A @ np.ones((60, 2)), sides(900, dtype, 1669)):
            x = F.solve(b)
            for j in range(2):
                peer = karlson_walden(A, b[:, j], householder_solution(A, b[:, j]))
                assert karlson_walden(A, b[:, j], x[:, j]) <= 10 * max(peer, 1.1e-16)
        c = sides(60, dtype, 1693)
        y = F.solve_adjoint(c)
        error = np.linalg.norm(A.conj().T @ y - c) / (np.linalg.norm(A) * np.linalg.norm(y))
        assert error <= 1e-14
        G = pickle.loads(pickle.dumps(F))
        np.testing.assert_array_equal(G.solve(b), x)


def test_a_right_hand_side_that_is_not_refined_enough(monkeypatch):
    A = ft.with_singular_values(np.geomspace(1, 1e-3, 60), 900, 60, 1697)
    F, b, c = fastsub.factorize(A), sides(900, float, 1699), sides(60, float, 1709)
    wanted = F.solve(b), F.solve_adjoint(c)
    monkeypatch.setattr(seminormal, "refine", lambda *_, **__: None)
    monkeypatch.setattr(seminormal, "least_norm", lambda *_: None)
    np.testing.assert_allclose(F.solve(b), wanted[0], atol=1e-10)
    np.testing.assert_allclose(F.solve_adjoint(c), wanted[1], atol=1e-10)


def test_lu_proves_no_rank_that_is_not_there():
    """Whatever it proves the singular values confirm; where it cannot, the COD answers."""
    proved = 0
    for power in range(17):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 40), 40, 40, 1613)
        lu = Nonsingular.prove(A, Cutoff.of(A))
        F = fastsub.factorize(A)
        ft.check_certificate(A, F.certificate)
        assert F.rank == np.linalg.matrix_rank(A) or power >= 13
        proved += lu is not None
        assert lu is None or lu.condition == pytest.approx(10.0**power, rel=0.2)
    assert 9 <= proved <= 15


@pytest.mark.parametrize("n", [10, 60])
def test_lu_on_matrices_that_deceive(n):
    wilkinson = np.eye(n) - np.tril(np.ones((n, n)), -1)
    wilkinson[:, -1] = 1  # growth 2^(n - 1) with partial pivoting
    for A in (wilkinson, ft.kahan(n), np.vander(np.linspace(0, 1, n))):
        F = fastsub.factorize(A)
        ft.check_certificate(A, F.certificate)


@dtypes
@pytest.mark.parametrize("shape", [(7, 4), (5, 5), (4, 7)])
def test_scaled_by_powers_of_two(dtype, shape):
    top = 100 if dtype in ("float32", "complex64") else 990
    A = ft.random_rank(*shape, 4 + (shape == (5, 5)), 1619, dtype)
    b = sides(shape[0], dtype, 1621)
    x = fastsub.factorize(A).solve(b)
    for power in (-top, top):
        F = fastsub.factorize(times_power_of_two(A, power).astype(dtype))
        C = times_power_of_two(b, power).astype(dtype)
        np.testing.assert_allclose(F.solve(C), x, rtol=1e3 * np.finfo(dtype).eps)


def test_complex_beside_real():
    for A in (ft.random_rank(5, 5, 5, 1627), ft.random_rank(6, 4, 4, 1629)):
        F, b = fastsub.factorize(A), sides(len(A), complex, 1637)
        np.testing.assert_allclose(F.solve(b), F.solve(b.real) + 1j * F.solve(b.imag))
        c = b[: A.shape[1]]
        np.testing.assert_allclose(F.solve_adjoint(c), reference.lstsq(A.T, c)[0])


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_empty(shape):
    F = fastsub.factorize(np.zeros(shape))
    assert F.rank == 0
    assert F.solve(np.zeros((shape[0], 2))).shape == (shape[1], 2)
    assert F.solve_adjoint(np.zeros(shape[1])).shape == (shape[0],)


def test_it_travels_and_prints():
    for A in (ft.random_rank(5, 5, 5, 1657), ft.random_rank(6, 5, 3, 1663)):
        F = fastsub.factorize(A)
        G = pickle.loads(pickle.dumps(F))
        b = np.ones(len(A))
        np.testing.assert_array_equal(F.solve(b), G.solve(b))
        assert repr(F) == repr(G)
    assert repr(F) == "<Factorization of 6 x 5 float64: qr, rank 3>"


def test_bad_input():
    F = fastsub.factorize(np.eye(3))
    for says, b in (("3 rows", [1, 2]), ("3 rows", 1.0), ("b must be finite", [1, np.nan, 2])):
        with pytest.raises(ValueError, match=says):
            F.solve(b)
    with pytest.raises(TypeError, match=r"^b "):
        F.solve(["a", "b", "c"])
