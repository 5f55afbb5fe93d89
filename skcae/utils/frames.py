"""Names of the columns of data frames that older releases of scikit-learn overlook."""

from collections import Counter

import sklearn

# From 1.9 on scikit-learn knows every kind of frame.
_KNOWS_ALL_FRAMES = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)


class _Columns:
    """Shape and names of the columns of a frame, by the interchange protocol."""

    def __init__(self, frame):
        self.shape, self._names = frame.shape, list(frame.columns)

    def __dataframe__(self):
        """Return what has the names."""
        return self

    def column_names(self):
        """Return the names."""
        return self._names


def refuse_repeated_names(X, name):
    """Raise ValueError if several columns of a frame have one name.

    Parameters
    ----------
    X : object
        Anything.
    name : str
        What messages call it.
    """
    columns = getattr(X, "columns", None)
    if columns is None or callable(columns):
        return
    numbers = Counter(columns)
    repeated = [column for column, number in numbers.items() if number > 1]
    if repeated:
        raise ValueError(
            f"Got {name} with more than one column of the name {repeated[0]!r}; "
            "expected names that differ. Rename the columns, or pass "
            f"{name}.to_numpy()."
        )


def with_named_columns(X):
    """Return `X`, or what scikit-learn reads the names of its columns from.

    Before 1.9 scikit-learn asks frames other than those of pandas by the interchange
    protocol, which polars has dropped.
    """
    is_known = hasattr(X, "iloc") or hasattr(X, "__dataframe__")
    if _KNOWS_ALL_FRAMES or is_known or not hasattr(X, "columns"):
        return X
    return _Columns(X)
