"""No needless memory: NumPy reports its buffers to tracemalloc, and what is beyond them counts."""

import gc
import tracemalloc

import numpy as np
import pytest
import scipy.linalg

import fastsub

MB = 1_000_000


def peak_beyond_output(function, A, **options):
    """Peak of traced memory during a call, less what it returned; the input is not traced."""
    function(A[:70, :60].copy(), **options)  # what is loaded once, on the first call
    gc.collect()
    tracemalloc.start()
    try:
        output = function(A, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    parts = output if isinstance(output, tuple) else (output,)
    return peak - sum(part.nbytes for part in parts if isinstance(part, np.ndarray))


def product(m, n, r, order):
    rng = np.random.default_rng(1019)
    return np.array(rng.standard_normal((m, r)) @ rng.standard_normal((r, n)), order=order)


@pytest.mark.parametrize(("order", "r"), [("C", 150), ("F", 200)])
def test_tall(order, r):
    """One working copy, and the blocks of a QR."""
    A = product(10_000, 200, r, order)
    for function in (fastsub.null_space, fastsub.row_space, fastsub.matrix_rank, fastsub.orth):
        peak = peak_beyond_output(function, A)
        assert peak <= 1.7 * A.nbytes + MB, f"{function.__name__}: {peak / A.nbytes:.2f} x input"


@pytest.mark.parametrize("order", ["C", "F"])
def test_wide(order):
    A = product(200, 10_000, 150, order)
    for function in (fastsub.left_null_space, fastsub.orth, fastsub.row_space):
        peak = peak_beyond_output(function, A)
        assert peak <= 1.7 * A.nbytes + MB, f"{function.__name__}: {peak / A.nbytes:.2f} x input"


@pytest.mark.parametrize(("order", "r"), [("C", 700), ("F", 700), ("C", 800)])
def test_square(order, r):
    A = product(800, 800, r, order)
    for name in ("null_space", "left_null_space", "orth", "row_space", "matrix_rank"):
        peak = peak_beyond_output(getattr(fastsub, name), A)
        assert peak <= 4 * A.nbytes + MB, f"{name}: {peak / A.nbytes:.2f} x input"


@pytest.mark.parametrize("order", ["C", "F"])
def test_never_above_scipys(order):
    for m, n in ((450, 450), (700, 250), (250, 700)):
        A = product(m, n, 200, order)
        for name in ("null_space", "orth"):
            ours, peer = (
                peak_beyond_output(getattr(module, name), A) for module in (fastsub, scipy.linalg)
            )
            assert ours <= peer + MB, f"{name} {m}x{n}: {ours / MB:.1f} MB, SciPy {peer / MB:.1f}"


def test_overwriting_saves_the_working_copy():
    A = product(10_000, 200, 150, "F")
    peak = peak_beyond_output(fastsub.null_space, A, overwrite_a=True)
    assert peak <= 0.5 * A.nbytes


def test_no_square_of_the_long_side():
    """SciPy takes a 20000 x 20000 U, 3.2 GB, for the same answer."""
    A = product(20_000, 500, 450, "C")
    N = fastsub.null_space(A[:200, :100])
    assert N.shape == (100, 0)
    peak = peak_beyond_output(fastsub.null_space, A)
    assert peak <= 1.4 * A.nbytes + MB
    assert peak < 1e9
