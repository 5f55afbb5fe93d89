"""What must not change between a fit and one that goes on from its weights."""

from .architecture import STAGE_PARAMETERS
from .unused import uses_threshold

# Values of an architecture that are not its stages'. Noise may change.
_OF_THE_WHOLE = (
    "spatial",
    "n_channels",
    "output_activation",
    "tied_weights",
    "n_components",
    "pooling",
    "feature_stages",
    "power",
)


def warm_start_signature(architecture, learning):
    """Return what the weights at hand depend on.

    Parameters
    ----------
    architecture : Architecture
        Of the module.
    learning : dict
        How filters are learnt, see `learning_params`: a warm start keeps the whitening
        and the thresholds.

    Returns
    -------
    named : dict
        By the names of the user's parameters. What is one per stage is a tuple, or the
        value itself of a single stage. Parameters that have no effect are left out.
    """
    stages, named = architecture.stages, {"whiten": learning["whiten"]}
    for name in STAGE_PARAMETERS:
        named[name] = _by_stage([getattr(stage, name) for stage in stages])
    named["padding"] = stages[0].padding
    if any(stage.pool_size > 1 for stage in stages):
        named["pool_mode"] = stages[0].pool_mode
    if uses_threshold(stage.activation for stage in stages):
        named["threshold"] = learning["threshold"]
    for name in _OF_THE_WHOLE:
        named[name] = getattr(architecture, name)
    if architecture.pooling is not None:
        named["pool_grid"] = _by_stage(architecture.pool_grid)
    return named


def _by_stage(values):
    return tuple(values) if len(values) > 1 else values[0]
