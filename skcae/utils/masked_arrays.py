"""Masked arrays of numpy, whose masks most functions ignore."""

import numpy as np


def refuse_masked(X, name):
    """Raise ValueError if `X` is a masked array, or a list of some, with masked values.

    Parameters
    ----------
    X : object
        Anything.
    name : str
        What messages call it.
    """
    parts = X if isinstance(X, (list, tuple)) else [X]
    n_masked = sum(
        np.ma.count_masked(part)
        for part in parts
        if isinstance(part, np.ma.MaskedArray)
    )
    if n_masked:
        raise ValueError(
            f"Got {name} with masked values ({n_masked}); expected numbers, as what a "
            "mask hides would be used like any other value. Fill them in with "
            "numpy.ma.filled, or drop those samples."
        )
