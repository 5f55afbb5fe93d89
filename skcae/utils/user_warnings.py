"""Warnings that point at the line of the user's own code that led to them."""

import sys
import warnings

_OWN = __name__.partition(".")[0]
# Code of these packages runs between a user's line and ours: pipelines, searches and
# wrappers of methods, and the loops, pools and threads that call them.
_IN_BETWEEN = frozenset(
    (
        _OWN,
        "concurrent",
        "contextlib",
        "dask",
        "distributed",
        "functools",
        "joblib",
        "sklearn",
        "skorch",
        "threading",
        "torch",
    )
)


def warn(message, category=UserWarning):
    """Issue a warning at the first frame that is neither ours nor of a known library.

    Where there is no such frame, as in a worker process, the warning points at the
    outermost one.

    Parameters
    ----------
    message : str
        What the user is told.
    category : type, default=UserWarning
        Class of the warning.
    """
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and _package_of(frame) in _IN_BETWEEN:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package_of(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
