"""Peak resident memory of calls beyond their input and output, as JSON; run as a script.

tracemalloc sees what NumPy allocates, not what C does: NumPy's own singular value decompositions,
for one. The system sees everything. It needs a process of its own, whose environment tells the
allocator to return what is freed (``MALLOC_MMAP_THRESHOLD_``). Linux only.
"""

import gc
import json
from pathlib import Path

import numpy as np
import scipy.linalg

import fastsub

SHAPES = ((800, 800), (2000, 500), (20_000, 200), (500, 2000))
FUNCTIONS = ("null_space", "orth", "matrix_rank")
PEERS = {"null_space": scipy.linalg.null_space, "orth": scipy.linalg.orth}
PEERS["matrix_rank"] = np.linalg.matrix_rank


def product(m, n, r, order):
    """Return an (m, n) matrix of rank r, proved by bounds."""
    rng = np.random.default_rng(1019)
    return np.array(rng.standard_normal((m, r)) @ rng.standard_normal((r, n)), order=order)


def _status(name):
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {name}")


def resident_peak(call, A):
    """Return the bytes by which a call raised the peak, less its output."""
    call(A)  # what is loaded once, and the buffers that a BLAS keeps
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    before = _status("VmRSS")
    answer = call(A)
    return _status("VmHWM") - before - getattr(answer, "nbytes", 0)


def main():
    """Measure ours in both orders, the peers in one."""
    peaks = {}
    for m, n in SHAPES:
        for order in ("C", "F"):
            A = product(m, n, min(m, n) * 9 // 10, order)
            for name in FUNCTIONS:
                peaks[f"{name} {m}x{n} {order}"] = resident_peak(getattr(fastsub, name), A)
                # SciPy's null_space takes an (m, m) U: 3.2 GB at 20000 rows.
                if order == "C" and (name != "null_space" or m <= 2000):
                    peaks[f"peer {name} {m}x{n}"] = resident_peak(PEERS[name], A)
    print(json.dumps(peaks))


if __name__ == "__main__":
    main()
