"""Views of samples for training: a little moved, or as a mirror shows them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .random_layer import RandomLayer
from .winner_take_all import random_crops


class RandomViews(RandomLayer):
    """Move every sample at random; nothing outside training.

    Parameters
    ----------
    shift : int
        By at most how many positions along every spatial axis; what comes in from
        outside repeats the border.
    flip : bool
        Whether half the samples are mirrored along the last axis.
    """

    def __init__(self, shift=0, flip=False):
        super().__init__()
        self.shift, self.flip = shift, flip

    @property
    def is_active(self) -> bool:
        """Whether views differ from the samples."""
        return bool(self.shift or self.flip)

    def forward(self, x: Tensor) -> Tensor:
        """Return a view of every sample in training mode, else `x`."""
        if not self.training:
            return x
        if self.shift:
            x = self._shifted(x)
        if self.flip:
            chosen = self.draw(torch.rand, x, x.shape[:1]) < 0.5
            chosen = chosen.view(-1, *(1,) * (x.ndim - 1))
            x = torch.where(chosen, x.flip(-1), x)
        return x

    def _shifted(self, x):
        sides = (self.shift, self.shift) * (x.ndim - 2)
        padded = F.pad(x, sides, mode="replicate")
        return random_crops(padded, x.shape[2:], self.generator, self.context)


class RandomDropout(RandomLayer):
    """Set values to zero at random, and scale the others up; only in training.

    Unlike torch's own it draws from a generator that can be set.

    Parameters
    ----------
    share : float
        Of the values.
    """

    def __init__(self, share=0.0):
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return what is left of `x`."""
        if not self.training or not self.share:
            return x
        return x * (self.draw(torch.rand, x) >= self.share) / (1 - self.share)
