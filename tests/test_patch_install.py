"""Putting replacements in place and away: nested, in threads, under and over other people's."""

import logging
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

import fastsub
from fastsub.patch import calls, patch_map, patch_scipy, patched, reset_calls, unpatch_scipy

A = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])


def current():
    homes = {"scipy": scipy.linalg, "numpy": np.linalg}
    return {
        name: getattr(homes[name.partition(".")[0]], name.rpartition(".")[2])
        for name in patch_map()
    }


@pytest.fixture(autouse=True)
def _put_back():
    before = current()
    reset_calls()
    yield
    assert current() == before
    assert not any(entry.active for entry in patch_map().values())


def test_all_and_only_the_named_functions_are_replaced():
    before, others = current(), {**vars(scipy.linalg)}
    with patched():
        assert not set(before.values()) & set(current().values())
        names = {name.rpartition(".")[2] for name in before if name.startswith("scipy")}
        changed = {n for n, f in vars(scipy.linalg).items() if f is not others[n]}
        assert changed == names
        assert all(entry.active and not entry.covered for entry in patch_map().values())
    assert len(before) == 9


def test_nested_and_explicit():
    original = scipy.linalg.orth
    with patched(), patched():
        pass
    assert scipy.linalg.orth is original
    patch_scipy()
    patch_scipy()
    with patched():
        unpatch_scipy()
        assert scipy.linalg.orth is not original
        patch_scipy()
    assert scipy.linalg.orth is not original
    unpatch_scipy()
    assert scipy.linalg.orth is original
    unpatch_scipy()
    with pytest.raises(ZeroDivisionError), patched():
        raise ZeroDivisionError


def test_as_decorator_and_by_the_package():
    @fastsub.patched()
    def rank():
        return np.linalg.matrix_rank(A)

    assert rank() == rank() == 1
    assert calls()["numpy.linalg.matrix_rank"].served == 2
    fastsub.patch_scipy()
    fastsub.unpatch_scipy()
    with pytest.raises(AttributeError, match="no attribute 'patch_numpy'"):
        fastsub.patch_numpy()


def test_what_somebody_kept_passes_everything_on():
    with patched():
        kept = scipy.linalg.null_space
    kept(A)
    assert not calls()


def test_somebody_else_patches_over():
    original = scipy.linalg.pinv
    patch_scipy()
    inner = scipy.linalg.pinv

    def theirs(*args, **kwargs):
        return inner(*args, **kwargs) + 0

    scipy.linalg.pinv = theirs
    try:
        assert patch_map()["scipy.linalg.pinv"].covered
        scipy.linalg.pinv(A)
        assert calls()["scipy.linalg.pinv"].served == 1
        unpatch_scipy()
        assert scipy.linalg.pinv is theirs
        scipy.linalg.pinv(A)
        assert calls()["scipy.linalg.pinv"].total == 1
        with patched():  # over theirs, which calls a replacement that is asleep
            scipy.linalg.pinv(A)
        assert scipy.linalg.pinv is theirs
        assert calls()["scipy.linalg.pinv"].total == 2
    finally:
        unpatch_scipy()
        scipy.linalg.pinv = original


def test_the_default_driver_is_seen_by_both():
    original = scipy.linalg.lstsq
    try:
        with patched():
            assert scipy.linalg.lstsq.default_lapack_driver == "gelsd"
            scipy.linalg.lstsq.default_lapack_driver = "gelsy"
            assert scipy.linalg.lstsq(A, [1.0, 2.0])[3] is None
        assert original(A, [1.0, 2.0])[3] is None
    finally:
        original.default_lapack_driver = "gelsd"


def test_they_look_like_the_originals():
    before = current()
    with patched():
        for name, function in current().items():
            assert function.__name__ == before[name].__name__
            assert function.__doc__ == before[name].__doc__
            assert pickle.loads(pickle.dumps(function)) is function
            assert f"{function.__module__}.{function.__qualname__}" == name


def test_threads():
    stop = threading.Event()
    original = np.linalg.matrix_rank

    def toggle(_):
        while not stop.is_set():
            with patched():
                assert np.linalg.matrix_rank is not original

    def work(_):
        return [int(np.linalg.matrix_rank(A)) for _ in range(300)]

    with patched(), ThreadPoolExecutor(8) as pool:
        togglers = [pool.submit(toggle, i) for i in range(2)]
        ranks = list(pool.map(work, range(6)))
        stop.set()
        for toggler in togglers:
            toggler.result()
    assert ranks == [[1] * 300] * 6
    assert calls()["numpy.linalg.matrix_rank"].total == 1800


def test_counts_and_log(caplog):
    with caplog.at_level(logging.DEBUG, "fastsub.patch"), patched():
        scipy.linalg.null_space(A)
        scipy.linalg.null_space(A, -1.0)
        with pytest.raises(ValueError, match="infs or NaNs"):
            scipy.linalg.orth(A * np.nan)
    assert calls()["scipy.linalg.null_space"].served == 1
    assert calls()["scipy.linalg.null_space"].total == 2
    assert calls()["scipy.linalg.orth"].passed_on == {"ValueError in fastsub": 1}
    text = caplog.text
    for line in (
        "scipy.linalg.null_space: served",
        "scipy.linalg.null_space: passed on: a negative or NaN tolerance",
        "scipy.linalg.orth: A must be finite",
        "replaced scipy.linalg.null_space, scipy.linalg.orth",
        "put back",
    ):
        assert line in text, text
    reset_calls()
    assert calls() == {}


def test_logging_is_silent_by_default():
    handlers = logging.getLogger("fastsub.patch").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]


SCRIPT = """
import sys
from scipy.linalg import null_space
import numpy as np
from numpy.linalg import matrix_rank
N = null_space(np.ones((1, 2)))
print(__name__, sys.argv[1:], matrix_rank(N), matrix_rank(np.float16([[1]])))
"""


def run(*words, cwd, expect=0):
    ran = subprocess.run(
        [sys.executable, "-m", "fastsub.patch", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(fastsub.__file__).parents[1])},
    )
    assert ran.returncode == expect, ran.stderr
    return ran


def test_running_a_script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    ran = run("--calls", "script.py", "-m", "--calls", cwd=tmp_path, expect=1)
    assert "TypeError: array type float16 is unsupported in linalg" in ran.stderr
    assert "scipy.linalg.null_space: 1 of 1 calls served" in ran.stderr
    assert "numpy.linalg.matrix_rank: 1 of 2 calls served" in ran.stderr
    assert "1 passed on: dtype float16" in ran.stderr
    text = SCRIPT.replace(", matrix_rank(np.float16([[1]]))", "")
    (tmp_path / "script.py").write_text(text + "sys.exit(3)")
    for words in (("script.py", "-m", "x"), ("-m", "script", "-m", "x")):
        ran = run(*words, cwd=tmp_path, expect=3)
        assert ran.stdout == "__main__ ['-m', 'x'] 1\n"
        assert not ran.stderr


def test_running_nothing_lists(tmp_path):
    assert "scipy.linalg.orth" in run(cwd=tmp_path).stdout
    assert "error: -m needs" in run("-m", cwd=tmp_path, expect=2).stderr
    assert "No such file" in run("absent.py", cwd=tmp_path, expect=1).stderr
