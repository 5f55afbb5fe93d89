"""From whatever the user passes to `Samples`, with errors that say what to do."""

import numpy as np
from sklearn.utils.validation import validate_data

from ..distributed.single_process import SINGLE_PROCESS
from ..params.net_params import loading_params
from ..params.stage import map_sizes
from ..utils.frames import with_named_columns
from .array_conversion import as_array, check_dtype
from .layout import Layout, layout_of_other_size, resolve_layout
from .row_source import RowSource
from .samples import Samples
from .statistics import check_values
from .storages import open_storage


def _as_rows(X, name, min_samples, estimator, loading):
    """Return an array or, of what might not fit into memory, a source of rows."""
    rows = open_storage(X, name, loading)
    if rows is None:
        rows = as_array(X, name, estimator)
    return _check_axes(rows, name, min_samples)


def _check_axes(X, name, min_samples):
    """Return `X` if it has samples of numbers, as far as shape and dtype tell."""
    if X.ndim < 2:
        raise ValueError(
            f"Got {name} of shape {X.shape}; expected (n_samples, n_features) or "
            "(n_samples, *sample_shape). Reshape your data: X.reshape(1, -1) is one "
            "sample, X.reshape(-1, 1) has one feature."
        )
    check_dtype(X, name)
    if len(X) < min_samples:
        raise ValueError(
            f"Got {name} with {len(X)} sample(s) (shape={X.shape}); expected at least "
            f"{min_samples}. Check how {name} was selected."
        )
    return X


def _checked(X, layout, original, name="X", value_range=None, ranks=SINGLE_PROCESS):
    """Return the samples of an array or a source, all in a range of values."""
    samples = Samples(X, layout, original=original)
    try:
        check_values(samples, name, value_range, ranks)
    except BaseException:
        samples.close()
        raise
    return samples


def read_training_samples(estimator, X, *, loading=None, ranks=SINGLE_PROCESS):
    """Check `X`, find out its layout and return its samples.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Has `input_shape` and `channel_axis`.
    X : array-like or Samples
        What the user passed, or what an estimator that holds this one has read from it
        and checked: with parameters of `estimator`, and not to be read again.
    loading : estimator or None, default=None
        Whose `net_params` say how a Dataset is loaded; None: those of `estimator`.
    ranks : SingleProcess or Communicator, default=this process alone
        Who looks for NaN, each in its own part.

    Returns
    -------
    samples : context manager of Samples
        At its end it closes what it has opened.
    """
    params = loading_params(loading or estimator, "train")
    if isinstance(X, Samples):
        return X.lend(params)
    rows = _as_rows(X, "X", 2, estimator, params)
    if isinstance(rows, RowSource):
        rows.warn_before_training()
    layout = resolve_layout(rows.shape, estimator.input_shape, estimator.channel_axis)
    return _checked(rows, layout, X, ranks=ranks)


def describe_input(estimator, samples):
    """Return the fitted attributes that describe the input.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose they are going to be, once all of them are known; it does not change.
    samples : Samples
        What has been read for it.

    Returns
    -------
    attributes : dict
        "n_features_in_", "input_shape_" and, of frames, "feature_names_in_".
    """
    has_columns = samples.X.ndim == 2 and not isinstance(samples.X, RowSource)
    # scikit-learn sets attributes: those of one that has none yet.
    other = type(estimator).__new__(type(estimator))
    names_from = with_named_columns(samples.original) if has_columns else samples.X
    validate_data(other, names_from, skip_check_array=True)
    shape = samples.layout.shape
    return vars(other) | {
        "n_features_in_": samples.layout.n_features,
        "input_shape_": shape,
    }


def read_samples(
    estimator,
    X,
    *,
    name="X",
    any_size=False,
    training=False,
    loading=None,
    ranks=SINGLE_PROCESS,
):
    """Check `X` against what `fit` saw and return its samples.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        A fitted one.
    X : array-like
        What the user passed.
    name : str, default="X"
        What messages call it.
    any_size : bool, default=False
        Whether N-D samples may have another spatial shape than those of `fit`.
    training : bool, default=False
        Whether they are going to be trained on.
    loading : estimator or None, default=None
        Whose `net_params` say how a Dataset is loaded; None: those of `estimator`.
    ranks : SingleProcess or Communicator, default=this process alone
        Who looks for NaN, each in its own part.

    Returns
    -------
    samples : Samples
        To be closed.
    """
    params = loading_params(loading or estimator, "train" if training else "valid")
    rows = _as_rows(X, name, 1, estimator, params)
    layout = seen_layout(estimator, rows.shape[1:], name, any_size)
    value_range = estimator._value_range
    samples = _checked(rows, layout, X, name, value_range, ranks)
    if rows.ndim == 2:
        names_from = rows if isinstance(rows, RowSource) else with_named_columns(X)
        validate_data(estimator, names_from, reset=False, skip_check_array=True)
    return samples


def seen_layout(estimator, shape, name, any_size):
    """Return the layout of samples of a shape, checked against what `fit` saw.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        A fitted one.
    shape : tuple of int
        Shape of one sample, as it is or flattened.
    name : str
        What messages call the samples.
    any_size : bool
        Whether the shape of N-D samples may be another.

    Returns
    -------
    layout : Layout
    """
    layout = estimator._fitted.layout
    if shape in (layout.shape, (layout.n_features,)):
        return layout
    other = layout_of_other_size(layout, shape) if any_size else None
    if other is None:
        _raise_other_shape(estimator, name, shape, layout)
    map_sizes(other.spatial, estimator._fitted.architecture.stages)
    return other


def _raise_other_shape(estimator, name, here, layout):
    cls = type(estimator).__name__
    if len(here) == 1:
        raise ValueError(
            f"{name} has {here[0]} features, but {cls} is expecting "
            f"{layout.n_features} features as input; pass samples of the shape that "
            f"fit saw, {layout.shape} ({name}[None] for one sample), or fit again."
        )
    raise ValueError(
        f"Got {name} with samples of shape {here}, but {cls} was fitted on samples of "
        f"shape {layout.shape}; expected the same shape. Resize the samples, or fit "
        "again."
    )


def read_features(estimator, X, n_features):
    """Check what `inverse_transform` gets and return it as float32."""
    X = _check_axes(as_array(X, "X", estimator), "X", 1)
    if X.shape[1:] != (n_features,):
        raise ValueError(
            f"Got X of shape {X.shape}, but {type(estimator).__name__} made "
            f"{n_features} features; expected what transform returns. Pass it "
            "unchanged."
        )
    Samples(X, Layout((n_features,))).check_values()
    return X.astype(np.float32, copy=False)


def check_out(out, shape):
    """Raise unless `out` is None or can take features of some shape."""
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(
            f"Got out of type {type(out).__name__}; expected a numpy array or memory "
            f"map of shape {shape} and dtype float32. Create one with numpy."
        )
    if out.shape != shape or out.dtype != np.float32 or not out.flags.writeable:
        raise ValueError(
            f"Got out of shape {out.shape} and dtype {out.dtype}, writeable: "
            f"{out.flags.writeable}; expected a writeable array of shape {shape} and "
            "dtype float32. Create one with numpy.empty or numpy.memmap."
        )
