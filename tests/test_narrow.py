"""QR of a narrow panel in strips: factors, reflectors and triangle at every width and height."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from fastsub.kernels import narrow

DTYPES = ["float32", "float64", "complex64", "complex128"]
# Around a strip (8), a leaf (64), a chunk of rows (256), and what is left to LAPACK (127).
SHAPES = [
    *((m, n) for n in (1, 2, 7, 8, 9, 17, 24) for m in (n, n + 1, 127, 128, 130, 141)),
    *((m, n) for n in (63, 64, 65, 100, 150) for m in (n, n + 3, 128 + n, 260)),
    *((m, 3) for m in (255, 256, 257, 258, 259, 260, 511, 513, 1100)),
]


def factor(A, extra=0):
    r"""V\R and T of A; what has to be written first holds NaN, T has rows to spare."""
    n = A.shape[1]
    W, T = np.array(A, order="F"), np.full((n + extra, n), np.nan, A.dtype, order="F")
    narrow.py_narrow_qr(W, T, np.full(narrow.py_work_size(*A.shape), np.nan, A.dtype))
    return W, T[:n]


def check(A, W, T):
    """A = (I - V T V^H) R by columns, and T is the triangle of unitary reflectors."""
    m, n = A.shape
    eps = float(np.finfo(A.dtype).eps)
    wide = np.result_type(A, np.longdouble)
    V, R = np.tril(W, -1).astype(wide) + np.eye(m, n), np.triu(W[:n]).astype(wide)
    tau = np.diagonal(T).astype(wide)
    np.testing.assert_array_less(np.abs(np.tril(R, -1)), 1e-300)
    assert np.all(np.diagonal(R).imag == 0)
    wanted = reference.compact_wy(V, tau)
    error = np.abs(np.triu(T) - wanted).max()
    assert error <= 20 * eps * max(1, np.abs(wanted).max()), f"T is wrong by {error:.1e}"
    # H is unitary: 2 Re(tau) = |tau|^2 ||v||^2.
    square = np.sum(np.abs(V) ** 2, axis=0)
    defect = np.abs(2 * tau.real - np.abs(tau) ** 2 * square) / np.maximum(np.abs(tau), 1e-300)
    assert defect.max() <= 10 * eps, f"a reflector is not unitary by {defect.max() / eps:.0f} eps"
    QR = -V @ (wanted @ (V[:n].conj().T @ R))
    QR[:n] += R
    error, size = (np.linalg.norm(X.astype(complex), axis=0) for X in (A - QR, A.astype(wide)))
    assert np.all(error <= 20 * eps * size), f"got {np.max(error / size) / eps:.0f} eps"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))
def test_every_shape(dtype, normal, shape):
    A = normal(dtype, 3203, *shape)
    check(A, *factor(A))


def test_is_lapacks(dtype, normal):
    """The same signs and scalars as geqrt: real diagonal, beta opposite to alpha."""
    A = normal(dtype, 3209, 190, 20)
    W, T = factor(A, extra=3)
    R, tau = np.array(A), []
    for j in range(20):
        v, t, beta = reference.householder(R[j:, j])
        R[j:] -= np.conj(t) * np.outer(v, v.conj() @ R[j:])
        tau.append(t)
        np.testing.assert_allclose(W[j, j], beta, rtol=100 * np.finfo(dtype).eps)
    np.testing.assert_allclose(np.diagonal(T), tau, rtol=1e3 * np.finfo(dtype).eps)


@given(
    m=st.integers(1, 90) | st.integers(128, 200),
    data=st.data(),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(2, 10**6),
)
def test_any_rank_and_scale(m, data, dtype, seed):
    n = data.draw(st.integers(1, min(m, 90)))
    r = data.draw(st.integers(0, n))
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((2, m, r)) @ rng.standard_normal((2, r, n))
    B *= np.exp(data.draw(st.sampled_from([0, 3, 10])) * rng.standard_normal(n))
    A = (B[0] + (1j * B[1] if np.dtype(dtype).kind == "c" else 0)).astype(dtype, order="F")
    check(A, *factor(A))


@pytest.mark.parametrize("n", [5, 20, 70])
def test_columns_too_small_for_their_squares(dtype, normal, n):
    """Where x^2 underflows or loses digits the panel is LAPACK's."""
    tiny = 1e-22 if np.finfo(dtype).eps > 1e-10 else 1e-170
    for at in (0, n // 2, n - 1):
        A = normal(dtype, 3217, 190, n)
        A[:, at] *= tiny
        check(A, *factor(A))
    A = normal(dtype, 3221, 190, n) * np.asarray(tiny, dtype)
    check(A, *factor(np.asfortranarray(A)))


@pytest.mark.parametrize("n", [1, 8, 20, 70])
def test_zero_and_triangular_columns(dtype, normal, n):
    zero = np.zeros((180, n), dtype)
    W, T = factor(zero)
    assert not W.any()
    assert not np.triu(T).any()
    A = normal(dtype, 3229, 180, n)
    A[:, ::2] = 0
    check(A, *factor(A))
    upper = np.asfortranarray(np.triu(A))
    check(upper, *factor(upper))


def test_what_is_not_finite_ends(dtype, normal):
    for value in (np.nan, np.inf):
        A = normal(dtype, 3251, 190, 20)
        A[40, 11] = value
        W, _ = factor(A)
        assert not np.isfinite(W[:, 11:]).all()
        np.testing.assert_allclose(W[:, :8], factor(A[:, :8])[0], rtol=1e-3, atol=1e-3)


def test_same_bits_at_another_address(normal):
    A = normal("float64", 3253, 700, 96)
    first = factor(A)
    spoilt = np.empty(narrow.py_work_size(700, 96) + 3)
    W, T = A.copy(order="F"), np.zeros((96, 96), order="F")
    narrow.py_narrow_qr(W, T, spoilt[3:])
    np.testing.assert_array_equal(W, first[0])
    np.testing.assert_array_equal(np.triu(T), np.triu(first[1]))


def test_refuses():
    A, T, work = np.ones((9, 4), order="F"), np.ones((4, 4), order="F"), np.ones(999)
    for wrong in (
        (A[:3].copy(order="F"), T, work),
        (A, T[:3].copy(order="F"), work),
        (A, T[:, :3], work),
        (A, T, work[: narrow.py_work_size(9, 4) - 1]),
    ):
        with pytest.raises(ValueError, match="A must be tall"):
            narrow.py_narrow_qr(*wrong)
    narrow.py_narrow_qr(np.empty((3, 0), order="F"), np.empty((0, 0), order="F"), work)
