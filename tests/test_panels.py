"""Products by panels, against NumPy, for every layout."""

import itertools

import numpy as np
import pytest

from fastsub.kernels import panels

SHAPES = [(1, 1), (7, 3), (600, 5), (1500, 40), (3000, 2)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def layouts(A):
    m, n = A.shape
    loose = np.zeros((2 * m, 3 * n), A.dtype)
    loose[::2, 1::3] = A
    padded = np.zeros((m + 3, n + 2), A.dtype)
    padded[1:-2, :-2] = A
    yield np.asfortranarray(A)
    yield np.ascontiguousarray(A)
    yield padded[1:-2, :-2]
    yield np.asfortranarray(padded)[1:-2, :-2]
    yield loose[::2, 1::3]
    yield np.ascontiguousarray(A[::-1, ::-1])[::-1, ::-1]


def eps(A):
    return float(np.finfo(A.dtype).eps)


@shapes
@pytest.mark.parametrize("k", [1, 4])
def test_squares_of_the_product(dtype, normal, shape, k):
    A, N = normal(dtype, 1301, *shape), normal(dtype, 1303, shape[1], k)
    AN = A @ N
    for B in layouts(A):
        for first in (0, k - 1, k):
            out, G = np.full(k, np.nan), np.full((first, first), np.nan, dtype, order="F")
            work = np.empty(panels.py_work_size(B, k), dtype)
            panels.py_product_sumsq(B, N, out, G, work)
            wanted = np.sum(np.square(np.abs(AN), dtype=float), axis=0)
            np.testing.assert_allclose(out, wanted, rtol=100 * shape[1] * eps(A))
            limit = 100 * sum(shape) * eps(A) * max(1, wanted.max())
            gram = np.triu((AN.conj().T @ AN)[:first, :first])
            np.testing.assert_allclose(G, gram, atol=limit)


def test_of_a_broadcast_matrix():
    """Strides of zero: no order that gemm can read."""
    A = np.broadcast_to(np.arange(5.0), (700, 5))
    N, out = np.ones((5, 1), order="F"), np.empty(1)
    work = np.empty(panels.py_work_size(A, 1))
    panels.py_product_sumsq(A, N, out, np.empty((0, 0), order="F"), work)
    assert out[0] == 700 * 100
    work = np.empty(panels.py_work_size(A.T, 1))
    out = np.empty(1)
    N = np.asfortranarray(np.ones((700, 1)))
    panels.py_product_sumsq(A.T, N, out, np.empty((0, 0), order="F"), work)
    assert out[0] == 700**2 * 30


@shapes
def test_precondition(dtype, normal, shape):
    A = normal(dtype, 1307, *shape)
    n = shape[1]
    r = max(1, n - 1)
    p = np.random.default_rng(1319).permutation(n).astype(np.intc)
    X = np.asfortranarray(np.triu(normal(dtype, 1321, r, r)))
    wanted = A[:, p[:r]] @ X
    limit = 100 * sum(shape) * eps(A) * max(1, np.abs(wanted).max() ** 2)
    for B in layouts(A):
        for rows, order in itertools.product((shape[0], panels.py_panel_rows(B, r)), "CF"):
            Q, G = np.empty((rows, r), dtype, order), np.empty((r, r), dtype, order="F")
            panels.py_precondition(B, p, X, Q, G, np.full(2 * r * r, np.nan, dtype))
            if rows == shape[0]:
                np.testing.assert_allclose(Q, wanted, atol=limit)
            np.testing.assert_allclose(
                G, np.triu(wanted.conj().T @ wanted), atol=limit * shape[0] ** 0.5
            )


def test_refuses_other_shapes():
    A, work = np.ones((600, 3)), np.zeros(10_000)
    none = np.empty((0, 0), order="F")
    with pytest.raises(ValueError, match="n x k"):
        panels.py_product_sumsq(A, np.ones((2, 1), order="F"), np.zeros(1), none, work)
    G = np.zeros((2, 2), order="F")
    with pytest.raises(ValueError, match="no larger"):
        panels.py_product_sumsq(A, np.ones((3, 1), order="F"), np.zeros(1), G, work)
    with pytest.raises(ValueError, match="too small"):
        panels.py_product_sumsq(A, np.ones((3, 1), order="F"), np.zeros(1), none, work[:9])
    p, X = np.arange(3, dtype=np.intc), np.eye(3, order="F")
    Q, G = np.zeros((600, 3), order="F"), np.zeros((3, 3), order="F")
    for message, wrong in (
        ("panel", (p, X, Q[:9].copy("F"), G, work)),
        ("at least r", (p[:2], X, Q, G, work)),
        ("contiguous columns or rows", (p, X, np.zeros((1200, 9))[::2, ::3], G, work)),
        ("G must be", (p, X, Q, np.eye(2, order="F"), work)),
        ("too small", (p, X, Q, G, work[:17])),
    ):
        with pytest.raises(ValueError, match=message):
            panels.py_precondition(A, *wrong)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("m", [1_000, 300_000])
def test_gram_of_equal_rows(dtype, m, order):
    """Rounding all in one direction: the error must not grow with the rows."""
    A = np.broadcast_to(np.array([0.1, 0.7, 0.3], dtype), (m, 3))
    Q, G = np.empty((m, 3), dtype, order), np.empty((3, 3), dtype, order="F")
    X = np.eye(3, dtype=dtype, order="F")
    panels.py_precondition(A, np.arange(3, dtype=np.intc), X, Q, G, np.empty(18, dtype))
    wanted = np.triu(m * np.outer(A[0].astype(complex), A[0]).real)
    np.testing.assert_allclose(G, wanted, rtol=50 * np.finfo(dtype).eps)
