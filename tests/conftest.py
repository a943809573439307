"""What several test files share: the four dtypes, random arrays, explicit reflectors."""

import _thread
import os
import signal
import threading
from contextlib import contextmanager

# The matrices are tiny: threads of the BLAS would only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import command
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


@pytest.fixture
def elimination(monkeypatch):
    """Let sparse matrices be eliminated however small they are."""
    monkeypatch.setattr("fastsub.factor.sparse.arrays.is_dense", lambda *_: False)


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


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, with A.npy, b.npy = A ones and c.npy outside the image."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    np.save("A.npy", command.A)
    np.save("b.npy", command.A @ np.ones(5))
    np.save("c.npy", np.arange(6.0) ** 3)
    return tmp_path


@pytest.fixture
def call(here, capsys):
    """Run the command in this process: ``call("report", ...)`` -> stdout."""
    from fastsub.cli import main

    def run(*arguments: str) -> str:
        assert main(arguments) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert "\x1b" not in out
        return out

    return run


@pytest.fixture
def refuse(here, capsys):
    """Run the command, see status 2, nothing on stdout and one line on stderr: return that."""
    from fastsub.cli import main

    def run(*arguments: str) -> str:
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fastsub: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert all(character.isprintable() for character in err[:-1])
        return err

    return run
