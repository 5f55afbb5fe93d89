"""Standardisation of channels, and the way back."""

import torch
from torch import Tensor, nn

# So many units from the centre, squares and products of values still fit into float32.
_MOST_UNITS = 1e15


class ChannelScaler(nn.Module):
    """Centre and unit of each channel, between the data's units and standardised ones.

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
            buffer.copy_(torch.from_numpy(values).reshape(buffer.shape))

    def value_range(self):
        """Return the values of each channel between which float32 has room.

        Returns
        -------
        low, high : ndarray of shape (n_channels,), float64
        """
        mean, scale = (
            part.detach().flatten().double().cpu().numpy()
            for part in (self.mean, self.scale)
        )
        return mean - _MOST_UNITS * scale, mean + _MOST_UNITS * scale

    def standardised(self, values) -> Tensor:
        """Return an array of one value per channel in standardised units."""
        values = torch.from_numpy(values).to(self.mean.device)
        return ((values - self.mean.flatten()) / self.scale.flatten()).float()

    def forward(self, x: Tensor) -> Tensor:
        """Return samples in standardised units."""
        pixels = x.movedim(1, -1)
        if x.shape[1] == 1 or not pixels.is_contiguous():
            return x.sub(self.mean).div_(self.scale)
        # Whole rows of an image are scaled 8 times faster than pixels of three values.
        row = pixels.shape[-2]
        mean, scale = (part.flatten().repeat(row) for part in (self.mean, self.scale))
        rows = pixels.flatten(-2).sub(mean).div_(scale)
        return rows.view(pixels.shape).movedim(-1, 1)

    def inverse(self, x: Tensor) -> Tensor:
        """Return samples in the units of the data."""
        return x * self.scale + self.mean
