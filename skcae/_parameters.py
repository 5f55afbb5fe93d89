"""What each parameter may be, and what the parameters mean together."""

import sys
from numbers import Integral, Real

import numpy as np

from ._shapes import Stage, clip_kernel, map_sizes, one_per_stage
from ._sklearn import Interval, StrOptions

OUTPUT_ACTIVATION_NAMES = ("relu", "tanh", "sigmoid", "identity", "abs")
ACTIVATION_NAMES = (
    *OUTPUT_ACTIVATION_NAMES,
    "two_sided",
    "soft_threshold",
    "triangle",
)
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
    "pool_mode": [StrOptions({"max", "avg"})],
    "depthwise": ["boolean", tuple, list],
    "padding": [StrOptions({"same", "valid", "full"})],
    "whiten": [Interval(Real, 0, None, closed="neither"), None],
    "activation": [StrOptions(set(ACTIVATION_NAMES)), tuple, list],
    "threshold": [Interval(Real, 0, None, closed="left")],
    "output_activation": [StrOptions(set(OUTPUT_ACTIVATION_NAMES))],
    "tied_weights": ["boolean"],
    "n_components": [_POSITIVE, None],
    "loss": [StrOptions(set(LOSS_NAMES))],
    "corruption": [StrOptions({"mask", "gaussian", "salt_and_pepper"}), None],
    "corruption_level": [Interval(Real, 0, None, closed="left")],
    "sparsity": [StrOptions({"winner_take_all", "l1"}), None],
    "sparsity_level": [Interval(Real, 0, 1, closed="both")],
    "init": [StrOptions({"random", "patches", "kmeans"})],
    "layerwise": ["boolean"],
    "pooling": [StrOptions({"max", "avg"}), None],
    "pool_grid": _PER_STAGE,
    "feature_stages": [StrOptions({"last", "all"})],
    "power": [Interval(Real, 0, None, closed="neither")],
    "optimizer": [StrOptions(set(OPTIMIZER_NAMES))],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [_POSITIVE],
    "max_epochs": [Interval(Integral, 0, None, closed="left")],
    "max_samples": [_POSITIVE, None],
    "crop_size": [_POSITIVE, None],
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
_STAGE_PARAMETERS = (*_SIZES, "activation", "depthwise")
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
    elif name == "depthwise":
        valid, expected = isinstance(value, (bool, np.bool_)), "booleans"
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
            "kernel_size, stride, pool_size, activation and depthwise equally long."
        )
    columns = {}
    for name, value in given.items():
        columns[name] = tuple(value) if name in lengths else (value,) * n_stages
        for item in columns[name]:
            _check_stage_value(name, value, item)
    stages = tuple(
        Stage(
            *(int(size) for size in sizes),
            estimator.padding,
            activation,
            bool(depthwise),
            estimator.pool_mode,
        )
        for *sizes, activation, depthwise in zip(*columns.values(), strict=True)
    )
    _check_triangle(stages)
    return stages


def _check_triangle(stages):
    for stage in stages:
        if stage.activation == "triangle" and (stage.depthwise or stage.n_filters < 2):
            raise ValueError(
                f"Got activation='triangle' with n_filters={stage.n_filters} and "
                f"depthwise={stage.depthwise}; expected at least two filters that see "
                "all maps, as each is compared with the mean of all. Choose another "
                "activation."
            )


def _resolve_grid(estimator, n_stages):
    """Return the grid of each pooled stage."""
    given = estimator.pool_grid
    n_pooled = n_stages if estimator.feature_stages == "all" else 1
    grids = one_per_stage(given, n_pooled)
    if len(grids) != n_pooled:
        raise ValueError(
            f"Got pool_grid={given!r} ({len(grids)} values) with "
            f"feature_stages={estimator.feature_stages!r} and {n_stages} stage(s); "
            f"expected one number, or one for each of {n_pooled}. Correct pool_grid."
        )
    for grid in grids:
        _check_stage_value("pool_grid", given, grid)
    return tuple(int(grid) for grid in grids)


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


def _check_features(estimator):
    """Refuse ways from maps to features that exclude each other."""
    if estimator.feature_stages == "all":
        if estimator.pooling is None:
            raise ValueError(
                "Got feature_stages='all' with pooling=None; expected pooled maps, as "
                "those of several stages are many. Set pooling='avg'."
            )
        if estimator.n_components is not None:
            raise ValueError(
                f"Got feature_stages='all' with n_components={estimator.n_components}; "
                "expected one of the two, as a dense code is one of the last maps. Set "
                "feature_stages='last' or n_components=None."
            )
    if estimator.power != 1 and (
        estimator.pooling is None or estimator.n_components is not None
    ):
        raise ValueError(
            f"Got power={estimator.power} with pooling={estimator.pooling!r} and "
            f"n_components={estimator.n_components}; expected power=1 for features "
            "that can be inverted. Set pooling='avg' and n_components=None."
        )


def _check_whitening(estimator):
    if estimator.whiten is None:
        return
    name = resolve_output_activation(estimator)
    if name != "identity":
        raise ValueError(
            f"Got whiten={estimator.whiten} with an output activation {name!r}; "
            "expected 'identity', as whitened values have no bounds. Leave "
            "output_activation at its default and choose another loss than 'log_loss'."
        )


def is_stagewise(estimator):
    """Whether the stages are trained one after the other."""
    return bool(estimator.layerwise) or estimator.sparsity == "winner_take_all"


def learning_params(estimator):
    """Return what decides how filters are learnt, besides module, net and optimizer.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Holds the parameters.

    Returns
    -------
    params : dict
        Plain values.
    """
    names = ("init", "whiten", "threshold", "sparsity", "sparsity_level", "crop_size")
    return {
        **{name: getattr(estimator, name) for name in names},
        "stagewise": is_stagewise(estimator),
        "has_own_decoder": not estimator.tied_weights
        and estimator.n_components is None,
    }


def is_decoder_fitted(learning, epochs):
    """Whether the decoder is fitted to the code afterwards, as no training does it.

    Parameters
    ----------
    learning : dict
        As `learning_params` gives it.
    epochs : int
        Passes over the training data.
    """
    untrained = epochs == 0 and learning["init"] != "random"
    return learning["has_own_decoder"] and (
        untrained or learning["sparsity"] == "winner_take_all"
    )


def _check_objective(estimator, stages):
    if estimator.n_components is not None and is_stagewise(estimator):
        raise ValueError(
            f"Got n_components={estimator.n_components} with "
            f"layerwise={estimator.layerwise} and sparsity={estimator.sparsity!r}; "
            "expected n_components=None where stages are trained one by one. Put PCA "
            "behind the transformer instead."
        )
    if estimator.sparsity != "winner_take_all":
        return
    if len(stages) > 1 and not estimator.layerwise:
        raise ValueError(
            f"Got sparsity='winner_take_all' with {len(stages)} stages; expected one "
            "stage at a time. Set layerwise=True."
        )
    if estimator.corruption is not None:
        raise ValueError(
            f"Got corruption={estimator.corruption!r} with "
            "sparsity='winner_take_all'; expected one of the two. Set one to None."
        )
    if estimator.tied_weights:
        raise ValueError(
            "Got tied_weights=True with sparsity='winner_take_all'; expected False: "
            "while they learn, filters are tied anyway, and then the decoder is fitted "
            "to the dense code. Set tied_weights=False."
        )
    for stage in stages:
        if stage.stride != 1:
            raise ValueError(
                f"Got stride={stage.stride} with sparsity='winner_take_all'; expected "
                "1, as winners may lie anywhere. Set stride=1 and use pool_size."
            )


def check_together(estimator):
    """Raise ValueError or TypeError for what single constraints cannot express."""
    _check_booleans(estimator)
    _check_callbacks(estimator.callbacks)
    _check_net_params(estimator)
    _check_features(estimator)
    _check_whitening(estimator)
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
    for name in _STAGE_PARAMETERS:
        values = tuple(getattr(stage, name) for stage in params["stages"])
        named[name] = values if len(values) > 1 else values[0]
    for name in ("pool_mode", "padding"):
        named[name] = getattr(params["stages"][0], name)
    left_out = ("stages", "corruption", "corruption_level", "whitening")
    named |= {name: value for name, value in params.items() if name not in left_out}
    if len(params["pool_grid"]) == 1:
        named["pool_grid"] = params["pool_grid"][0]
    return named


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
    _check_objective(estimator, stages)
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
        "pool_grid": _resolve_grid(estimator, len(stages)),
        "whitening": _whitening_shape(estimator, stages, layout),
        "feature_stages": estimator.feature_stages,
        "power": float(estimator.power),
    }


def _whitening_shape(estimator, stages, layout):
    """Return the spatial shape of whitening filters: that of the first stage's."""
    if estimator.whiten is None:
        return None
    sides = (stages[0].kernel_size,) * len(layout.spatial)
    return clip_kernel(sides, layout.spatial)
