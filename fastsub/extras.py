"""Libraries of the extras: imported when first used, and named with their extra where missing."""

import importlib
from typing import Any


def load(module: str, extra: str, needed: str) -> Any:
    """Import a module of an extra.

    Parameters
    ----------
    module : str
        Dotted name.
    extra : str
        The extra that installs it.
    needed : str
        What for, with its verb: "pictures need".

    Returns
    -------
    module

    Raises
    ------
    ModuleNotFoundError
        If the library is not installed; the message names the extra.

    Examples
    --------
    >>> from fastsub.extras import load
    >>> load("no_such_library", "plot", "pictures need")
    Traceback (most recent call last):
    ModuleNotFoundError: pictures need no_such_library, which is not installed: \
pip install "fastsub-linalg[plot]"
    """
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise ModuleNotFoundError(
            f'{needed} {library}, which is not installed: pip install "fastsub-linalg[{extra}]"',
            name=library,
        ) from None
