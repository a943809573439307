"""LeastSquares: every update is judged by a fit from scratch, the statistics by their formulas."""

import copy
import pickle

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.kernels import downdate
from fastsub.models.rows import Rows
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)


def problem(m, n, seed, dtype=float, k=None):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((m, n)), rng.standard_normal((m,) if k is None else (m, k))
    if np.dtype(dtype).kind == "c":
        A, B = A + 1j * rng.standard_normal(A.shape), B + 1j * rng.standard_normal(B.shape)
    return A.astype(dtype), B.astype(dtype)


def check_fit(fit, A, b, weights=None, factor=1e3):
    """Coefficients, statistics and certificate are those of a regression of A on b by hand."""
    eps = np.finfo(fit.dtype).eps
    wide = np.result_type(fit.dtype, float)
    w = np.ones(len(A)) if weights is None else np.asarray(weights, float)
    W, c = (np.sqrt(w)[:, None] * M.astype(wide) for M in (A, b if b.ndim == 2 else b[:, None]))
    assert fit.shape == A.shape
    U, sigma, Vh = np.linalg.svd(W, full_matrices=False)
    r = int(np.sum(sigma > eps * max(A.shape) * sigma.max(initial=0)))
    assert fit.rank == r
    U, sigma, V = U[:, :r], sigma[:r], Vh[:r].conj().T
    kappa = sigma[0] / sigma[-1] if r else 1.0
    tolerance = factor * eps * kappa * np.sqrt(max(A.shape))
    X = V @ ((U.conj().T @ c) / sigma[:, None])
    floor = np.linalg.norm(c) / (sigma[-1] if r else 1.0)
    close(fit.coefficients, X.reshape(fit.coefficients.shape), tolerance, floor)
    dof = np.count_nonzero(w) - r
    assert fit.residual_dof == dof
    rss = np.sum(np.abs(c - W @ X) ** 2, axis=0)
    scale = np.sum(np.abs(c) ** 2, axis=0)
    if dof > 0:
        got = np.atleast_1d(fit.residual_sd) ** 2 * dof
        assert np.all(np.abs(got - rss) <= tolerance * scale)
    else:
        assert np.isnan(fit.residual_sd).all()
    root = V / sigma
    close(fit.leverage, np.sum(np.abs(W @ root) ** 2, axis=1), tolerance)
    assert np.sum(fit.leverage) == pytest.approx(r, abs=1e-3)
    variance = np.square(fit.residual_sd)
    covariance = np.multiply.outer(variance, root @ root.conj().T)
    close(fit.covariance, covariance, tolerance, floor**2)
    N = np.eye(A.shape[1]) - V @ V.conj().T
    assert np.array_equal(fit.estimable, np.linalg.norm(N, axis=1) < 1e-3)
    diagonal = np.diagonal(covariance, axis1=-2, axis2=-1).real
    variances = diagonal.T.copy()
    variances[~fit.estimable] = np.nan
    close(fit.coefficient_sd**2, variances, tolerance, floor**2)
    ft.check_certificate(np.sqrt(w).astype(A.real.dtype)[:, None] * A, fit.certificate)


def close(got, wanted, tolerance, floor=0.0):
    assert np.shape(got) == np.shape(wanted)
    assert np.array_equal(np.isnan(got), np.isnan(wanted))
    size = max(np.abs(np.nan_to_num(wanted)).max(initial=0), floor)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * size)


@dtypes
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("shape", [(12, 4), (4, 4), (3, 5), (40, 7), (230, 12)])
def test_a_fit(dtype, k, shape):
    A, b = problem(*shape, 1301, dtype, k)
    check_fit(fastsub.LeastSquares(A, b), A, b)
    weights = np.random.default_rng(1303).uniform(0, 2, len(A)) * (np.arange(len(A)) != 2)
    check_fit(fastsub.LeastSquares(A, b, weights=weights), A, b, weights)


@dtypes
@pytest.mark.parametrize("k", [None, 2])
def test_rows_added(dtype, k):
    A, b = problem(40, 5, 1307, dtype, k)
    fit = fastsub.LeastSquares(A[:0], b[:0])
    assert fit.rank == 0
    for first, last in ((0, 2), (2, 3), (3, 20), (20, 40)):
        assert fit.add_rows(A[first:last], b[first:last]) is fit
        check_fit(fit, A[:last], b[:last])
    assert fit.refactorizations <= 3  # the first rows, and where too few of them prove no rank
    before = fit.refactorizations
    fit.add_rows(A[0], b[0])
    check_fit(fit, np.vstack([A, A[:1]]), np.concatenate([b, b[:1]]))
    assert fit.refactorizations == before


@dtypes
@pytest.mark.parametrize("k", [None, 2])
def test_rows_removed(dtype, k):
    A, b = problem(60, 5, 1319, dtype, k)
    weights = np.linspace(0.5, 2, 60)
    fit = fastsub.LeastSquares(A, b, weights=weights)
    left = np.arange(60)
    for gone in (7, [0, 59], [], 12, np.array([3, 30, 31])):
        fit.remove_rows(gone)
        left = np.setdiff1d(left, gone)
        assert np.array_equal(fit.rows, left)
        check_fit(fit, A[left], b[left], weights[left], 2e3)
    assert fit.refactorizations == 0
    fit.remove_rows(left[10:])
    assert fit.refactorizations == 1
    check_fit(fit, A[left[:10]], b[left[:10]], weights[left[:10]])


@pytest.mark.parametrize("k", [None, 2])
def test_against_scipys_updates_of_q(k):
    A, b = problem(30, 6, 1321, float, k)
    fit = fastsub.LeastSquares(A[:25], b[:25]).add_rows(A[25:], b[25:]).remove_rows([4, 11])
    Q, R = scipy.linalg.qr(A[:25])
    Q, R = scipy.linalg.qr_insert(Q, R, A[25:], 25)
    c = b
    for row in (11, 4):
        Q, R = scipy.linalg.qr_delete(Q, R, row)
        c = np.delete(c, row, axis=0)
    x = scipy.linalg.solve_triangular(R[:6], (Q.T @ c)[:6])
    np.testing.assert_allclose(fit.coefficients, x, rtol=1e-12)


@settings(max_examples=40)
@given(st.data())
def test_any_sequence_of_updates(data):
    """Integers of small rank, rows repeated, ranks that change on the way."""
    seed, n = data.draw(st.integers(2, 10**6)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(seed)
    A, b = np.zeros((0, n)), np.zeros(0)
    numbers, fit = np.zeros(0, int), fastsub.LeastSquares(A, b)
    following = 0
    for step in data.draw(st.lists(st.sampled_from(["add", "remove"]), max_size=6)):
        if step == "add":
            p = data.draw(st.integers(0, 5))
            new = rng.integers(-2, 3, (p, n)).astype(float), rng.integers(-3, 4, p).astype(float)
            fit.add_rows(*new)
            A, b = np.vstack([A, new[0]]), np.append(b, new[1])
            numbers = np.append(numbers, np.arange(following, following + p))
            following += p
        elif len(A):
            p = data.draw(st.integers(0, len(A)))
            gone = rng.choice(len(A), p, replace=False)
            fit.remove_rows(numbers[gone])
            A, b, numbers = (np.delete(x, gone, axis=0) for x in (A, b, numbers))
        check_fit(fit, A, b, factor=1e5)


def test_a_window_that_slides():
    A, b = problem(600, 8, 1327)
    fit = fastsub.LeastSquares(A[:40], b[:40])
    for t in range(40, 600):
        fit.add_rows(A[t], b[t]).remove_rows(t - 40)
    check_fit(fit, A[560:], b[560:], factor=1e6)
    # A leverage of 0.2 costs a quarter of a bit or so: some forty removals pass before a renewal.
    assert 1 <= fit.refactorizations <= 40
    assert np.array_equal(fit.rows, np.arange(560, 600))


@dtypes
def test_a_row_that_carries_everything_is_not_rotated_away(dtype):
    """An outlier hides the digits of all other rows: what is left of the factor is noise."""
    A, b = problem(30, 4, 1361, dtype)
    eps = np.finfo(dtype).eps
    A[17] /= 100 * eps
    fit = fastsub.LeastSquares(A, b)
    fit.remove_rows(17)
    assert fit.refactorizations == 1
    check_fit(fit, np.delete(A, 17, 0), np.delete(b, 17))
    # Nor is one that hides the residual of all others.
    A, b = problem(30, 4, 1367, dtype)
    b[17] += 1 / (100 * eps)
    fit = fastsub.LeastSquares(A, b).remove_rows(17)
    assert fit.refactorizations == 1
    check_fit(fit, np.delete(A, 17, 0), np.delete(b, 17))


def test_the_only_row_of_a_direction():
    A, b = np.vstack([np.eye(3), np.eye(3)[:2]]), np.arange(5.0)
    fit = fastsub.LeastSquares(A, b)
    assert fit.rank == 3
    fit.remove_rows(2)
    assert (fit.rank, fit.estimable.tolist()) == (2, [True, True, False])
    check_fit(fit, A[[0, 1, 3, 4]], b[[0, 1, 3, 4]])
    assert fit.coefficient_sd[2] != fit.coefficient_sd[2]
    fit.add_rows([0, 0, 2], 8)
    assert fit.coefficients[2] == pytest.approx(4)


def test_collinear_columns_say_what_can_be_estimated():
    rng = np.random.default_rng(1373)
    A = rng.standard_normal((20, 4))
    A[:, 3] = A[:, 1] - 2 * A[:, 2]
    b = rng.standard_normal(20)
    fit = fastsub.LeastSquares(A, b)
    assert fit.estimable.tolist() == [True, False, False, False]
    check_fit(fit, A, b)
    x = scipy.linalg.lstsq(A, b, cond=1e-13)[0]
    np.testing.assert_allclose(fit.coefficients, x, atol=1e-13)


@pytest.mark.parametrize("power", [4, 8, 12])
def test_ill_conditioned(power):
    A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 6), 50, 6, 1381)
    b = np.random.default_rng(1399).standard_normal(50)
    fit = fastsub.LeastSquares(A, b).remove_rows([1, 2, 3]).add_rows(A[1:4], b[1:4])
    order = [0, *range(4, 50), 1, 2, 3]
    check_fit(fit, A[order], b[order])


@dtypes
def test_scaled_by_powers_of_two(dtype):
    top = 100 if dtype in ("float32", "complex64") else 950
    A, b = problem(20, 3, 1409, dtype)
    plain = fastsub.LeastSquares(A, b).remove_rows(5).add_rows(A[5], b[5])
    for p, q in ((top, top), (-top, -top), (top, top // 2), (0, top), (-top // 2, -top)):
        C, c = (times_power_of_two(M, e).astype(dtype) for M, e in ((A, p), (b, q)))
        fit = fastsub.LeastSquares(C[:0], c[:0])
        fit.add_rows(C, c).remove_rows(5).add_rows(C[5], c[5])
        eps = np.finfo(dtype).eps
        for name, e in (("coefficients", q - p), ("coefficient_sd", q - p), ("residual_sd", q)):
            got = times_power_of_two(np.asarray(getattr(fit, name)), -e)
            np.testing.assert_allclose(got, getattr(plain, name), rtol=1e3 * eps)
        np.testing.assert_allclose(fit.leverage, plain.leverage, rtol=1e3 * eps)
        x = times_power_of_two(fit.solve(c), p - q)
        np.testing.assert_allclose(x, fit_of(A, b, [*range(5), *range(6, 20), 5]), rtol=1e4 * eps)


def fit_of(A, b, order):
    """The coefficients when b is put beside rows in another order."""
    return scipy.linalg.lstsq(A[order], b)[0]


def test_other_right_hand_sides():
    A, b = problem(30, 4, 1423, complex, 2)
    fit = fastsub.LeastSquares(A, b).remove_rows([1, 5])
    left = fit.rows
    c = np.random.default_rng(1427).standard_normal((28, 3))
    np.testing.assert_allclose(fit.solve(c), scipy.linalg.lstsq(A[left], c)[0], rtol=1e-10)
    np.testing.assert_allclose(fit.solve(c[:, 0]), fit.solve(c)[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(fit.solve(), fit.coefficients)
    weighted = fastsub.LeastSquares(A, b, weights=np.linspace(0, 3, 30))
    np.testing.assert_allclose(weighted.solve(b), weighted.coefficients, rtol=1e-11)


def test_the_textbook():
    for b in ([1, 2, 2], [0, 3, 1], [29, 0, 0]):
        fit = fastsub.LeastSquares([[2], [3], [4]], b)
        assert fit.coefficients[0] == pytest.approx((2 * b[0] + 3 * b[1] + 4 * b[2]) / 29)
        np.testing.assert_allclose(fit.leverage, np.array([4, 9, 16]) / 29)


def test_rows_keep_their_numbers():
    rng = np.random.default_rng(1429)
    rows, wanted = Rows(np.zeros((0, 2)), np.zeros(0)), {}
    for _ in range(60):
        if wanted and rng.random() < 0.6:
            gone = rng.choice(list(wanted), rng.integers(1, len(wanted) + 1), replace=False)
            at = rows.find(gone)
            np.testing.assert_array_equal(rows.at(at)[1], [wanted[i] for i in gone])
            rows.drop(at)
            for i in gone:
                del wanted[i]
        else:
            p = int(rng.integers(0, 6))
            new = rng.standard_normal(p)
            first = rows._next
            rows.append(np.column_stack([new, -new]), new)
            wanted |= {first + i: x for i, x in enumerate(new)}
        assert rows.count == len(wanted)
        assert rows.numbers.tolist() == sorted(wanted)
        table, values = rows.all()
        np.testing.assert_array_equal(values, [wanted[i] for i in sorted(wanted)])
        np.testing.assert_array_equal(table[:, 1], -values)


def test_bad_input_changes_nothing():
    A, b = problem(9, 3, 1433)
    fit = fastsub.LeastSquares(A, b).remove_rows(4)
    before = fit.coefficients
    for error, says, call in (
        (IndexError, "row 4 is not there", lambda: fit.remove_rows([1, 4])),
        (IndexError, "row 9 is not there", lambda: fit.remove_rows(9)),
        (IndexError, "row -1 is not there", lambda: fit.remove_rows(-1)),
        (IndexError, "twice", lambda: fit.remove_rows([1, 1])),
        (TypeError, "integers", lambda: fit.remove_rows([1.0])),
        (ValueError, "3 columns", lambda: fit.add_rows(np.ones((2, 4)), [1, 2])),
        (ValueError, "2 rows", lambda: fit.add_rows(np.ones((2, 3)), [1, 2, 3])),
        (ValueError, "finite", lambda: fit.add_rows([1, np.nan, 3], 1)),
        (ValueError, "b must be finite", lambda: fit.add_rows([1, 2, 3], np.inf)),
        (ValueError, "nonnegative", lambda: fit.add_rows([1, 2, 3], 1, -1)),
        (TypeError, "complex", lambda: fit.add_rows([1, 2j, 3], 1)),
        (ValueError, "8 rows", lambda: fit.solve(np.ones(9))),
        (ValueError, "2-d", lambda: fastsub.LeastSquares([1, 2], [1, 2])),
        (ValueError, "3 rows", lambda: fastsub.LeastSquares(np.ones((3, 2)), [1, 2])),
        (ValueError, "weights", lambda: fastsub.LeastSquares(A, b, weights=[1, 2])),
        (ValueError, "rtol", lambda: fastsub.LeastSquares(A, b, rtol=-1)),
    ):
        with pytest.raises(error, match=says):
            call()
    np.testing.assert_array_equal(fit.coefficients, before)
    assert fit.shape == (8, 3)


def test_it_travels_and_copies_are_independent():
    A, b = problem(20, 3, 1439)
    fit = fastsub.LeastSquares(A, b)
    for other in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        other.remove_rows(3)
        check_fit(other, np.delete(A, 3, 0), np.delete(b, 3))
    check_fit(fit, A, b)
    assert repr(fit) == "<LeastSquares of 20 x 3 float64: rank 3>"


@dtypes
def test_the_kernel_leaves_the_row_behind(dtype, normal):
    """Its rotations are unitary: the row comes out, and Gram matrices differ by it."""
    n, width = 6, 8
    R = np.triu(normal(dtype, 1447, n, n)) + 3 * np.eye(n)
    M = np.zeros((width, n), dtype, order="F")
    M[:n], M[n:] = R.T, normal(dtype, 1451, width - n, n)
    whole = M.T.copy()
    z = (normal(dtype, 1453, 1, n) * 0.3).astype(dtype)[0]
    q = np.linalg.solve(R.conj().T, z.conj()).astype(dtype)
    alpha = float(np.sqrt(1 - np.linalg.norm(q) ** 2))
    x = np.zeros(width, dtype)
    x[n:] = [2, -1]
    before = whole.conj().T @ whole
    before[n:, n:] += np.outer(x[n:].conj(), x[n:])
    downdate.py_downdate(M, q, alpha, x)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(x[:n], z, atol=100 * eps)
    assert not np.triu(M[:n], 1).any()
    after = M.conj() @ M.T
    np.testing.assert_allclose(
        after + np.outer(x.conj(), x), before, atol=300 * eps * np.abs(before).max()
    )
    with pytest.raises(ValueError, match="alpha be positive"):
        downdate.py_downdate(M, q, 0.0, x)
