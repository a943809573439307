"""Others can cimport the kernels: an extension outside the package builds, runs and is right."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import fastsub

SOURCE = Path(__file__).parent / "extending"


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """The compiled extension of tests/extending."""
    compiler = (sysconfig.get_config_var("CC") or "cl").split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"no C compiler: {compiler}")
    folder = tmp_path_factory.mktemp("outside")
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    paths = [str(Path(fastsub.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    build = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"],
        cwd=folder,
        env={"CFLAGS": "-O0"} | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout
    (binary,) = folder.glob("cholesky_qr*" + sysconfig.get_config_var("EXT_SUFFIX"))
    spec = importlib.util.spec_from_file_location("cholesky_qr", binary)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("shape", [(1, 1), (9, 4), (200, 30)])
def test_kernels_serve_an_extension_outside(outside, normal, shape):
    A = normal("float64", 907, *shape)
    n = shape[1]
    Q, R = A.copy(order="F"), np.full((n, n), np.nan, order="F")
    assert outside.cholesky_qr(Q, R) == 0
    assert not np.any(np.tril(R, -1))
    eps, kappa = np.finfo(float).eps, np.linalg.cond(A)
    assert np.linalg.norm(A - Q @ R, 2) <= 20 * eps * np.linalg.norm(A, 2)
    assert np.linalg.norm(Q.T @ Q - np.eye(n), 2) <= 20 * eps * kappa**2
    expected, limit = np.abs(np.linalg.qr(A, mode="r")), 20 * eps * kappa**2 * np.linalg.norm(A, 2)
    np.testing.assert_allclose(np.abs(R), expected, atol=limit)


def test_info_comes_through(outside):
    A = np.array([[1.0, 1.0], [0.0, 0.0]], order="F")  # exact: the second pivot is zero
    assert outside.cholesky_qr(A, np.zeros((2, 2), order="F")) == 2
