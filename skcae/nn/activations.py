"""Activations, in place where torch can."""

from operator import attrgetter

import torch
from torch import Tensor

from ..params.activations import ACTIVATIONS

_FUNCTIONS = {name: attrgetter(row.torch)(torch) for name, row in ACTIVATIONS.items()}
# Bounds that are never reached are taken for what comes this close to them.
_EDGE = 0.02


def activate(x: Tensor, name: str) -> Tensor:
    """Return an activation of `x`, which may be overwritten."""
    return _FUNCTIONS[name](x)


def before_activation(x: Tensor, name: str) -> Tensor:
    """Return values of which the activation makes `x`, or nearly."""
    row = ACTIVATIONS[name]
    if row.inverse is None:
        return x
    low, high = row.bounds
    if low is not None:
        x = x.clamp(min=low + _EDGE)
    if high is not None:
        x = x.clamp(max=high - _EDGE)
    return row.inverse(x)
