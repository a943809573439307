"""One pass over a tall matrix: its products and their Gram matrices, against NumPy."""

import numpy as np
import pytest

from fastsub.factor import parallel
from fastsub.factor.tall import passes as threaded
from fastsub.factor.tall.passes import multiply
from fastsub.kernels import passes

# m, n, r, k: blocks have 64 rows, panels 4 to 16 columns, tiles three panels, chunks 192 rows of X.
SHAPES = [
    (1, 1, 1, 1),
    (5, 3, 2, 1),
    (7, 3, 0, 2),
    (300, 1, 1, 0),
    (64, 16, 16, 8),
    (1000, 50, 40, 11),
    (130, 300, 33, 200),
    (257, 400, 390, 1),
]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}, {}+{}".format(*shape))


def layouts(A):
    m, n = A.shape
    loose = np.full((2 * m + 1, 3 * n + 1), np.nan, A.dtype)
    loose[1::2, -1:0:-3] = A
    padded = np.full((m + 3, n + 2), np.nan, A.dtype)
    padded[1:-2, :-2] = A
    yield np.asfortranarray(A)
    yield np.ascontiguousarray(A)
    yield padded[1:-2, :-2]
    yield np.asfortranarray(padded)[1:-2, :-2]
    yield loose[1::2, -1:0:-3]


def close(got, wanted, rounding):
    """Within some roundings of the largest entry."""
    limit = rounding * np.finfo(got.dtype).eps * np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=limit)


def factors(normal, dtype, n, r, k):
    p = np.random.default_rng(1319).permutation(n).astype(np.intc)
    # What is below the diagonal is no part of X.
    X = normal(dtype, 1321, r, r)
    return p, np.asfortranarray(np.triu(X)), X, normal(dtype, 1327, n, k)


@shapes
def test_products(dtype, normal, shape):
    m, n, r, k = shape
    A = normal(dtype, 1307, m, n)
    p, X, full, N = factors(normal, dtype, n, r, k)
    AX, AN = A[:, p[:r]] @ X, A @ N
    for B in layouts(A):
        for keep in (True, False):
            Q, G, H = multiply(B, p, full, N, keep=keep)
            assert Q.shape == (m if keep else 0, r)
            assert Q.flags.c_contiguous
            if keep:
                close(Q, AX, 10 * n)
            close(G, np.triu(AX.conj().T @ AX), 10 * (n + m))
            close(H, np.triu(AN.conj().T @ AN), 10 * (n + m))
            assert not np.tril(G, -1).any()
            assert not np.tril(H, -1).any()
            assert not np.imag(np.diagonal(G)).any()


def test_same_bits_for_any_number_of_threads(dtype, normal, monkeypatch):
    A = normal(dtype, 1373, 9000, 70)
    p, _, X, N = factors(normal, dtype, 70, 60, 10)
    found = set()
    for threads in (1, 2, 3, 16):
        monkeypatch.setattr(parallel, "thread_count", lambda threads=threads: threads)
        Q, G, H = multiply(A, p, X, N)
        found.add((Q.tobytes(), G.tobytes(), H.tobytes()))
    assert len(found) == 1


def test_of_a_broadcast_matrix():
    """Strides of zero."""
    A = np.broadcast_to(np.arange(5.0), (700, 5))
    p = np.arange(5, dtype=np.intc)
    Q, _, H = multiply(A, p, np.eye(5, order="F"), np.ones((5, 1), order="F"))
    assert np.array_equal(Q, A)
    assert H == 700 * 100


def test_nan_reaches_the_sums(dtype, normal):
    A = normal(dtype, 1381, 500, 6)
    A[400, 3] = np.nan
    p, _, X, N = factors(normal, dtype, 6, 6, 2)
    Q, G, H = multiply(A, p, X, N)
    assert np.isnan(Q[400]).any()
    assert np.isfinite(np.delete(Q, 400, axis=0)).all()
    assert np.isnan(G).any()
    assert np.isnan(H).any()


@pytest.mark.parametrize("m", [1_000, 300_000, 3_000_000])
def test_gram_of_equal_rows(dtype, m, monkeypatch):
    """Rounding all in one direction: the error must hardly grow with the rows."""
    monkeypatch.setattr(threaded, "_PIECES", 1)
    A = np.broadcast_to(np.array([0.1, 0.7, 0.3], dtype), (m, 3))
    X = np.eye(3, dtype=dtype, order="F")
    _, G, _ = multiply(A, np.arange(3, dtype=np.intc), X, X[:, :0], keep=False)
    wanted = np.triu(m * np.outer(A[0].astype(complex), A[0]).real)
    np.testing.assert_allclose(G, wanted, rtol=50 * np.finfo(dtype).eps)


def test_refuses_other_shapes():
    A, work, sums = np.ones((600, 3)), np.zeros(10_000), np.zeros(1_000)
    p, X, Q = np.arange(3, dtype=np.intc), np.eye(3, order="F"), np.zeros((600, 3))
    P = np.empty(passes.py_packed_size(X, 3))
    passes.py_pack(X, p, True, P)
    for message, wrong in (
        ("as long as", (p[:2], P, P, 1, Q, sums, work)),
        ("rows of A", (p, P, P, 1, Q[:9], sums, work)),
        ("packed", (p, P[:3], P, 1, Q, sums, work)),
        ("packed", (p, P, P, 9, Q, sums, work)),
        ("too small", (p, P, P, 1, Q, sums[:9], work)),
        ("too small", (p, P, P, 1, Q, sums, work[:9])),
    ):
        with pytest.raises(ValueError, match=message):
            passes.py_multiply(A, *wrong)
    with pytest.raises(ValueError, match="n x k"):
        passes.py_pack(np.ones((2, 1), order="F"), p, False, P)
    with pytest.raises(ValueError, match="too small"):
        passes.py_pack(X, p, True, P[:9])
    for G, H in ((X[:, :2], X), (X, X[:, :2])):
        with pytest.raises(ValueError, match="square"):
            passes.py_unfold(sums, G.copy("F"), H.copy("F"))
    with pytest.raises(ValueError, match="too small"):
        passes.py_unfold(sums[:9], X, X)
