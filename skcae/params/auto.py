"""What "auto" stands for: the recipe, and the parameters that it decides."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from .activations import ACTIVATIONS
from .architecture import STAGE_PARAMETERS
from .cross_checks import check_given, resolve_output_activation
from .recipes import TUTORIAL, recipes, unknown_recipe
from .stage import as_sequence

AUTO = "auto"
# Images of which a side is smaller have no room for large filters.
_SMALL_SIDE = 12
_MEDIUM_SIDE = 20
# Where a recipe that finds filters without epochs is asked to train.
_N_EPOCHS = 10


def recipe_for(layout):
    """Return the name of the recipe for samples of a layout.

    =============  =========  ============  ==========
    spatial axes   channels   least side    recipe
    =============  =========  ============  ==========
    1              any        any           "signal"
    2              any        less than 12  "small"
    2              1          12 to 19      "medium"
    2              1          20 or more    "grey"
    2              2 or more  12 or more    "colour"
    3              any        any           "volume"
    =============  =========  ============  ==========
    """
    if len(layout.spatial) != 2:
        return "signal" if len(layout.spatial) == 1 else "volume"
    side = min(layout.spatial)
    if side < _SMALL_SIDE:
        return "small"
    if layout.n_channels > 1:
        return "colour"
    return "medium" if side < _MEDIUM_SIDE else "grey"


@dataclass(frozen=True)
class _Fallback:
    """A value that a recipe's gives way to, where given ones do not go with that.

    `applies` is a function of all parameters, and of the names of those that the recipe
    has decided.
    """

    parameter: str
    value: Any
    applies: Callable


def _excludes_winners(params, decided):
    return (
        params.corruption is not None
        or params.tied_weights
        or params.loss != "squared_error"
        or any(step != 1 for step in as_sequence(params.stride))
    )


def _asks_for_training(params, decided):
    """Whether something is given that means nothing unless epochs are trained."""
    return params.max_epochs == 0 and (
        params.corruption is not None
        or params.loss != "squared_error"
        or params.optimizer != "adam"
        or params.weight_decay != 0
        or bool(params.early_stopping)
        or bool(params.callbacks)
        or not {"sparsity", "lr"} <= decided
    )


_FALLBACKS = (
    _Fallback("max_epochs", _N_EPOCHS, _asks_for_training),
    _Fallback(
        "whiten",
        None,
        lambda params, decided: (
            ACTIVATIONS[resolve_output_activation(params)].bounds != (None, None)
        ),
    ),
    _Fallback("sparsity", None, _excludes_winners),
    _Fallback("feature_stages", "last", lambda params, decided: params.pooling is None),
    _Fallback("power", 1.0, lambda params, decided: params.pooling is None),
)


def resolve_parameters(estimator, layout):
    """Return the parameters of a transformer, with a value in place of every "auto".

    Values that are given win. Where a recipe's do not go together with them, these
    give way.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Holds the parameters.
    layout : Layout
        Of the samples.

    Returns
    -------
    params : SimpleNamespace
        All parameters; `recipe` is a name.

    Raises
    ------
    ValueError
        If there is no recipe of that name.
    """
    check_given(estimator)
    params = SimpleNamespace(**estimator.get_params(deep=False))
    if params.recipe == AUTO:
        params.recipe = recipe_for(layout)
    if params.recipe not in recipes:
        raise ValueError(str(unknown_recipe(params.recipe, [AUTO, *recipes])))
    recipe = recipes[params.recipe]
    decided = {name for name in TUTORIAL if _is_auto(getattr(params, name))}
    for name in decided:
        setattr(params, name, recipe[name])
    for fallback in _FALLBACKS:
        if fallback.parameter in decided and fallback.applies(params, decided):
            setattr(params, fallback.parameter, fallback.value)
    _fit_to_stages(params, decided)
    return params


def _is_auto(value):
    return isinstance(value, str) and value == AUTO


def _fit_to_stages(params, decided):
    """Give the recipe's values as many stages as the given values have."""
    n_stages = _n_stages(params, decided)
    for name in STAGE_PARAMETERS:
        if name in decided:
            setattr(params, name, _stretched(getattr(params, name), n_stages))
    if "pool_grid" in decided:
        grids = _stretched(params.pool_grid, n_stages)
        if params.feature_stages == "last" and isinstance(grids, tuple):
            grids = grids[-1]
        params.pool_grid = grids


def _n_stages(params, decided):
    """Return how many stages there are: as many as given values or a recipe's say."""
    given = [getattr(params, name) for name in STAGE_PARAMETERS if name not in decided]
    lengths = [len(value) for value in given if isinstance(value, (tuple, list))]
    if lengths:
        return max(lengths)
    return len(as_sequence(params.n_filters))


def _stretched(value, n_stages):
    """Return a recipe's value for the first stage, and for all further ones."""
    if not isinstance(value, tuple):
        return value
    stages = value[:n_stages] + value[-1:] * (n_stages - len(value))
    return stages if len(stages) > 1 else stages[0]
