"""Projection beside the range of a tall matrix by corrected seminormal equations."""

import numpy as np
import pytest

import fastsub
from fastsub import testing as ft
from fastsub.factor.least_squares.implicit import ImplicitRange
from fastsub.factor.rank.cutoff import Cutoff


def projected(A, X):
    """Return what Householder QR in higher precision leaves beside the range of A."""
    Q = np.linalg.qr(A.astype(np.result_type(A, np.float64)))[0]
    return X - Q @ (Q.conj().T @ X)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("k", [1, 6])
def test_rejects_as_qr_does(dtype, normal, adjoint, order, k):
    A = normal(dtype, 1151, 900, 20)
    A[:, 3] *= 2.0**9
    given = np.asarray(A.conj().T if adjoint else A, order=order)
    implicit = ImplicitRange.of(given, Cutoff(1e-6), adjoint=adjoint)
    assert implicit.width == 20
    eps = np.finfo(dtype).eps
    for X in (normal(dtype, 1153, 900, k), A @ normal(dtype, 1163, 20, k)):
        X = np.asfortranarray(X)
        length = np.linalg.norm(X)
        rest = implicit.reject(X.copy(order="F"))
        assert np.linalg.norm(rest - projected(A, X)) <= 50 * eps * length
        lengths = np.linalg.norm(A, axis=0)[:, None]
        assert np.linalg.norm(A.conj().T @ rest / lengths) <= 50 * eps * length
    ft.check_certificate(given, implicit.certificate, rtol=1e-6)


def test_is_none_where_a_basis_is_more_accurate():
    for condition, wanted in ((1e2, True), (1e6, False), (1e12, False)):
        A = ft.with_singular_values(np.geomspace(1, 1 / condition, 12), 3000, 12, 1171)
        assert (ImplicitRange.of(A, Cutoff(1e-14)) is not None) == wanted
    assert ImplicitRange.of(np.ones((40, 3)), Cutoff(1e-14)) is None
    assert ImplicitRange.of(np.full((40, 3), np.nan), Cutoff(1e-14)) is None
    assert ImplicitRange.of(1e-200 * np.eye(40, 3), Cutoff(1e-14)) is None
    assert ImplicitRange.of(np.ones((90, 9))[::2, ::3], Cutoff(1e-14)) is None


@pytest.mark.parametrize("condition", [1e1, 1e3, 1e5])
def test_a_basis_asked_for_later_spans_the_same(condition):
    A = ft.with_singular_values(np.geomspace(1, 1 / condition, 15), 2500, 15, 1181)
    F = fastsub.fundamental_subspaces(A)
    x = np.random.default_rng(1187).standard_normal(2500)
    before = F.left_null_space.project(x), F.column_space.project(x), F.left_null_space.distance(x)
    assert np.linalg.norm(sum(before[:2]) - x) <= 1e-15 * np.linalg.norm(x)
    ft.check_orthonormal(F.column_space.basis)
    np.testing.assert_array_equal(F.left_null_space.project(x), before[0])
    Q = F.column_space.basis
    np.testing.assert_allclose(before[1], Q @ (Q.T @ x), atol=1e-15 * condition * 50)
    assert before[2] == pytest.approx(np.linalg.norm(Q.T @ x), abs=1e-15 * condition * 50)


def test_lengths_of_rows_of_the_inverse(dtype, normal):
    A = normal(dtype, 1193, 700, 9)
    A[:, 4] *= 1e-6
    implicit = ImplicitRange.of(A, Cutoff(1e-12))
    lengths = implicit.inverse_lengths()
    D = 1 / np.linalg.norm(A, axis=0)
    wanted = D * np.linalg.norm(np.linalg.pinv(A * D), axis=1)
    if np.dtype(dtype).char in "dD":
        np.testing.assert_allclose(lengths, wanted, rtol=1e-12)
    else:
        assert lengths is None
    ratio = implicit.condition / np.linalg.cond(A.astype(np.result_type(A, np.float64)))
    assert 0.3 < ratio < 1.01
