"""What several test files share: the four dtypes, random arrays, explicit reflectors."""

import _thread
import os
import signal
import threading
from contextlib import contextmanager

# The matrices are tiny: threads of the BLAS would only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
import reference
from hypothesis import settings

# A busy machine is no reason to fail.
settings.register_profile("fastsub", deadline=None)
settings.load_profile("fastsub")


@pytest.fixture(params=["float32", "float64", "complex64", "complex128"])
def dtype(request):
    """Each of the four dtypes in turn."""
    return np.dtype(request.param)


@pytest.fixture(scope="session")
def normal():
    """Return normal(dtype, seed, *shape): standard normal entries, Fortran-ordered.

    With order="C" it is the transpose of a C-ordered array, which is Fortran-ordered too.
    """

    def normal(dtype, seed, *shape, order="F"):
        rng = np.random.default_rng(seed)
        entries = rng.standard_normal(shape)
        if np.dtype(dtype).kind == "c":
            entries = entries + 1j * rng.standard_normal(shape)
        if order == "F":
            return np.array(entries, dtype, order="F")
        return np.array(entries.T, dtype, order="C").T

    return normal


@pytest.fixture(scope="session")
def explicit_q():
    """Return explicit_q(V, tau): the (m, m) product of the reflectors below V's diagonal."""

    def explicit_q(V, tau):
        m, k = V.shape[0], len(tau)
        # Extended precision: what is not orthogonal then is the fault of V and tau.
        wide = np.result_type(V, np.longdouble)
        V = np.tril(V[:, :k], -1).astype(wide) + np.eye(m, k)
        Q = np.eye(m) - V @ reference.compact_wy(V, tau.astype(wide)) @ V.conj().T
        return Q.astype(tau.dtype)

    return explicit_q


@pytest.fixture(scope="session")
def interrupt():
    """Return interrupt(seconds): a context that presses Ctrl-C after so long, if it still runs."""

    @contextmanager
    def interrupt(seconds):
        timer = threading.Timer(seconds, _thread.interrupt_main)
        # A shell starts jobs in the background with the signal ignored.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            signal.signal(signal.SIGINT, handler)

    return interrupt
