"""The norm of A - Q R, for A of any layout, one panel or many, against NumPy's."""

import numpy as np
import pytest

from fastsub.kernels import residual

LAYOUTS = {
    "C": lambda A: np.array(A, order="C"),
    "F": lambda A: np.array(A, order="F"),
    "every other": lambda A: np.repeat(np.repeat(A, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda A: A[::-1, ::-1].copy()[::-1, ::-1],
    "rows": lambda A: np.repeat(A, 2, axis=0)[::2],
}


def norm(A, Q, R):
    return residual.py_residual_norm(A, Q, R, np.empty(residual.py_work_size(A), A.dtype))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("m", "n"), [(1, 1), (7, 5), (5, 7), (60, 41), (2, 70), (70, 2)])
def test_is_numpys(dtype, normal, layout, m, n):
    A = normal(dtype, 3001, m, n, order="C")
    for k in (1, 3):
        Q, R = normal(dtype, 3011, m, k), normal(dtype, 3019, k, n)
        expected = np.linalg.norm(A - Q @ R)
        got = norm(LAYOUTS[layout](A), Q, R)
        np.testing.assert_allclose(got, expected, rtol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("order", ["C", "F"])
def test_many_panels(normal, order):
    m, n = (9000, 40) if order == "F" else (40, 9000)
    A = np.array(normal("float64", 3023, m, n), order=order)
    assert residual.py_work_size(A) < A.size
    Q, R = normal("float64", 3037, m, 2), normal("float64", 3041, 2, n)
    np.testing.assert_allclose(norm(A, Q, R), np.linalg.norm(A - Q @ R), rtol=1e-13)


def test_of_a_product_it_is_rounding(normal):
    Q, R = normal("float64", 3049, 200, 3), normal("float64", 3061, 3, 90)
    assert norm(Q @ R, Q, R) <= 1e-14 * np.linalg.norm(Q @ R)


def test_empty_and_wrong_shapes(normal):
    Q, R, work = normal("float64", 3067, 4, 2), normal("float64", 3079, 2, 3), np.empty(999)
    assert residual.py_residual_norm(np.ones((0, 3)), np.ones((0, 2), order="F"), R, work) == 0
    for shape in ((4, 4), (5, 3)):
        with pytest.raises(ValueError, match="Q must be m x k"):
            residual.py_residual_norm(np.ones(shape), Q, R, work)
    with pytest.raises(ValueError, match="work its size"):
        residual.py_residual_norm(np.ones((4, 3)), Q, R, work[:3])
