"""Putting replacements in place and taking them away again.

The attributes of the public modules `scipy.linalg` and `numpy.linalg` are replaced and nothing
else: SciPy's and NumPy's own modules took theirs when they were imported, and rely on what they
took. A replacement that was taken away passes every call on, so one that somebody kept, or wrapped,
is harmless.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastsub.patch.lookup import Place, places
from fastsub.patch.tally import PassOn, count

_log = logging.getLogger("fastsub.patch")


@dataclass(frozen=True, slots=True)
class Patched:
    """One function of a peer.

    Attributes
    ----------
    name : str
        Its dotted name.
    answered_by : str
        The function of fastsub that answers in its place.
    active : bool
        Whether it is replaced now.
    covered : bool
        Whether somebody else replaced the replacement.
    """

    name: str
    answered_by: str
    active: bool
    covered: bool


class _Installation:
    """The replacements that were put in place together."""

    def __init__(self) -> None:
        self.active = True
        self.replaced: dict[str, tuple[Place, Callable[..., Any], Callable[..., Any]]] = {}
        for place in places():
            peer = getattr(place.module, place.attribute)
            replacement = self._replacement(place, peer)
            self.replaced[place.name] = place, peer, replacement
            setattr(place.module, place.attribute, replacement)
        _log.info("replaced %s", ", ".join(self.replaced))

    def remove(self) -> None:
        """Put the peers back where nobody else has put something since."""
        self.active = False
        for name, (place, peer, replacement) in self.replaced.items():
            if getattr(place.module, place.attribute) is replacement:
                setattr(place.module, place.attribute, peer)
            else:
                _log.info("%s was replaced by somebody else since, and is left alone", name)
        _log.info("put back %s", ", ".join(self.replaced))

    def _replacement(self, place: Place, peer: Callable[..., Any]) -> Callable[..., Any]:
        name, answer = place.name, place.answer

        @functools.wraps(peer)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return peer(*args, **kwargs)
            try:
                result = answer(*args, **kwargs)
            except PassOn as reason:
                why = str(reason)
            except Exception as error:
                # Bad input, mostly: the peer has its own words for it.
                why = f"{type(error).__name__} in fastsub"
                _log.debug("%s: %s", name, error)
            else:
                count(name)
                _log.debug("%s: served", name)
                return result
            count(name, why)
            _log.debug("%s: passed on: %s", name, why)
            return peer(*args, **kwargs)

        # Pickled by the name under which it is found.
        replacement.__module__ = place.module.__name__
        if hasattr(peer, "default_lapack_driver"):
            # Set on the one, it shall be seen by the other.
            replacement.__dict__ = peer.__dict__
        return replacement


_lock = threading.RLock()
_asked_for = False  # by patch_scipy
_blocks = 0  # `with patched()` blocks that are open, in all threads
_installation: _Installation | None = None


def _change(asked_for: bool | None = None, blocks: int = 0) -> None:
    """Note what is asked for now, and install or remove if it has changed."""
    global _asked_for, _blocks, _installation
    with _lock:
        if asked_for is not None:
            _asked_for = asked_for
        _blocks += blocks
        if not (_asked_for or _blocks):
            if _installation is not None:
                _installation.remove()
                _installation = None
        elif _installation is None:
            _installation = _Installation()


def patch_scipy() -> None:
    """Replace functions of `scipy.linalg` and `numpy.linalg` by faster ones, until further notice.

    `null_space`, `orth`, `lstsq`, `pinv`, `subspace_angles` and `qr` of `scipy.linalg`,
    `matrix_rank`, `lstsq` and `pinv` of `numpy.linalg`: same arguments, same defaults, same types
    of results, in all threads. Calls that fastsub does not answer to the letter go to the original.
    A second call changes nothing.

    See Also
    --------
    patched : for the length of a block.
    fastsub.patch.calls : who answered.

    Notes
    -----
    ``from scipy.linalg import null_space`` binds the original for good if it is executed before:
    patch first, import then; or run the script by ``python -m fastsub.patch script.py``. SciPy's
    and NumPy's own modules have bound theirs.

    Not replaced are signs and rotations of bases: N of `null_space` spans the same space and may
    be another basis of it.

    Examples
    --------
    >>> import scipy.linalg
    >>> import fastsub
    >>> fastsub.patch_scipy()
    >>> scipy.linalg.null_space([[1.0, 1.0, 0.0]]).shape
    (3, 2)
    >>> fastsub.unpatch_scipy()
    """
    _change(asked_for=True)


def unpatch_scipy() -> None:
    """Undo `patch_scipy`, whether or not it was called before.

    Blocks of `patched` that are open stay so until they end. What somebody else has put in the
    place of a replacement stays there; if it calls the replacement, that calls the original.

    Examples
    --------
    >>> import fastsub
    >>> fastsub.unpatch_scipy()
    """
    _change(asked_for=False)


@contextmanager
def patched() -> Iterator[None]:
    """Patch, as `patch_scipy`, for the length of a block or of a decorated function.

    Blocks may be nested, and be open in several threads at once: as modules belong to all threads,
    the originals come back when the last block has ended.

    Examples
    --------
    >>> import numpy as np
    >>> from fastsub.patch import patched
    >>> with patched():
    ...     np.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
    np.int64(1)
    """
    _change(blocks=1)
    try:
        yield
    finally:
        _change(blocks=-1)


def patch_map() -> dict[str, Patched]:
    """Return every function that `patch_scipy` replaces, and whether it is replaced now.

    Returns
    -------
    dict of str to Patched

    Examples
    --------
    >>> from fastsub.patch import patch_map
    >>> patch_map()["scipy.linalg.orth"]  # doctest: +NORMALIZE_WHITESPACE
    Patched(name='scipy.linalg.orth', answered_by='fastsub.orth', active=False, covered=False)
    """
    with _lock:
        replaced = {} if _installation is None else _installation.replaced
        result = {}
        for place in places():
            current = getattr(place.module, place.attribute)
            active = place.name in replaced
            covered = active and current is not replaced[place.name][2]
            answered_by = f"fastsub.{place.attribute}"
            result[place.name] = Patched(place.name, answered_by, active, covered)
        return result
