"""The complete orthogonal decomposition: four subspaces and every solution, at every rank."""

import math

import numpy as np
import pytest
import reference
import scipy.linalg

from fastsub import COD
from fastsub import testing as ft
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (5, 1), (1, 5), (8, 8), (13, 6), (6, 13)]
# Past the orders at which blocks and the reduction of tall matrices begin.
BLOCKED = [(70, 70), (120, 60), (60, 120)]
HUGE = {"float32": 110, "float64": 990, "complex64": 110, "complex128": 990}
"""Powers of two near the ends of the range."""


def ranks(m, n):
    """All of them, or for larger matrices the ends, the middle and the last step."""
    full = min(m, n)
    return range(full + 1) if full < 20 else (0, 1, full // 2, full - 1, full)


def check_four_subspaces(A, F):
    """Dimensions, orthonormality, A N = 0, A^H U = 0 and both orthogonal pairs."""
    m, n = A.shape
    r = F.rank
    Q, U, V, N = F.column_space(), F.left_null_space(), F.row_space(), F.null_space()
    assert (Q.shape, U.shape, V.shape, N.shape) == ((m, r), (m, m - r), (n, r), (n, n - r))
    for basis in (Q, U, V, N):
        assert basis.dtype == A.dtype
        ft.check_orthonormal(basis)
    ft.check_complementary(Q, U)
    ft.check_complementary(V, N)
    ft.check_annihilates(A, N)
    ft.check_annihilates(A.conj().T, U)


@dtypes
@pytest.mark.parametrize("shape", SHAPES + BLOCKED)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_rank(dtype, shape, order):
    for r in ranks(*shape):
        A = np.array(ft.random_rank(*shape, r, 641 + r, dtype), order=order)
        F = COD(A)
        assert (F.rank, F.shape, F.dtype) == (r, shape, A.dtype)
        check_four_subspaces(A, F)
        ft.check_certificate(A, F.certificate)
        assert F.certificate.decided_by == "bounds"


@dtypes
@pytest.mark.parametrize("sign", [-1, 1])
def test_near_the_ends_of_the_range(dtype, sign):
    for shape in ((8, 8), (13, 6), (6, 13), (120, 60)):
        for r in (1, 4, min(shape)):
            A = ft.random_rank(*shape, r, 643, dtype)
            plain = COD(A)
            scaled = times_power_of_two(A, sign * HUGE[dtype]).astype(dtype)
            F = COD(scaled)
            assert F.rank == r
            ft.check_certificate(scaled, F.certificate)
            # Powers of two are exact: the bases are the same to the last bit.
            assert np.array_equal(F.null_space(), plain.null_space())
            assert np.array_equal(F.column_space(), plain.column_space())
            assert F.condition == pytest.approx(plain.condition, rel=1e-5)
            sigma = times_power_of_two(F.singular_values(), -sign * HUGE[dtype])
            np.testing.assert_allclose(sigma, plain.singular_values(), rtol=1e-5, atol=1e-6)


@dtypes
@pytest.mark.parametrize("shape", [(8, 8), (13, 6), (6, 13), (90, 40), (40, 90)])
def test_solves_with_minimum_norm(dtype, shape):
    rng = np.random.default_rng(647)
    for r in ranks(*shape):
        A = ft.random_rank(*shape, r, 653 + r, dtype)
        b = rng.standard_normal((shape[0], 3)).astype(dtype)
        X, r_got = reference.lstsq(A, b)
        assert r_got == r
        F = COD(A)
        close = {"rtol": 0, "atol": 3e3 * np.finfo(dtype).eps * max(1, np.abs(X).max(initial=0))}
        got = F.solve(b)
        assert (got.shape, got.dtype) == ((shape[1], 3), A.dtype)
        np.testing.assert_allclose(got, X, **close)
        np.testing.assert_allclose(F.solve(b[:, 0]), X[:, 0], **close)
        assert F.solve(b[:, :0]).shape == (shape[1], 0)


@pytest.mark.parametrize("gap", [1e-4, 1e-8])
@pytest.mark.parametrize("shape", [(40, 64), (64, 40), (50, 50), (210, 240), (240, 210)])
@dtypes
def test_noise_below_the_cutoff(dtype, gap, shape):
    """The bases are as good as the singular vectors' where what is left is noise, not rounding."""
    gap = max(gap, 100 * float(np.finfo(dtype).eps))
    for r in (5, 23):
        sigma = np.full(min(shape), gap)
        sigma[:r] = 1
        A = ft.with_singular_values(sigma, *shape, 659 + r, dtype)
        F = COD(A, 0.03)
        assert F.rank == r
        ft.check_certificate(A, F.certificate, rtol=0.03)
        for B, N in ((A, F.null_space()), (A.conj().T, F.left_null_space())):
            peer = scipy.linalg.null_space(B, 0.03)
            ft.check_orthonormal(N, peer=peer)
            ft.check_annihilates(B, N, tol=0.03, peer=peer)


@dtypes
@pytest.mark.parametrize("shape", [(9, 9), (12, 7), (7, 12), (80, 50)])
def test_small_coordinates(dtype, shape):
    """A = X M Y^H: M has the singular values of A, and Y^H A^H r is M^H X^H r."""
    for r in (1, 3, min(shape)):
        A = ft.random_rank(*shape, r, 661, dtype)
        F = COD(A)
        M = F.small_factor()
        sigma = np.linalg.svd(A, compute_uv=False)
        got = np.linalg.svd(M, compute_uv=False)
        np.testing.assert_allclose(got[:r], sigma[:r], rtol=1e3 * np.finfo(dtype).eps)
        G = np.asfortranarray(A.conj().T @ np.ones((shape[0], 2), dtype))
        small = F.small_adjoint(G.copy(order="F"))
        assert small.shape == (M.shape[1], 2)
        # Y has orthonormal columns and spans the row space, so no length is lost.
        np.testing.assert_allclose(
            np.linalg.norm(small, axis=0), np.linalg.norm(G, axis=0), rtol=1e3 * np.finfo(dtype).eps
        )


@dtypes
def test_singular_values_and_condition(dtype):
    for shape in ((8, 8), (13, 6), (6, 13), (100, 55)):
        k = min(shape)
        sigma = np.geomspace(1, 1e-2, k)
        A = ft.with_singular_values(sigma, *shape, 673, dtype)
        F = COD(A)
        np.testing.assert_allclose(F.singular_values(), sigma, atol=1e2 * np.finfo(dtype).eps)
        assert F.singular_values().dtype == A.real.dtype
        assert 30 < F.condition < 300
    assert math.isnan(COD(np.zeros((3, 2))).condition)


def test_tolerances():
    A = np.diag([1.0, 1e-3, 1e-6, 1e-9])
    for size in (0, 240):
        B = np.pad(A, (0, size))
        for tol, rank in ((0.5, 1), (1e-2, 1), (1e-4, 2), (1e-7, 3), (1e-10, 4), (2.0, 0)):
            for F in (COD(B, tol), COD(B, tol=tol)):
                assert F.rank == rank
                check_dimensions = F.null_space().shape[1] + F.row_space().shape[1]
                assert check_dimensions == B.shape[1]
            ft.check_certificate(B, COD(B, tol=tol).certificate, tol=tol)
        # The absolute one goes before the relative one.
        assert COD(B, 1e-2, tol=1e-7).rank == 3


@pytest.mark.parametrize("want", ["all", "row", "column", "rank"])
def test_what_is_wanted_changes_no_rank(want):
    for shape in ((9, 9), (300, 60), (60, 300), (200, 10)):
        for r in (3, min(shape)):
            A = ft.random_rank(*shape, r, 677)
            F = COD(A, want=want)
            assert F.rank == r
            ft.check_certificate(A, F.certificate)
            if want == "all":
                check_four_subspaces(A, F)
            if want in ("row", "column"):
                everything = COD(A)
                sides = {
                    "row": (F.row_space, everything.row_space, F.null_space),
                    "column": (F.column_space, everything.column_space, F.left_null_space),
                }
                space, expected, complement = sides[want]
                basis, other = space(), complement()
                ft.check_orthonormal(np.hstack([basis, other]))
                distance = expected() - basis @ (basis.T @ expected())
                assert np.linalg.norm(distance) < 1e-11
                other_side = F.null_space if want == "column" else F.left_null_space
                with pytest.raises(ValueError, match="want='all'"):
                    other_side()


def test_a_rank_alone_has_no_bases():
    """A Gram matrix proved the rank: what else is asked for gets an answer or a clear error."""
    A = ft.random_rank(300, 60, 60, 683)
    F = COD(A, want="rank")
    for ask in (F.column_space, F.row_space, F.null_space, F.left_null_space):
        try:
            basis = ask()
        except (RuntimeError, ValueError) as error:
            assert "want" in str(error) or "rank" in str(error)  # noqa: PT017
        else:
            ft.check_orthonormal(basis)
    try:
        sigma = F.singular_values()
    except (RuntimeError, ValueError) as error:
        assert "want" in str(error) or "rank" in str(error)  # noqa: PT017
    else:
        np.testing.assert_allclose(sigma, scipy.linalg.svdvals(A), rtol=1e-10)


@pytest.mark.parametrize("driver", ["gesdd", "gesvd"])
def test_singular_values_decide_where_bounds_cannot(driver):
    A = ft.with_singular_values(np.geomspace(1, 1e-20, 50), 50, 50, 1049)
    F = COD(A, lapack_driver=driver)
    assert F.certificate.decided_by == "svd"
    ft.check_certificate(A, F.certificate)
    check_four_subspaces(A, F)


def test_bases_do_not_disturb_a_solution_by_singular_vectors():
    A = ft.with_singular_values(np.geomspace(1, 1e-20, 50), 50, 50, 1049)
    b = np.random.default_rng(1051).standard_normal(50)
    for order in ("C", "F"):
        F = COD(np.array(A, order=order))
        assert F.certificate.decided_by == "svd"
        x = F.solve(b)
        check_four_subspaces(A, F)
        np.testing.assert_array_equal(F.solve(b), x)


def nearly_dependent_first(shape, r, small, dtype, seed):
    """Rank r but for noise; of the first r columns a few combinations are small, so R11^-1 is not.

    The matrix itself is well-conditioned: its other columns are large in those directions.
    """
    rng = np.random.default_rng(seed)
    C = rng.standard_normal((r, shape[1]))
    U, sigma, Vh = np.linalg.svd(C[:, :r])
    sigma[[2, 5, 7]] = small
    C[:, :r] = (U * sigma) @ Vh
    noise = rng.standard_normal(shape) * float(np.finfo(dtype).eps)
    return (np.linalg.qr(rng.standard_normal((shape[0], r)))[0] @ C + noise).astype(dtype)


@dtypes
@pytest.mark.parametrize("small", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("shape", [(60, 60), (90, 55), (55, 90)])
def test_solves_where_the_first_columns_are_nearly_dependent(dtype, shape, small):
    """QR leaves R11^-1 R12 times the noise, which is no part of the least-squares problem."""
    eps = float(np.finfo(dtype).eps)
    for seed in range(1061, 1071):
        A = nearly_dependent_first(shape, 25, small, dtype, seed)
        F = COD(A, 100 * max(shape) * eps)
        assert F.rank == 25
        b = ft.random_rank(shape[0], 1, 1, seed, dtype)[:, 0]
        x = F.solve(b)
        U, sigma, _ = np.linalg.svd(A.astype(np.result_type(A, float)))
        gradient = U[:, :25].conj().T @ (b - A @ x)
        # A backward error of a few sigma_{r+1} turns the column space by its ratio to sigma_r.
        error = 4 * sigma[25] + 40 * eps * sigma[0]
        limit = error * (np.linalg.norm(x) + np.linalg.norm(b) / sigma[24])
        assert np.linalg.norm(gradient) <= limit


@dtypes
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6])
def test_noise_in_the_rows_below_counts(dtype, order, gap):
    """The solution is V1 y, y the least-squares one on the row space; F small, and not so small.

    What is left of the matrix is as large as the cutoff allows, and turns the column space.
    """
    gap = max(gap, 100 * float(np.finfo(dtype).eps))
    for shape, r in (((60, 60), 41), ((90, 55), 30), ((55, 90), 30), ((210, 240), 23)):
        sigma = np.full(min(shape), gap)
        sigma[:r] = 1
        A = np.array(ft.with_singular_values(sigma, *shape, 1097, dtype), order=order)
        F = COD(A, min(0.5, 10 * gap * max(shape) ** 0.5))
        assert F.rank == r
        for M, solve, V1 in (
            (A, F.solve, F.row_space()),
            (A.conj().T, F.solve_adjoint, F.column_space()),
        ):
            B = ft.random_rank(len(M), 3, 3, 1103, dtype)
            wanted = V1 @ reference.lstsq(M @ V1, B)[0]
            error = np.linalg.norm(solve(B) - wanted) / np.linalg.norm(wanted)
            assert error <= 100 * np.finfo(dtype).eps + 8 * gap * gap, (shape, error)


@dtypes
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_solution_lies_in_the_row_space_that_was_returned(dtype, order):
    """Also where no gap shows, and which basis is made depends on what has been computed."""
    eps = float(np.finfo(dtype).eps)
    for n, theta in ((50, 1.0), (40, 0.9), (54, 0.8)):
        A = np.array(ft.kahan(n, theta), dtype, order=order)
        for rtol in np.geomspace(1e-2, 1e-5, 14):
            F = COD(A, float(rtol))
            x = F.solve(ft.random_rank(n, 1, 1, 1091, dtype)[:, 0])
            inside = F.null_space().conj().T @ x
            assert np.linalg.norm(inside) <= 100 * eps * np.linalg.norm(x)


@dtypes
@pytest.mark.parametrize("shape", [(2, 2), (7, 5), (5, 7)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_solves_at_rank_one_with_a_loose_cutoff(dtype, shape, order):
    """One row of a triangular solve is its own reversal: what is read later must be a copy."""
    rng = np.random.default_rng(1087)
    u, v = rng.standard_normal((shape[0], 1)), rng.standard_normal((1, shape[1]))
    A = np.array(u @ v + 1e-4 * rng.standard_normal(shape), dtype, order=order)
    b = rng.standard_normal(shape[0]).astype(dtype)
    F = COD(A, 1e-2)
    assert F.rank == 1
    U, sigma, Vh = np.linalg.svd(A)
    exact = Vh[0].conj() * (U[:, 0].conj() @ b) / sigma[0]
    np.testing.assert_allclose(F.solve(b), exact, rtol=0, atol=1e-5 * np.linalg.norm(exact))
