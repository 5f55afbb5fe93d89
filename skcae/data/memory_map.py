"""Arrays that are views of files, whose pages would add up in memory."""

import mmap

import numpy as np


def find_mmap(X):
    """Return the map of a file that an array is a view of, None for other arrays."""
    mode = None
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            mode = X.mode
        X = X.base
    # Pages of a copy-on-write map ("c") may hold what no file has.
    is_of_file = isinstance(X, mmap.mmap) and mode in ("r", "r+", "w+")
    return X if is_of_file else None


def release_pages(X):
    """Give back the memory of a map of a file; other arrays stay as they are.

    Without this, all that was ever read or written adds up in memory.
    """
    mapped = find_mmap(X)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
