"""Noise on the input of a denoising autoencoder."""

import torch
from torch import Tensor

from ..params.corruptions import CORRUPTIONS
from .random_layer import RandomLayer


class Corruption(RandomLayer):
    """Noise on the input of a denoising autoencoder; nothing outside training.

    Parameters
    ----------
    kind : str
        Name of a row of `CORRUPTIONS`.
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
        row = CORRUPTIONS[self.kind]
        noise = self.draw(getattr(torch, row.noise), x)
        return row.function(x, noise, self.level, lambda: self._extremes(x))

    def _extremes(self, x):
        """Return the least and the largest value of every channel of the batch."""
        axes = (0, *range(2, x.ndim))
        low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
        return self.context.extremes(low, high)
