"""From the parameters of a transformer to the architecture of its module."""

from numbers import Integral

import numpy as np

from .activations import ACTIVATIONS
from .architecture import STAGE_PARAMETERS, Architecture
from .cross_checks import (
    check_objective,
    check_together,
    is_stagewise,
    resolve_output_activation,
)
from .size_checks import check_size
from .stage import Stage, clip_kernel, map_sizes, one_per_stage


def _is_positive_integer(value):
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
    )


def _builtin(value):
    """Return a number or a text of numpy as one of Python, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _check_stage_value(name, given, value):
    if name == "activation":
        names = tuple(ACTIVATIONS)
        valid, expected = value in names, f"names among {names}"
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
        If the parameters name different numbers of stages, or impossible values.
    """
    given = {name: getattr(estimator, name) for name in STAGE_PARAMETERS}
    n_stages, columns = _n_stages(given), {}
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


def _n_stages(given):
    """Return how many stages parameters name; some name one value for all stages."""
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
    return n_stages


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
    architecture = Architecture(
        stages,
        layout.spatial,
        layout.n_channels,
        output_activation=_builtin(resolve_output_activation(estimator)),
        tied_weights=bool(estimator.tied_weights),
        pool_grid=_resolve_grid(estimator, len(stages)),
        whitening=_whitening_shape(estimator, stages, layout),
        trains_dense_code=estimator.max_epochs > 0 and not is_stagewise(estimator),
        **{name: _builtin(getattr(estimator, name)) for name in as_they_are},
    )
    check_size(architecture)
    return architecture


def _whitening_shape(estimator, stages, layout):
    """Return the spatial shape of whitening filters: that of the first stage's."""
    if estimator.whiten is None:
        return None
    sides = (stages[0].kernel_size,) * len(layout.spatial)
    return clip_kernel(sides, layout.spatial)
