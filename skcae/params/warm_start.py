"""What must not change between a fit and one that goes on from its weights."""

from .architecture import STAGE_PARAMETERS


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
    for name in STAGE_PARAMETERS:
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
