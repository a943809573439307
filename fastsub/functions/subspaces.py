"""The four subspaces of a matrix, each as an orthonormal basis."""

from __future__ import annotations

from typing import Any

from fastsub.factor.choose import SMALL_ENTRIES, SMALL_SIDE
from fastsub.functions.bases import COLUMN_SPACE, LEFT_NULL_SPACE, NULL_SPACE, ROW_SPACE, basis
from fastsub.functions.sources import elsewhere, sparse_options
from fastsub.kernels.direct import py_basis


def null_space(
    A: Any,
    rcond: float | None = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
    rng: Any = None,
    full_output: bool = False,
    ragged: bool = False,
    padded: bool = False,
    sparse: bool = False,
    engine: str | None = None,
) -> Any:
    """Return an orthonormal basis of the null space: all x with A x = 0.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. Integers
        are taken as float64.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count. The default is
        ``eps * max(m, n)``, eps that of the working dtype.
    overwrite_a : bool, default False
        Let the memory of A be used where its layout allows (C order if n >= 2 m, else Fortran
        order); A is destroyed.
    check_finite : bool, default True
        Raise on NaN and infinity. Without the check they give meaningless results, not crashes.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD of the small factor, where bounds cannot decide.
    rng : seed or Generator, optional
        For the randomised paths; it never changes whether an answer is right.
    full_output : bool, default False
        Return ``(N, certificate)``.
    ragged : bool, default False
        For a stack: return a list of bases in C order, whose widths may differ.
    padded : bool, default False
        For a stack: return ``(N, ranks)``, zero columns where a basis is narrower than the widest.
    sparse : bool, default False
        Of a sparse A: return a sparse basis Z (`scipy.sparse.csc_array`). It is not orthonormal;
        ``norm(A @ Z)`` is small beside ``norm(A) * norm(Z)``, and no combination of its columns is
        shorter than its coefficients: ``norm(Z @ c) >= norm(c)``.
    engine : {"markowitz", "suitesparse"}, optional
        Of a sparse A: what factors it. The second needs the package ``sparseqr``.

    Returns
    -------
    N : ndarray, shape (..., n, n - rank)
        Orthonormal columns.
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError
        NaN or infinity in A, a negative or NaN `rcond`, not a matrix, a stack of unequal ranks.
    TypeError
        Strings, masked entries, dask arrays; ``sparse=True`` with a dense A.
    MemoryError
        If the basis cannot fit; the message says its size.

    See Also
    --------
    scipy.linalg.null_space : the same by a full SVD.
    row_space : the orthogonal complement.

    Notes
    -----
    Cost: 2 m n^2 - 2 n^3 / 3 flops for m >= n, less where the rank is low or m >= 4 n (then A is
    read twice, by a sketch and to verify); no m x m matrix is made. The rank is the SVD's: see
    `Certificate`.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.

    Examples
    --------
    x1 + 2 x2 = 0 describes everything that this matrix destroys:

    >>> import numpy as np
    >>> import fastsub
    >>> A = np.array([[1, 2], [3, 6], [4, 8]])
    >>> N = fastsub.null_space(A)
    >>> np.round(N / N[1], 12)
    array([[-2.],
           [ 1.]])
    """
    if not (full_output or sparse or engine) and lapack_driver == "gesdd":
        compiled = py_basis(A, rcond, True, True, SMALL_ENTRIES, SMALL_SIDE)
        if compiled is not None:
            return compiled
    options = sparse_options(A, sparse=sparse, engine=engine)
    if (answer := elsewhere(A, null_space)) is not None:
        return answer(A, rcond, rng=rng, full_output=full_output, **options)
    return basis(
        A,
        rcond,
        NULL_SPACE,
        check_finite,
        overwrite_a=overwrite_a,
        lapack_driver=lapack_driver,
        rng=rng,
        full_output=full_output,
        ragged=ragged,
        padded=padded,
    )


def orth(
    A: Any,
    rcond: float | None = None,
    *,
    check_finite: bool = True,
    rng: Any = None,
    full_output: bool = False,
    ragged: bool = False,
    padded: bool = False,
    out: Any = None,
) -> Any:
    """Return an orthonormal basis of the column space: all A x.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. Integers
        are taken as float64.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.
    check_finite, rng, full_output, ragged, padded
        As for `null_space`.
    out : array of shape (m, rank), or path of a .npy file to be made, optional
        Of a `stream`: where the basis goes, which may be larger than memory.

    Returns
    -------
    Q : ndarray, shape (..., m, rank)
        Orthonormal columns. The identity where the rank is m: the column space is everything.
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `null_space`.

    See Also
    --------
    scipy.linalg.orth : the same by an SVD.
    left_null_space : the orthogonal complement.

    Notes
    -----
    Cost: at most 4 m n^2 flops for m >= n. Called `column_space` too.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.

    Examples
    --------
    >>> import fastsub
    >>> Q = fastsub.orth([[1, 2], [3, 6], [4, 8]])
    >>> Q.shape
    (3, 1)
    """
    if not full_output and out is None:
        compiled = py_basis(A, rcond, False, False, SMALL_ENTRIES, SMALL_SIDE)
        if compiled is not None:
            return compiled
    if (answer := elsewhere(A, orth)) is not None:
        into = {} if out is None else {"out": out}
        return answer(A, rcond, rng=rng, full_output=full_output, **into)
    if out is not None:
        raise TypeError("out is for streams: of an array the basis is returned")
    return basis(
        A,
        rcond,
        COLUMN_SPACE,
        check_finite,
        rng=rng,
        full_output=full_output,
        ragged=ragged,
        padded=padded,
    )


column_space = orth


def row_space(
    A: Any,
    rcond: float | None = None,
    *,
    check_finite: bool = True,
    rng: Any = None,
    full_output: bool = False,
    ragged: bool = False,
    padded: bool = False,
) -> Any:
    """Return an orthonormal basis of the row space: the column space of A^H.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. Integers
        are taken as float64.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.
    check_finite, rng, full_output, ragged, padded
        As for `null_space`.

    Returns
    -------
    V : ndarray, shape (..., n, rank)
        Orthonormal columns.
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `null_space`.

    See Also
    --------
    null_space : the orthogonal complement.

    Notes
    -----
    Cost: as `null_space`.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.

    Examples
    --------
    >>> import fastsub
    >>> V = fastsub.row_space([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    >>> V.shape
    (3, 2)
    """
    if not full_output:
        compiled = py_basis(A, rcond, True, False, SMALL_ENTRIES, SMALL_SIDE)
        if compiled is not None:
            return compiled
    if (answer := elsewhere(A, row_space)) is not None:
        return answer(A, rcond, rng=rng, full_output=full_output)
    return basis(
        A,
        rcond,
        ROW_SPACE,
        check_finite,
        rng=rng,
        full_output=full_output,
        ragged=ragged,
        padded=padded,
    )


def left_null_space(
    A: Any,
    rcond: float | None = None,
    *,
    check_finite: bool = True,
    rng: Any = None,
    full_output: bool = False,
    ragged: bool = False,
    padded: bool = False,
) -> Any:
    """Return an orthonormal basis of the left null space: all y with A^H y = 0.

    Parameters
    ----------
    A : array_like, shape (..., m, n)
        Real or complex matrix, or a stack of them; or a `scipy.sparse` array or matrix. Integers
        are taken as float64.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.
    check_finite, rng, full_output, ragged, padded
        As for `null_space`.

    Returns
    -------
    U : ndarray, shape (..., m, m - rank)
        Orthonormal columns: the conserved quantities of a reaction network, the cycles that make
        equations redundant. For m much larger than n this is a huge dense array; `orth` holds the
        same information in m x rank numbers.
    certificate : Certificate
        Only with `full_output`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `null_space`.

    See Also
    --------
    orth : the orthogonal complement.

    Notes
    -----
    Cost: as `null_space`, plus 4 m (m - rank) rank flops to form the basis.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.

    Examples
    --------
    >>> import fastsub
    >>> fastsub.left_null_space([[1, 2], [3, 6], [4, 8]]).shape
    (3, 2)
    """
    if not full_output:
        compiled = py_basis(A, rcond, False, True, SMALL_ENTRIES, SMALL_SIDE)
        if compiled is not None:
            return compiled
    if (answer := elsewhere(A, left_null_space)) is not None:
        return answer(A, rcond, rng=rng, full_output=full_output)
    return basis(
        A,
        rcond,
        LEFT_NULL_SPACE,
        check_finite,
        rng=rng,
        full_output=full_output,
        ragged=ragged,
        padded=padded,
    )
