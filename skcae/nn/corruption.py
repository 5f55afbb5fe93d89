"""Noise on the input of a denoising autoencoder."""

import torch
from torch import Tensor

from .random_layer import RandomLayer


class Corruption(RandomLayer):
    """Noise on the input of a denoising autoencoder; nothing outside training.

    Parameters
    ----------
    kind : {"mask", "gaussian", "salt_and_pepper"}
        Set values to 0, add normal noise, or set values to their channel's extremes.
    level : float
        Share of the values that are replaced, or the noise's standard deviation in
        units of the standardised data.
    """

    def __init__(self, kind, level):
        super().__init__()
        self.kind, self.level = kind, level

    def forward(self, x: Tensor) -> Tensor:
        """Return a noisy copy of `x` in training mode, else `x`."""
        if not self.training:
            return x
        noise = self.draw(torch.randn if self.kind == "gaussian" else torch.rand, x)
        if self.kind == "gaussian":
            return x + self.level * noise
        if self.kind == "mask":
            return x * (noise >= self.level)
        axes = (0, *range(2, x.ndim))
        low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
        low, high = self.context.extremes(low, high)
        x = torch.where(noise < self.level / 2, low, x)
        return torch.where(noise > 1 - self.level / 2, high, x)
