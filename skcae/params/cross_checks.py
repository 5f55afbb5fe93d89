"""Which parameters do not go together."""

from ..utils.sklearn_compat import Interval
from .activations import ACTIVATIONS
from .callbacks import check_callbacks
from .checkpoint_path import check_checkpoint_path
from .corruptions import CORRUPTIONS
from .losses import LOSSES
from .net_params import check_net_params
from .sparsities import SPARSITIES


def resolve_output_activation(estimator):
    """Return the name of the activation behind the last decoder stage."""
    name = estimator.output_activation
    implied = LOSSES[estimator.loss].implies_output
    if implied is None:
        return name
    if name not in ("identity", implied):
        raise ValueError(
            f"Got loss={estimator.loss!r} with output_activation={name!r}; expected "
            f"{implied!r}, which this loss implies. Leave output_activation at its "
            "default, or choose another loss."
        )
    return implied


def is_stagewise(estimator):
    """Whether the stages are trained one after the other."""
    sparsity = SPARSITIES.get(estimator.sparsity)
    return bool(estimator.layerwise) or (sparsity is not None and sparsity.is_stagewise)


def check_booleans(estimator):
    """Raise TypeError for booleans, which Python takes for numbers."""
    for name, options in estimator._parameter_constraints.items():
        is_number = any(isinstance(option, Interval) for option in options)
        value = getattr(estimator, name)
        if is_number and isinstance(value, bool):
            raise TypeError(
                f"Got {name}={value}; expected a number. Write {int(value)} if that "
                "is what you mean."
            )


def _check_features(estimator):
    """Refuse what is only there for pooled maps where maps are not pooled."""
    if estimator.pooling is not None:
        return
    if estimator.feature_stages == "all":
        raise ValueError(
            "Got feature_stages='all' with pooling=None; expected pooled maps, as "
            "those of several stages are many. Set pooling='avg'."
        )
    if estimator.power != 1:
        raise ValueError(
            f"Got power={estimator.power} with pooling=None; expected power=1 for "
            "features that are the maps themselves. Set pooling='avg'."
        )


def _check_whitening(estimator):
    if estimator.whiten is None:
        return
    name = resolve_output_activation(estimator)
    if ACTIVATIONS[name].bounds != (None, None):
        raise ValueError(
            f"Got whiten={estimator.whiten} with an output activation {name!r}; "
            "expected 'identity', as whitened values have no bounds. Leave "
            "output_activation at its default and choose another loss than 'log_loss'."
        )


def _check_corruption(estimator):
    level, kind = estimator.corruption_level, CORRUPTIONS.get(estimator.corruption)
    if kind is not None and kind.level_is_share and level > 1:
        raise ValueError(
            f"Got corruption_level={level} with corruption={kind.name!r}; expected a "
            "share between 0 and 1. Lower it, or use corruption='gaussian', whose "
            "level is a standard deviation."
        )


def check_objective(estimator, stages):
    """Raise ValueError for stages that the objective cannot train."""
    sparsity = SPARSITIES.get(estimator.sparsity)
    if sparsity is not None and sparsity.check is not None:
        sparsity.check(estimator, stages)


def check_given(estimator):
    """Raise ValueError or TypeError for parameters that no recipe decides."""
    check_booleans(estimator)
    check_callbacks(estimator.callbacks)
    check_net_params(estimator)


def check_together(estimator):
    """Raise ValueError or TypeError for what single constraints cannot express."""
    _check_features(estimator)
    _check_whitening(estimator)
    check_checkpoint_path(estimator.checkpoint)
    _check_corruption(estimator)
