"""How a package outside builds on fastsub's kernels: Cython finds their .pxd files beside them.

fastsub is found where Python finds it, whether installed or checked out.
"""

from importlib.util import find_spec
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

installed_in = Path(find_spec("fastsub").origin).parents[1]

setup(
    name="outside",
    ext_modules=cythonize(
        [Extension("cholesky_qr", ["cholesky_qr.pyx"])], include_path=[str(installed_in)]
    ),
)
