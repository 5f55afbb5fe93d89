"""Between the units of the data and those of the net."""

import torch
from torch import Tensor, nn


class ChannelScaler(nn.Module):
    """Affine map of each channel between the data's own units and the net's.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    n_axes : int
        Number of spatial axes.
    """

    def __init__(self, n_channels, n_axes):
        super().__init__()
        shape = (1, n_channels) + (1,) * n_axes
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def set(self, mean, scale):
        """Set centre and unit of every channel."""
        for buffer, values in ((self.mean, mean), (self.scale, scale)):
            buffer.copy_(torch.as_tensor(values).reshape(buffer.shape))

    def forward(self, x: Tensor) -> Tensor:
        """Go to the net's units."""
        pixels = x.movedim(1, -1)
        if x.shape[1] == 1 or not pixels.is_contiguous():
            return x.sub(self.mean).div_(self.scale)
        # Row by row is 8x faster than pixel by pixel, of three values each.
        row = pixels.shape[-2]
        mean, scale = (part.flatten().repeat(row) for part in (self.mean, self.scale))
        rows = pixels.flatten(-2).sub(mean).div_(scale)
        return rows.view(pixels.shape).movedim(-1, 1)

    def inverse(self, x: Tensor) -> Tensor:
        """Go back to the data's units."""
        return x * self.scale + self.mean
