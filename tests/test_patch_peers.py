"""The peers' own tests of the patched functions, as they ship in the wheels, under the patch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy

SCIPY, NUMPY = (Path(package.__file__).parent / "linalg" / "tests" for package in (scipy, np))
TESTS = {
    SCIPY / "test_basic.py": (
        *("TestLstsq", "TestPinv", "TestPinvSymmetric", "TestOverwrite", "TestDTypes"),
        "test_auto_rcond",
    ),
    SCIPY / "test_decomp.py": (
        *("TestQR", "TestNullSpace", "TestOverwrite", "test_subspace_angles"),
        *("test_orth", "test_orth_empty", "test_orth_memory_efficiency"),
    ),
    SCIPY / "test_batch.py": (
        *(f"TestBatch::test_{name}" for name in ("matmat", "null_space", "pinv", "polar_qr_rq")),
        *(f"TestBatch::test_{name}" for name in ("subspace_angles", "lstsq", "zero_size_batch")),
    ),
    NUMPY / "test_linalg.py": (
        *("TestLstsq", "TestPinv", "TestPinvHermitian", "TestMatrixRank"),
        *("test_pinv_rtol_arg", "test_reduced_rank", "test_empty_matrix_rank"),
        *("test_unsupported_commontype", "test_byteorder_check"),
    ),
    NUMPY / "test_regression.py": ("TestRegression",),
}

# Two of SciPy's tests want what nobody promises. One: that an input is overwritten where it may be;
# here none is. The other: ||A A^+ A - A|| <= 1e-13 where A^+, rounded to doubles, has up to
# ||A||^2 ||A^+|| u = 4e-13 of it; SciPy's A^+ meets that, ours with some compilers.
WANTED = (
    "not (TestLstsq and test_overwrite) "
    "and not (TestPinv and test_atol_rtol and not TestPinvSymmetric)"
)

# Why a call of a peer's test may go to the peer. Every other reason is a fault.
REASONS = {
    "an empty array": "the answer is known by convention, and no arithmetic to be saved",
    "not a matrix": "vectors and numbers, for errors and for a rank that is 0 or 1",
    "shapes that do not match": "the peer's words for the error",
    "tolerances that exclude each other": "the peer's words for the error",
    "a singular value too near the cutoff": "the peer's rounding errors decide",
    "a negative or NaN tolerance": "of another meaning in each function",
    "a workspace of a given size": "SciPy checks it",
    "overwrite_a, which spares SciPy a copy": "memory",
    "a tall matrix to be pivoted: signs would differ": "R has signs of its own there",
    "an unknown driver": "the peer's words for the error",
    "a _FakeMatrix, not an array": "foreign array types",
    "a _FakeMatrix2, not an array": "foreign array types",
    "a matrix, not an array": "the result is to be one, too",
    "a int, not an array": "a rank that is 0 or 1",
    "dtype float16": "half precision",
    "dtype float128": "long double precision",
    "dtype complex256": "long double precision",
    "dtype object": "no numbers",
    "ValueError in fastsub": "NaN, ranks of a stack that differ: the peer's words for the error",
}

FUNCTIONS = {
    *(f"scipy.linalg.{f}" for f in ("null_space", "orth", "lstsq", "pinv", "qr")),
    "scipy.linalg.subspace_angles",
    *(f"numpy.linalg.{f}" for f in ("matrix_rank", "lstsq", "pinv")),
}


@pytest.mark.skipif(
    not all(path.exists() for path in TESTS), reason="SciPy or NumPy came without its tests"
)
def test_the_tests_of_the_peers_pass(tmp_path):
    selected = [f"{path}::{name}" for path, names in TESTS.items() for name in names]
    counts, settings = tmp_path / "calls.json", tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")  # theirs are not our warnings
    here = Path(__file__).parent
    paths = [str(here), str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", settings, "-q"),
            *("-p", "peers_plugin", "-p", "no:cacheprovider"),
            *("-k", WANTED),
            *selected,
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "FASTSUB_CALLS": str(counts)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    calls = json.loads(counts.read_text(encoding="utf-8"))
    assert calls.keys() == FUNCTIONS
    print("\n" + ran.stdout.splitlines()[-1])
    for name, entry in calls.items():
        total = entry["served"] + sum(entry["passed_on"].values())
        print(f"{name}: {entry['served']} of {total} served; {entry['passed_on'] or ''}")
        # Of what is not empty: their tests of empty arrays are many, and nobody calls with them.
        filled = total - entry["passed_on"].get("an empty array", 0)
        assert entry["served"] > filled / 2, name
        assert entry["passed_on"].keys() <= REASONS.keys(), entry
