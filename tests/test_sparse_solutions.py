"""Least squares, all solutions and identifiability of sparse input, against the dense."""

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from test_sparse import MAKERS, banded, of_rank, random, tied

import fastsub
from fastsub.testing import check_orthonormal, check_same_subspace

pytestmark = pytest.mark.usefixtures("elimination")

# The others have singular values at every cutoff.
GRADED = ("graded", "diagonal", "of_blocks", "kahan")
CLEAN = [make for make in MAKERS if make.__name__ not in GRADED]


@pytest.mark.parametrize("make", CLEAN, ids=lambda make: make.__name__)
@pytest.mark.parametrize("shape", [(30, 30), (24, 51), (60, 33)])
def test_least_squares_of_minimum_norm(make, shape, dtype):
    rng = np.random.default_rng(4001)
    A = make(rng, *shape, 0.1, dtype)
    b = random(rng, shape[0], 3, 1.0, dtype)
    wide = A.astype(np.result_type(dtype, float))
    cond = 1e3 * np.finfo(dtype).eps
    _, sigma, _, rank = reference.svd(wide, cond)
    (x, residues, got, s), certificate = fastsub.lstsq(sp.csc_array(A), b, cond, full_output=True)
    assert (got, s) == (rank, None)
    assert (x.shape, x.dtype) == ((shape[1], 3), dtype)
    want, _ = reference.lstsq(wide, b, cond)
    kappa = sigma[0] / sigma[rank - 1]
    r = np.linalg.norm(wide @ want - b)
    error = kappa * (np.linalg.norm(want) + kappa * r / sigma[0])
    # What is below the cutoff is not in x, but it is in A.
    noise = np.finfo(dtype).eps + certificate.sigma_next_upper / sigma[0]
    assert np.linalg.norm(x - want) <= 30 * noise * error
    tail = certificate.sigma_next_upper * kappa / sigma[0]
    assert certificate.backward_error <= 10 * np.finfo(float).eps + 10 * tail
    if shape[0] > shape[1] == rank:
        squares = np.linalg.norm(wide @ want - b, axis=0) ** 2
        np.testing.assert_allclose(residues, squares, rtol=1e3 * np.finfo(dtype).eps)
    else:
        assert residues.size == 0


def test_a_vector_and_a_complex_right_hand_side():
    rng = np.random.default_rng(17)
    A = random(rng, 50, 20, 0.2, np.dtype(float))
    b = rng.standard_normal(50) + 1j * rng.standard_normal(50)
    x, residue, rank, _ = fastsub.lstsq(sp.csr_matrix(A), b)
    y, other, _, _ = fastsub.lstsq(A, b)
    np.testing.assert_allclose(x, y, rtol=1e-11)
    assert residue == pytest.approx(other, rel=1e-12)
    assert rank == 20


@pytest.mark.parametrize("exponent", [-300, 300])
def test_scaled_least_squares(exponent):
    rng = np.random.default_rng(18)
    A, b = of_rank(rng, 30, 30, 0.2, np.dtype(float)), rng.standard_normal(30)
    x = fastsub.lstsq(sp.csr_array(A), b)[0]
    y = fastsub.lstsq(sp.csr_array(A * 2.0**exponent), b)[0]
    z = fastsub.lstsq(sp.csr_array(A), b * 2.0**exponent)[0]
    np.testing.assert_allclose(y * 2.0**exponent, x, rtol=1e-9)
    np.testing.assert_allclose(z * 2.0**-exponent, x, rtol=1e-9)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 5)])
def test_nothing_to_solve(shape):
    x, residues, rank, _ = fastsub.lstsq(sp.csr_array(shape), np.ones(shape[0]))
    np.testing.assert_array_equal(x, np.zeros(shape[1]))
    assert rank == 0
    assert np.size(residues) == (shape[1] == 0)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"b must have shape \(3,\) or \(3, k\)"):
        fastsub.lstsq(sp.eye_array(3), np.ones(4))
    with pytest.raises(ValueError, match="b must be finite"):
        fastsub.lstsq(sp.eye_array(3), [1, np.nan, 2])


@pytest.mark.parametrize("make", [random, of_rank, banded, tied])
@pytest.mark.parametrize("shape", [(24, 51), (60, 33)])
def test_four_subspaces(make, shape, dtype):
    rng = np.random.default_rng(911)
    A = make(rng, *shape, 0.12, dtype)
    sparse, dense = fastsub.fundamental_subspaces(sp.coo_array(A)), fastsub.fundamental_subspaces(A)
    assert (sparse.rank, sparse.nullity) == (dense.rank, dense.nullity)
    assert sparse.is_injective == dense.is_injective
    for ours, theirs in zip(sparse, dense, strict=True):
        assert ours.dim == theirs.dim
        check_orthonormal(ours.basis)
        assert np.max(ours.angles(theirs), initial=0) < 1e6 * np.finfo(dtype).eps
    x = rng.standard_normal(shape[1]).astype(dtype)
    fibre = sparse.fibre(x)
    assert x in fibre
    with pytest.raises(TypeError, match="pseudoinverse of a sparse matrix is dense"):
        sparse.pseudoinverse()


@pytest.mark.parametrize("make", [random, of_rank, banded, tied])
def test_all_solutions(make, dtype):
    rng = np.random.default_rng(67)
    A = make(rng, 30, 44, 0.15, dtype)
    S = sp.csr_array(A)
    x = rng.standard_normal((44, 2)).astype(dtype)
    found = fastsub.solutions(S, A @ x)
    assert set(found.kind) == {"infinite"}
    assert x in found
    assert found.sample() in found
    rank = fastsub.matrix_rank(S)
    assert found.directions.dim == 44 - rank
    assert np.count_nonzero(found.basic()[:, 0]) <= rank
    if rank < 30:
        assert fastsub.solutions(S, rng.standard_normal(30)).kind == "none"
    tall = fastsub.solutions(sp.csr_array(np.eye(5, 3)), [1, 2, 3, 0, 0])
    assert tall.kind == "unique"


@pytest.mark.parametrize("m", [40, 900])
def test_identifiability_is_that_of_the_dense(m):
    rng = np.random.default_rng(71)
    A = random(rng, m, 12, 0.2, np.dtype(float))
    A[:, 7] = 2 * A[:, 1] - A[:, 3]
    sparse, dense = fastsub.identifiability(sp.csr_array(A)), fastsub.identifiability(A)
    assert sparse.drop == dense.drop == ["x7"]
    assert [str(r) for r in sparse.relations] == [str(r) for r in dense.relations]
    np.testing.assert_array_equal(sparse.identified, dense.identified)
    np.testing.assert_allclose(sparse.vif, dense.vif, rtol=1e-9)
    check_same_subspace(sparse.flat_directions.basis, dense.flat_directions.basis, atol=1e-13)
    assert sparse.certificate.decided_by == "bounds"
    assert sparse.certificate.tol == pytest.approx(dense.certificate.tol, rel=1e-3)
    with pytest.raises(TypeError, match=r"X\.toarray"):
        fastsub.identifiability(sp.csr_array(A), intercept=True)
