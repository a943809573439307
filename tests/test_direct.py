"""The compiled calls: what they answer, what they leave to others, and that all paths agree."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.factor.choose import SMALL_ENTRIES, SMALL_SIDE
from fastsub.kernels.direct import py_basis, py_decide, py_rank

LIMITS = (SMALL_ENTRIES, SMALL_SIDE)
FOUR = {
    "null_space": (True, True),
    "row_space": (True, False),
    "orth": (False, False),
    "left_null_space": (False, True),
}
EMPTY = np.zeros((0, 3))
ELSEWHERE = {
    "list": [[1.0, 2.0], [3.0, 4.0]],
    "number": 3.0,
    "vector": np.ones(4),
    "stack": np.ones((2, 3, 3)),
    "integers": np.eye(3, dtype=int),
    "half": np.eye(3, dtype=np.float16),
    "long double": np.eye(3, dtype=np.longdouble),
    "byte-swapped": np.eye(3).astype(np.dtype("f8").newbyteorder()),
    "masked": np.ma.masked_array(np.eye(3), mask=False),
    "matrix": np.eye(3).view(np.recarray),
    "empty": EMPTY,
    "transposed": EMPTY.T,
    "NaN": np.full((3, 2), np.nan),
    "infinity": np.diag([1.0, np.inf]),
    "large": np.ones((SMALL_ENTRIES // 40, 41)),
    "part of a record": np.zeros(4, [("flag", "i1"), ("x", "f8", 3)])["x"],
}


@pytest.mark.parametrize("given", ELSEWHERE.values(), ids=ELSEWHERE)
def test_leaves_to_validation(given):
    assert py_rank(given, None, None, SMALL_ENTRIES) is None
    for space in FOUR.values():
        assert py_basis(given, None, *space, *LIMITS) is None


def test_leaves_long_complements_to_blocks():
    A = np.ones((SMALL_SIDE + 1, 1))
    assert py_basis(A, None, False, True, *LIMITS) is None
    assert py_basis(A.T, None, True, True, *LIMITS) is None
    assert py_basis(A, None, True, True, *LIMITS).shape == (1, 0)
    assert py_rank(A, None, None, SMALL_ENTRIES) == 1


@pytest.mark.parametrize("value", [-1.0, np.nan, 1, "x", np.float32(0.1), np.array(0.1)])
def test_leaves_tolerances_to_validation(value):
    A = np.eye(3)
    assert py_basis(A, value, True, True, *LIMITS) is None
    assert py_rank(A, value, None, SMALL_ENTRIES) is None
    assert py_rank(A, None, value, SMALL_ENTRIES) is None
    assert py_rank(A, 0.5, 0.5, SMALL_ENTRIES) is None


@pytest.mark.parametrize("bad", [np.zeros(3), EMPTY, np.eye(2, dtype=int)])
def test_certificates_are_for_valid_arrays(bad):
    with pytest.raises(ValueError, match="matrix of one of the four dtypes"):
        py_decide(bad, True, True, True, 1e-12, 0.0, True)


@pytest.mark.parametrize("shape", [(1, 1), (6, 4), (4, 6), (17, 17), (40, 9), (70, 66)])
def test_every_form_of_a_matrix_has_one_answer(dtype, shape):
    """C or Fortran order, strided, reversed, read-only, a list, with and without a certificate."""
    for r in (0, 1, min(shape) // 2, min(shape)):
        A = ft.with_singular_values(np.geomspace(1, 0.1, r), *shape, 911 + r, dtype)
        forms = [
            np.ascontiguousarray(A),
            np.asfortranarray(A),
            np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
            np.ascontiguousarray(A[::-1, ::-1])[::-1, ::-1],
        ]
        forms[0].flags.writeable = False
        if dtype in (np.float64, np.complex128):
            forms.append(A.tolist())
        for name in FOUR:
            function = getattr(fastsub, name)
            bases = [function(form) for form in forms]
            bases += [function(form, full_output=True)[0] for form in forms]
            for basis in bases:
                assert (basis.dtype, basis.shape) == (dtype, bases[0].shape)
                # The order in memory may change the order of sums, so the path.
                ft.check_same_subspace(basis, bases[0], atol=1e3 * float(np.finfo(dtype).eps))
            np.testing.assert_array_equal(bases[0], bases[len(forms)])
        assert {fastsub.matrix_rank(form) for form in forms} == {r}
        np.testing.assert_array_equal(forms[0], A)


def undecidable(n, dtype, seed, r):
    """The r-th singular value at 1.05 times the cutoff, those after it at a third of it."""
    tol = n * float(np.finfo(dtype).eps)
    sigma = np.concatenate([np.geomspace(1, 0.01, r - 1), [1.05 * tol], np.full(n - r, tol / 3)])
    return ft.with_singular_values(sigma, n, n, seed, dtype)


@pytest.mark.parametrize("n", [4, 16, 33, 80, 150])
def test_the_undecided_goes_to_the_svd_once(dtype, n):
    A = undecidable(n, dtype, 919, n - 2)
    for name in FOUR:
        basis, certificate = getattr(fastsub, name)(A, full_output=True)
        assert (certificate.decided_by, certificate.method) == ("svd", "svd")
        assert certificate.rank in (n - 3, n - 2, n - 1)
        np.testing.assert_array_equal(basis, getattr(fastsub, name)(A))
        ft.check_certificate(A, certificate)
        ft.check_orthonormal(basis, peer=scipy.linalg.svd(A)[0])
    N = fastsub.null_space(A)
    peer = scipy.linalg.null_space(A)
    if peer.shape == N.shape:
        ft.check_annihilates(A, N, peer=peer)
    rank, certificate = fastsub.matrix_rank(A, full_output=True)
    assert fastsub.matrix_rank(A) == rank == certificate.rank
    assert abs(rank - np.linalg.matrix_rank(A)) <= 1


@pytest.mark.parametrize("shape", [(60, 7), (7, 60), (30, 20), (20, 30)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_svd_of_rectangles(dtype, shape, order):
    """No gap at 0.3: every side and both halves by singular vectors."""
    sigma = np.linspace(1, 0.01, min(shape))
    A = np.array(ft.with_singular_values(sigma, *shape, 929, dtype), order=order)
    rank = int(np.count_nonzero(sigma > 0.3))
    bases = {name: getattr(fastsub, name)(A, 0.3, full_output=True) for name in FOUR}
    for name, (basis, certificate) in bases.items():
        assert (certificate.rank, certificate.decided_by) == (rank, "svd")
        ft.check_certificate(A, certificate, rtol=0.3)
        row_side, complement = FOUR[name]
        V = scipy.linalg.svd(A if row_side else A.conj().T)[2].conj().T
        trusted = V[:, rank:] if complement else V[:, :rank]
        eps = float(np.finfo(dtype).eps)
        ft.check_same_subspace(basis, trusted, atol=1e3 * eps)
        ft.check_orthonormal(basis, peer=trusted)


@pytest.mark.parametrize("gap", [1e-3, 1e-6])
def test_bounds_prove_a_rank_whose_basis_needs_singular_vectors(gap):
    sigma = np.full(24, gap)
    sigma[:9] = 1
    A = ft.with_singular_values(sigma, 30, 24, 937)
    for name, (row_side, complement) in FOUR.items():
        basis, certificate = getattr(fastsub, name)(A, 0.03, full_output=True)
        assert (certificate.rank, certificate.decided_by) == (9, "bounds")
        assert certificate.method == "small qrcp+svd"
        ft.check_certificate(A, certificate, rtol=0.03)
        B = A if row_side else A.conj().T
        V = scipy.linalg.svd(B)[2].conj().T
        ft.check_same_subspace(basis, V[:, 9:] if complement else V[:, :9], atol=1e-11)
        np.testing.assert_array_equal(basis, getattr(fastsub, name)(A, 0.03))


@settings(max_examples=300)
@given(
    m=st.integers(1, 32),
    n=st.integers(1, 32),
    seed=st.integers(2, 10**6),
    dtype=st.sampled_from("fdFD"),
    decay=st.sampled_from([0.0, 0.5, 2.0, 8.0, 17.0]),
    data=st.data(),
)
def test_no_certificate_is_false(m, n, seed, dtype, decay, data):
    """Any spectrum, repeated and tiny columns, any cutoff: every claim holds."""
    k = min(m, n)
    A = ft.with_singular_values(np.logspace(0, -decay, k), m, n, seed, dtype)
    if data.draw(st.booleans(), label="repeat"):
        A[:, -1] = A[:, 0]
    A[:, :: data.draw(st.integers(1, 5), label="every")] *= data.draw(
        st.sampled_from([1.0, 1e-4, 1e-9]), label="shrunk"
    )
    rtol = data.draw(st.sampled_from([None, 1e-10, 1e-5, 1e-3, 0.1, 0.7]), label="rtol")
    if rtol is not None:
        # Below rounding not even the singular values are known.
        rtol = max(rtol, max(m, n) * float(np.finfo(dtype).eps))
    rank, certificate = fastsub.matrix_rank(A, rtol=rtol, full_output=True)
    _, other = fastsub.null_space(A, rtol, full_output=True)
    _, third = fastsub.orth(A, rtol, full_output=True)
    for each in (certificate, other, third):
        if max(m, n) > 12:  # multiple precision takes its time
            ft.check_certificate(A, each, rtol=rtol)
    assert fastsub.matrix_rank(A, rtol=rtol) == rank
    assert fastsub.null_space(A, rtol).shape == (n, n - other.rank)
