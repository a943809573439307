"""Least squares of matrices in files, against a plain read of the file."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastsub
from fastsub.bench import flops
from fastsub.bench.builders import Shape
from fastsub.bench.case import Case, Inputs, Peer, WrongAnswerError

Array = NDArray[Any]

# Bytes that a stream may take, and of a plain read.
MAX_MEMORY, BUFFER = 256_000_000, 8 << 20
# The most that a gradient may be, in eps times norm(A) norm(b): that of QR is about 10.
_GRADIENT = 300.0

TABLE: list[tuple[Shape, dict[str, Any]]] = [
    ((16, 4, 4), {}),
    ((200_000, 100, 100), {}),
    ((2_000_000, 100, 100), {"floor": 1 / 2.5, "main": True}),
    ((200_000, 100, 90), {}),
]


def _write(rng: np.random.Generator, m: int, n: int, r: int) -> Inputs:
    """Return the open .npy file of a matrix of rank r, warm, and a right-hand side."""
    file = tempfile.NamedTemporaryFile(suffix=".npy")  # noqa: SIM115  it lives as long as the case
    mix = rng.standard_normal((r, n)) / np.sqrt(r) if r < n else None
    header = {"descr": "<f8", "fortran_order": False, "shape": (m, n)}
    np.lib.format.write_array_header_1_0(file, header)
    for first in range(0, m, 50_000):
        rows = rng.standard_normal((min(50_000, m - first), r))
        file.write((rows if mix is None else rows @ mix).tobytes())
    file.flush()
    return file, rng.standard_normal(m)


def solve(file: Any, b: Array) -> Any:
    """Return what `fastsub.lstsq` says of the stream."""
    A = np.load(file.name, mmap_mode="r")
    return fastsub.lstsq(fastsub.stream(A, max_memory=MAX_MEMORY), b)


def read(file: Any, _: Array) -> int:
    """Read the file into one buffer, again and again, and return its size."""
    buffer, size = np.empty(BUFFER, np.uint8), 0
    with open(file.name, "rb", buffering=0) as raw:
        while count := raw.readinto(buffer):
            size += count
    return size


def check(inputs: Inputs, ours: Any, _: Any, *, rank: int) -> float:
    """Demand the rank and a small gradient; return it relative to norm(A) norm(b)."""
    file, b = inputs
    A, x = np.load(file.name, mmap_mode="r"), ours[0]
    if ours[2] != rank:
        raise WrongAnswerError(f"ours has rank {ours[2]}, the rank is {rank}")
    gradient, squares = np.zeros(A.shape[1]), 0.0
    for first in range(0, len(A), 50_000):
        rows = np.asarray(A[first : first + 50_000])
        gradient += rows.T @ (b[first : first + 50_000] - rows @ x)
        squares += float(np.vdot(rows, rows))
    relative = float(np.linalg.norm(gradient) / (np.sqrt(squares) * np.linalg.norm(b)))
    if not relative <= _GRADIENT * np.finfo(float).eps:
        raise WrongAnswerError(f"the gradient is {relative:.1e} norm(A) norm(b)")
    return relative


def stream_case(shape: Shape, *, floor: float | None = None, main: bool = False) -> Case:
    """Least squares of a memory-mapped file in 256 MB against a plain read of it."""
    m, n, r = shape
    return Case(
        "streams",
        "memory map",
        (m, n),
        r,
        "float64",
        lambda rng: _write(rng, m, n, r),
        ours=solve,
        peers={"plain read": Peer(read, floor)},
        flops=flops.lstsq(m, n, r),
        check=lambda inputs, ours, theirs: check(inputs, ours, theirs, rank=r),
        main=main,
    )
