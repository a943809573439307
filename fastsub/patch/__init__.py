"""Existing code on fastsub, unchanged: functions of SciPy and NumPy, replaced while it runs.

>>> import numpy as np
>>> import fastsub.patch
>>> with fastsub.patch.patched():
...     rank = np.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
>>> rank, fastsub.patch.patch_map()["numpy.linalg.matrix_rank"].active
(np.int64(1), False)

Defaults, results and their types, warnings and errors stay the peer's. Whatever fastsub does not
answer to the letter goes to the peer: ``calls()`` counts which calls, and why.

``lookup`` names what is replaced, ``install`` does it and undoes it, ``scipy_functions`` and
``numpy_functions`` answer in the manner of each peer with what ``arguments`` and ``equations``
share, ``tally`` counts.
"""

import logging

from fastsub.patch.install import Patched, patch_map, patch_scipy, patched, unpatch_scipy
from fastsub.patch.tally import Calls, calls, reset_calls

__all__ = [
    "Calls",
    "Patched",
    "calls",
    "patch_map",
    "patch_scipy",
    "patched",
    "reset_calls",
    "unpatch_scipy",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
