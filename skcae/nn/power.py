"""Powers of values that keep their signs."""

import torch
from torch import Tensor

_LEAST_MAGNITUDE = 1e-6


def signed_power(x: Tensor, power: float) -> Tensor:
    """Return the absolute values of `x`, raised to a power, with the signs of `x`."""
    if power == 1.0:
        return x
    magnitudes = x.abs()
    if torch.is_grad_enabled():
        # A root has no slope at 0.
        magnitudes = magnitudes.clamp_min(_LEAST_MAGNITUDE)
    return magnitudes.pow_(power).copysign_(x)
