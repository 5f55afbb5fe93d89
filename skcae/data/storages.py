"""The kinds of storage that samples are read from by their numbers."""

import sys
from collections.abc import Callable
from typing import NamedTuple

from .array_conversion import check_dtype
from .stored_array import StoredArray, is_stored_array


class Storage(NamedTuple):
    """A kind of storage.

    Parameters
    ----------
    accepts : callable
        ``accepts(X, name)`` tells whether `X`, which messages call `name`, is one.
    open : callable
        ``open(X, name, loading)`` returns a `RowSource`; `loading` is a dict that says
        how samples of a Dataset are loaded.
    """

    accepts: Callable
    open: Callable


def _is_dataset(X, name):
    # Who has a Dataset has imported this.
    if "torch.utils.data" not in sys.modules:
        return False
    from .dataset_rows import is_dataset

    return is_dataset(X, name)


def _open_dataset(X, name, loading):
    from .dataset_rows import DatasetRows

    return DatasetRows(X, name, **loading)


def _open_stored_array(X, name, loading):
    check_dtype(X, name)
    return StoredArray(X, name)


# The first that accepts what the user passed opens it.
STORAGES = [
    Storage(_is_dataset, _open_dataset),
    Storage(lambda X, name: is_stored_array(X), _open_stored_array),
]


def open_storage(X, name, loading):
    """Return the rows of a storage, None if `X` is none but belongs into memory.

    Parameters
    ----------
    X : object
        What the user passed.
    name : str
        What messages call it.
    loading : dict
        How samples of a Dataset are loaded: arguments of `DatasetRows`.

    Returns
    -------
    rows : RowSource or None
    """
    for storage in STORAGES:
        if storage.accepts(X, name):
            return storage.open(X, name, loading)
    return None
