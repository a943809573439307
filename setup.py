"""Builds the compiled kernels; everything else about the package stands in pyproject.toml.

FASTSUB_DEBUG=1 builds them with bounds checks, line tracing and no optimisation.
"""

import os
import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("FASTSUB_DEBUG", "0") not in ("", "0")

extensions = [
    Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        include_dirs=[np.get_include()],
        # Python's own flags ask for -g, which costs a third of the compiler's time. Square roots of
        # a vector are an instruction if nobody asks for errno, choices by lane if nobody traps.
        extra_compile_args=["-O0", "-g"]
        if DEBUG
        else ["-O3", "-g0", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"],
        define_macros=[
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
            *([("CYTHON_TRACE_NOGIL", "1")] if DEBUG else []),
        ],
    )
    for source in sorted(Path("fastsub/kernels").glob("*.pyx"))
]

CORES = os.cpu_count() or 1

setup(
    options={"build_ext": {"parallel": CORES}},
    ext_modules=cythonize(
        extensions,
        nthreads=CORES if sys.platform == "linux" else 0,
        # Outside the source tree, so that neither sdist nor wheel can pick up generated C.
        build_dir="build/cython-debug" if DEBUG else "build/cython",
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "cdivision": True,
            "linetrace": DEBUG,
            "freethreading_compatible": True,
        },
    ),
)
