from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_work_size(m: int, n: int, nb: int) -> int: ...
def py_qr(A: NDArray[_Scalar], T: NDArray[_Scalar], work: NDArray[_Scalar]) -> None: ...
def py_block_t(
    A: NDArray[_Scalar],
    tau: NDArray[_Scalar],
    T: NDArray[_Scalar],
    work: NDArray[_Scalar],
    start: int = 0,
) -> None: ...
def py_apply(
    A: NDArray[_Scalar],
    T: NDArray[_Scalar],
    C: NDArray[_Scalar],
    work: NDArray[_Scalar],
    adjoint: bool = False,
    identity_from: int = -1,
) -> None: ...
def py_complement(
    A: NDArray[_Scalar],
    T: NDArray[_Scalar],
    full: NDArray[_Scalar],
    C: NDArray[_Scalar],
    start: int,
    work: NDArray[_Scalar],
) -> int: ...
