"""What the parameters mean together: stages, scales, arguments of the module."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .activations import ACTIVATIONS
from .architecture import Architecture
from .cross_checks import (
    check_objective,
    check_together,
    is_stagewise,
    resolve_output_activation,
    without_loading,
)
from .filter_starts import FILTER_STARTS
from .stage import Stage, clip_kernel, map_sizes, one_per_stage

_SIZES = ("n_filters", "kernel_size", "stride", "pool_size")
_STAGE_PARAMETERS = (*_SIZES, "activation", "depthwise")


def _is_positive_integer(value):
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
    )


def _builtin(value):
    """Return a number or a text of numpy as one of Python, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _check_stage_value(name, given, value):
    if name == "activation":
        valid, expected = value in ACTIVATIONS, f"names among {tuple(ACTIVATIONS)}"
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
        columns[name] = one_per_stage(value, n_stages)
        for item in columns[name]:
            _check_stage_value(name, value, item)
    stages = tuple(
        Stage(
            **{name: _builtin(value) for name, value in zip(columns, row, strict=True)},
            padding=_builtin(estimator.padding),
            pool_mode=_builtin(estimator.pool_mode),
        )
        for row in zip(*columns.values(), strict=True)
    )
    for stage in stages:
        check = ACTIVATIONS[stage.activation].check
        if check is not None:
            check(stage)
    return stages


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
    least, largest = ACTIVATIONS[output_activation].bounds
    if None not in (least, largest):
        scale = (high - low) / (largest - least)
        mean = (low * largest - high * least) / (largest - least)
    else:
        scale = moments["channel_std"].copy()
        mean = moments["channel_mean"] if least is None else low
    scale[scale == 0] = 1.0
    return mean, scale


def draw_seed(random_state):
    """Return the seed of one fit."""
    return int(check_random_state(random_state).randint(2**31 - 1))


def training_params(estimator):
    """Return those parameters that every net is made with.

    A loaded model is rebuilt with those of its fit, whatever set_params did.
    """
    return {
        "optimizer": estimator.optimizer,
        "lr": estimator.lr,
        "weight_decay": estimator.weight_decay,
        "batch_size": estimator.batch_size,
        "precision": estimator.precision,
        "compile": bool(estimator.compile),
        "verbose": int(estimator.verbose),
        "net_params": without_loading(estimator.net_params),
    }


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
    untrained = epochs == 0 and FILTER_STARTS[learning["init"]].sees_samples
    return learning["has_own_decoder"] and (
        untrained or learning["sparsity"] == "winner_take_all"
    )


def warm_start_signature(architecture):
    """Return those values of an architecture that weights depend on.

    Parameters
    ----------
    architecture : Architecture

    Returns
    -------
    named : dict
        By the names of the user's parameters. What is one per stage is a tuple, or the
        value itself of a single stage.
    """
    stages, named = architecture.stages, {}
    for name in _STAGE_PARAMETERS:
        values = tuple(getattr(stage, name) for stage in stages)
        named[name] = values if len(values) > 1 else values[0]
    for name in ("pool_mode", "padding"):
        named[name] = getattr(stages[0], name)
    left_out = ("stages", "corruption", "corruption_level", "whitening")
    named |= {
        name: value
        for name, value in vars(architecture).items()
        if name not in left_out
    }
    if len(architecture.pool_grid) == 1:
        named["pool_grid"] = architecture.pool_grid[0]
    return named


def resolve_architecture(estimator, layout):
    """Return what an autoencoder is built of, all parameters checked.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Holds the parameters.
    layout : Layout
        Of the samples.

    Returns
    -------
    architecture : Architecture
    """
    check_together(estimator)
    stages = resolve_stages(estimator)
    check_objective(estimator, stages)
    try:
        map_sizes(layout.spatial, stages)
    except ValueError as error:
        raise ValueError(f"{error} X has {layout.n_features} feature(s).") from None
    as_they_are = (
        "n_components",
        "corruption",
        "corruption_level",
        "pooling",
        "feature_stages",
        "power",
    )
    return Architecture(
        stages,
        layout.spatial,
        layout.n_channels,
        output_activation=_builtin(resolve_output_activation(estimator)),
        tied_weights=bool(estimator.tied_weights),
        pool_grid=_resolve_grid(estimator, len(stages)),
        whitening=_whitening_shape(estimator, stages, layout),
        **{name: _builtin(getattr(estimator, name)) for name in as_they_are},
    )


def _whitening_shape(estimator, stages, layout):
    """Return the spatial shape of whitening filters: that of the first stage's."""
    if estimator.whiten is None:
        return None
    sides = (stages[0].kernel_size,) * len(layout.spatial)
    return clip_kernel(sides, layout.spatial)
