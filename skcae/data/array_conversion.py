"""Arrays of numbers from whatever is no storage of its own."""

from sklearn.utils.validation import check_array

from ..utils.frames import refuse_repeated_names
from ..utils.masked_arrays import refuse_masked
from ..utils.tensor_conversion import from_torch


def as_array(X, name, estimator):
    """Return an array, of real numbers if it has two or more axes.

    Parameters
    ----------
    X : array-like
        What the user passed.
    name : str
        What messages call it.
    estimator : BaseEstimator
        Whom messages of scikit-learn name.

    Returns
    -------
    array : ndarray

    Raises
    ------
    TypeError, ValueError
        If it is no array of real numbers, or one with masked values.
    """
    X = from_torch(X, name)
    refuse_masked(X, name)
    refuse_repeated_names(X, name)
    check_dtype(X, name, kinds="biufO")
    array = _convert(bounded_sequence(X, name), name, estimator)
    _refuse_column_of_arrays(array, name)
    if array.dtype.kind == "O" and array.ndim > 1:
        # Lists of integers with more than 64 bits come here, too.
        array = _convert(array, name, estimator)
    return array


def check_dtype(X, name, kinds="biuf"):
    """Raise unless the dtype of `X`, if it has one, is of some kinds."""
    dtype = getattr(X, "dtype", None)
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        raise ValueError(
            f"Got {name} of dtype {dtype}: Complex data not supported; expected real "
            "numbers. Pass real and imaginary parts as two channels."
        )
    if kind not in kinds:
        raise TypeError(
            f"Got {name} of dtype {dtype}; expected real numbers. Convert it with "
            "astype(float)."
        )


def _convert(X, name, estimator):
    try:
        return check_array(
            X,
            dtype="numeric",
            ensure_all_finite=False,
            allow_nd=True,
            ensure_2d=False,
            ensure_min_samples=0,
            estimator=estimator,
            input_name=name,
        )
    except (TypeError, ValueError, OverflowError) as error:
        # check_array explains what is wrong with arrays of numbers; what is raised
        # while other things become such arrays is numpy's.
        if getattr(getattr(X, "dtype", None), "kind", "O") != "O":
            raise
        _refuse_column_of_arrays(X, name)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"Got {name} that is no array of numbers ({error}); expected real numbers, "
            "samples of equal shape. Encode text and dates, or drop them."
        ) from None


def _refuse_column_of_arrays(X, name):
    """Raise ValueError if `X` has one axis along which it holds arrays or lists."""
    if len(getattr(X, "shape", ())) != 1 or not len(X):
        return
    first = next(iter(X))
    if not isinstance(first, str) and hasattr(first, "__len__"):
        raise ValueError(
            f"Got {name} as {len(X)} objects, the first of which is a "
            f"{type(first).__name__}; expected one array of numbers. Pass "
            f"numpy.stack(list({name}))."
        )


def bounded_sequence(X, name):
    """Return `X`, or a list of what it holds, if numpy would not see where it ends.

    Of what has items by number but is not iterable, numpy asks one after the other
    until IndexError is raised, whatever its length. Datasets of torch are like that.
    """
    kind = type(X)
    if hasattr(kind, "__iter__") or not hasattr(kind, "__getitem__"):
        return X
    if any(hasattr(X, protocol) for protocol in ("__array__", "__dlpack__", "dtype")):
        return X
    if not hasattr(kind, "__len__"):
        raise TypeError(
            f"Got {name} as a {kind.__name__}, which has items but no length; expected "
            "an array. Make one of its items with numpy.stack."
        )
    return [X[number] for number in range(len(X))]
