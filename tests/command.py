"""The command under test: how it is started, and the matrix that it is given."""

import os
import sys
from pathlib import Path

import numpy as np

import fastsub

RNG = np.random.default_rng(1907)
A = RNG.standard_normal((6, 3)) @ RNG.standard_normal((3, 5))  # rank 3, nullity 2
COMMAND = [sys.executable, "-m", "fastsub.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(fastsub.__file__).parents[1])}
