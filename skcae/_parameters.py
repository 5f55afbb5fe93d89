"""What each parameter may be, and what the parameters mean together."""

import sys
from numbers import Integral, Real

from ._shapes import Stage, map_sizes
from ._sklearn import Interval, Options, StrOptions

ACTIVATION_NAMES = ("relu", "tanh", "sigmoid", "identity", "abs")
OPTIMIZER_NAMES = ("adam", "adamw", "sgd", "rmsprop")
LOSS_NAMES = ("squared_error", "absolute_error", "huber", "log_loss")

_POSITIVE = Interval(Integral, 1, None, closed="left")
_PER_STAGE = [_POSITIVE, tuple, list]

PARAMETER_CONSTRAINTS = {
    "input_shape": [tuple, list, None],
    "channel_axis": [Integral, None],
    "n_filters": _PER_STAGE,
    "kernel_size": _PER_STAGE,
    "stride": _PER_STAGE,
    "pool_size": _PER_STAGE,
    "padding": [StrOptions({"same", "valid", "full"})],
    "whiten": [None],
    "activation": [StrOptions(set(ACTIVATION_NAMES)), tuple, list],
    "output_activation": [StrOptions(set(ACTIVATION_NAMES))],
    "tied_weights": ["boolean"],
    "n_components": [_POSITIVE, None],
    "loss": [StrOptions(set(LOSS_NAMES))],
    "corruption": [StrOptions({"mask", "gaussian", "salt_and_pepper"}), None],
    "corruption_level": [Interval(Real, 0, None, closed="left")],
    "sparsity": [None],
    "sparsity_level": [Interval(Real, 0, 1, closed="both")],
    "init": [StrOptions({"random"})],
    "layerwise": [Options(bool, {False})],
    "pooling": [StrOptions({"max", "avg"}), None],
    "pool_grid": [_POSITIVE],
    "optimizer": [StrOptions(set(OPTIMIZER_NAMES))],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [_POSITIVE],
    "max_epochs": [Interval(Integral, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [_POSITIVE],
    "tol": [Interval(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "device": [str],
    "precision": [StrOptions({"auto", "float32", "tf32", "bfloat16"})],
    "compile": ["boolean"],
    "callbacks": [list, tuple, None],
    "net_params": [dict, None],
}

_SIZES = ("n_filters", "kernel_size", "stride", "pool_size")
_STAGE_PARAMETERS = (*_SIZES, "activation")
_NUMBERS = tuple(
    name
    for name, options in PARAMETER_CONSTRAINTS.items()
    if any(isinstance(option, Interval) for option in options)
)

# Arguments of skorch's net that no parameter stands for; more begin with a prefix.
_NET_ARGUMENTS = (
    "iterator_valid__batch_size",
    "predict_nonlinearity",
    "use_caching",
    "torch_load_kwargs",
)


def _is_positive_integer(value):
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
    )


def _check_stage_value(name, given, value):
    if name == "activation":
        valid, expected = value in ACTIVATION_NAMES, f"names among {ACTIVATION_NAMES}"
    else:
        valid, expected = _is_positive_integer(value), "integers of at least 1"
    if not valid:
        raise ValueError(
            f"Got {name}={given!r}; expected {expected}, one per stage. Replace "
            f"{value!r}."
        )


def resolve_stages(estimator):
    """Return the encoder's stages.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Parameters that are one value stand for that value in every stage.

    Returns
    -------
    stages : tuple of Stage

    Raises
    ------
    ValueError
        If the parameters name different numbers of stages, or values that are none.
    """
    given = {name: getattr(estimator, name) for name in _STAGE_PARAMETERS}
    lengths = {
        name: len(value)
        for name, value in given.items()
        if isinstance(value, (tuple, list))
    }
    n_stages = max(lengths.values(), default=1)
    wrong = [name for name, length in lengths.items() if length != n_stages]
    if wrong or n_stages == 0:
        name = wrong[0] if wrong else next(iter(lengths))
        raise ValueError(
            f"Got {name}={given[name]!r} ({lengths[name]} stages); expected one value "
            f"for all stages or one for each of {max(n_stages, 1)}. Make n_filters, "
            "kernel_size, stride, pool_size and activation equally long."
        )
    columns = {}
    for name, value in given.items():
        columns[name] = tuple(value) if name in lengths else (value,) * n_stages
        for item in columns[name]:
            _check_stage_value(name, value, item)
    return tuple(
        Stage(*(int(size) for size in sizes), estimator.padding, activation)
        for *sizes, activation in zip(*columns.values(), strict=True)
    )


def resolve_output_activation(estimator):
    """Return the name of the activation behind the last decoder stage."""
    name = estimator.output_activation
    if estimator.loss != "log_loss":
        return name
    if name not in ("identity", "sigmoid"):
        raise ValueError(
            f"Got loss='log_loss' with output_activation={name!r}; expected "
            "'sigmoid', which this loss implies. Leave output_activation at its "
            "default, or choose another loss."
        )
    return "sigmoid"


def resolve_scale(output_activation, moments):
    """Return centre and unit per channel, so that the output can reach the data.

    Parameters
    ----------
    output_activation : str
        What bounds the reconstruction.
    moments : dict of ndarray
        As `Samples.moments` gives them.

    Returns
    -------
    mean, scale : ndarray of shape (n_channels,)
    """
    low, high = moments["channel_min"], moments["channel_max"]
    mean, scale = {
        "identity": (moments["channel_mean"], moments["channel_std"]),
        "relu": (low, moments["channel_std"]),
        "abs": (low, moments["channel_std"]),
        "sigmoid": (low, high - low),
        "tanh": ((low + high) / 2, (high - low) / 2),
    }[output_activation]
    scale = scale.copy()
    scale[scale == 0] = 1.0
    return mean, scale


def _check_booleans(estimator):
    """Raise TypeError for booleans, which Python takes for numbers."""
    for name in _NUMBERS:
        value = getattr(estimator, name)
        if isinstance(value, bool):
            raise TypeError(
                f"Got {name}={value}; expected a number. Write {int(value)} if that "
                "is what you mean."
            )


def _check_callbacks(callbacks):
    # Who has a skorch callback has imported skorch.
    skorch_callbacks = sys.modules.get("skorch.callbacks")
    known = () if skorch_callbacks is None else skorch_callbacks.Callback
    for item in callbacks or ():
        is_named = isinstance(item, (tuple, list)) and len(item) == 2
        callback = item[1] if is_named and isinstance(item[0], str) else item
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, known):
            raise TypeError(
                f"Got {item!r} in callbacks; expected skorch callbacks, or pairs of a "
                "name and one. Take them from skorch.callbacks, and pass "
                "scikit-learn's to set_callbacks."
            )


def check_monitors(callbacks, has_validation):
    """Refuse callbacks that watch a validation loss where there is none."""
    for item in callbacks or ():
        callback = item[1] if isinstance(item, (tuple, list)) else item
        monitor = getattr(callback, "monitor", None)
        if str(monitor).startswith("valid_") and not has_validation:
            raise ValueError(
                f"Got a callback {type(callback).__name__} with monitor={monitor!r} "
                "but no validation samples; expected some. Pass X_val, set "
                "early_stopping=True, or monitor 'train_loss'."
            )


def _check_net_params(estimator):
    own = estimator.get_params(deep=False)
    for key, value in (estimator.net_params or {}).items():
        prefix, _, name = str(key).rpartition("__")
        if key in _NET_ARGUMENTS or prefix.startswith("callbacks__"):
            continue
        if name in own:
            raise ValueError(
                f"Got {key!r} in net_params; expected arguments of skorch's net that "
                f"{type(estimator).__name__} has no parameter for. Pass "
                f"{name}={value!r} to {type(estimator).__name__} itself."
            )
        if prefix != "optimizer" or not name:
            raise ValueError(
                f"Got {key!r} in net_params; expected one of {_NET_ARGUMENTS} or a "
                "name that begins with 'optimizer__' or 'callbacks__<name>__'. Remove "
                f"{key!r}, or correct it."
            )


def check_together(estimator):
    """Raise ValueError or TypeError for what single constraints cannot express."""
    _check_booleans(estimator)
    _check_callbacks(estimator.callbacks)
    _check_net_params(estimator)
    level, kind = estimator.corruption_level, estimator.corruption
    if kind in ("mask", "salt_and_pepper") and level > 1:
        raise ValueError(
            f"Got corruption_level={level} with corruption={kind!r}; expected a share "
            "between 0 and 1. Lower it, or use corruption='gaussian', whose level is "
            "a standard deviation."
        )


def comparable(params):
    """Return those module parameters that weights depend on, by the user's names.

    Parameters
    ----------
    params : dict
        As `module_params` gives them.

    Returns
    -------
    named : dict
        What is one per stage is a tuple, or the value itself of a single stage.
    """
    named = {}
    for name in (*_STAGE_PARAMETERS, "padding"):
        values = tuple(getattr(stage, name) for stage in params["stages"])
        named[name] = values if len(values) > 1 else values[0]
    left_out = ("stages", "corruption", "corruption_level")
    return named | {k: value for k, value in params.items() if k not in left_out}


def module_params(estimator, layout):
    """Return the keyword arguments of `ConvAutoencoder`, all checked.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Holds the parameters.
    layout : Layout
        Of the samples.

    Returns
    -------
    params : dict
        Plain values and stages.
    """
    check_together(estimator)
    stages = resolve_stages(estimator)
    try:
        map_sizes(layout.spatial, stages)
    except ValueError as error:
        raise ValueError(f"{error} X has {layout.n_features} feature(s).") from None
    return {
        "stages": stages,
        "spatial": layout.spatial,
        "n_channels": layout.n_channels,
        "output_activation": resolve_output_activation(estimator),
        "tied_weights": bool(estimator.tied_weights),
        "n_components": estimator.n_components,
        "corruption": estimator.corruption,
        "corruption_level": float(estimator.corruption_level),
        "pooling": estimator.pooling,
        "pool_grid": int(estimator.pool_grid),
    }
