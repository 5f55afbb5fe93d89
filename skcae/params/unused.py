"""Parameters that have no effect without another one: values given for them are named.

What asks for features that cannot be had is refused, see `cross_checks`; what changes
nothing is worth a warning, so that searches may vary parameters freely.
"""

import inspect

from ..utils.user_warnings import warn
from .activations import ACTIVATIONS
from .recipes import TUTORIAL
from .sparsities import SPARSITIES
from .stage import as_sequence


def uses_threshold(activations):
    """Whether one of several activations subtracts a threshold."""
    return any(ACTIVATIONS[name].has_threshold for name in activations)


def _uses_crops(estimator):
    sparsity = SPARSITIES.get(estimator.sparsity)
    return sparsity is not None and sparsity.uses_crops


def _names_of(rows, has):
    return " or ".join(repr(name) for name, row in rows.items() if has(row))


# By the parameter: whether it has an effect, and what has to be set for that.
_SWITCHES = {
    "threshold": (
        lambda estimator: uses_threshold(as_sequence(estimator.activation)),
        f"activation={_names_of(ACTIVATIONS, lambda row: row.has_threshold)}",
    ),
    "pool_mode": (
        lambda estimator: max(as_sequence(estimator.pool_size)) > 1,
        "pool_size to more than 1",
    ),
    "pool_grid": (lambda estimator: estimator.pooling is not None, "pooling"),
    "corruption_level": (
        lambda estimator: estimator.corruption is not None,
        "corruption",
    ),
    "sparsity_level": (lambda estimator: estimator.sparsity is not None, "sparsity"),
    "crop_size": (
        _uses_crops,
        f"sparsity={_names_of(SPARSITIES, lambda row: row.uses_crops)}",
    ),
    "validation_fraction": (
        lambda estimator: estimator.early_stopping,
        "early_stopping=True",
    ),
}


def warn_of_unused(estimator, params=None):
    """Warn of parameters that are not at their defaults and have no effect.

    Parameters
    ----------
    estimator : estimator
        With valid parameters, as the user has given them.
    params : SimpleNamespace, default=None
        What they are resolved to; None: they are plain values.
    """
    params, defaults = (
        params or estimator,
        inspect.signature(type(estimator)).parameters,
    )
    for name, (is_on, switch) in _SWITCHES.items():
        if name not in defaults or is_on(params):
            continue
        value, default = getattr(estimator, name), defaults[name].default
        if value not in (default, TUTORIAL.get(name, default)):
            warn(
                f"Got {name}={value!r}, which has no effect here; expected its "
                f"default, {default!r}. Set {switch}, or leave {name} out."
            )
