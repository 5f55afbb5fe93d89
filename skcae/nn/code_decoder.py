"""The way back from pooled features to samples."""

import math

import torch
from torch import Tensor, nn

from .linear import linear
from .power import signed_power

# What features may be when their power has been undone: float32 has room to add them.
_MOST = 1e15


class CodeDecoder(nn.Module):
    """Rebuild samples from rows of pooled features.

    The features are reduced to a few directions of their channels, the same in every
    cell of the grid: as they are and, where they are powers of means, with the power
    undone, as means add up and powers do not. A linear map turns these values into
    weights of atoms, which have the size of a sample. The sum of atoms is kept within
    the range of the training samples.

    Parameters
    ----------
    architecture : Architecture
        One whose features are pooled.
    """

    def __init__(self, architecture):
        super().__init__()
        self.shapes, self.power = architecture.pooled_shapes, architecture.power
        self.shape = (architecture.n_channels, *architecture.spatial)
        for number, sizes in enumerate(architecture.reduced_channels):
            self.register_buffer(f"directions{number}", torch.zeros(sizes))
        n_values, n_atoms = math.prod(self.shape), architecture.n_atoms
        self.register_buffer("weight", torch.zeros(n_atoms, architecture.n_reduced))
        self.register_buffer("offset", torch.zeros(n_atoms))
        self.register_buffer("atoms", torch.zeros(n_values, n_atoms))
        self.register_buffer("mean", torch.zeros(n_values))
        bounds = (self.shape[0], *(1,) * (len(self.shape) - 1))
        self.register_buffer("low", torch.full(bounds, -math.inf))
        self.register_buffer("high", torch.full(bounds, math.inf))

    @property
    def directions(self):
        """Directions of the channels of each block, shape (n_directions, n_maps)."""
        buffers = dict(self.named_buffers())
        return [part for name, part in buffers.items() if name.startswith("directions")]

    @property
    def powers(self) -> tuple[float, ...]:
        """What features are raised to: they are taken as they are, and as means."""
        return (1.0,) if self.power == 1.0 else (1.0, 1.0 / self.power)

    @property
    def limit(self) -> float:
        """What features are cut to."""
        return _MOST ** min(self.power, 1.0)

    def blocks(self, rows: Tensor):
        """Yield the pooled maps of each stage and power, shape (N, cells, n_maps)."""
        rows = rows.clamp(-self.limit, self.limit)
        parts = rows.split(list(map(math.prod, self.shapes)), dim=1)
        for part, (n_maps, *_) in zip(parts, self.shapes, strict=True):
            maps = part.unflatten(1, (n_maps, -1)).transpose(1, 2)
            for power in self.powers:
                yield signed_power(maps, power)

    def reduce(self, rows: Tensor) -> Tensor:
        """Return what is left of rows of features, shape (N, n_reduced)."""
        return torch.cat(
            [
                linear(block, directions, exact=not self.training).flatten(1)
                for block, directions in zip(
                    self.blocks(rows), self.directions, strict=True
                )
            ],
            dim=1,
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return samples (N, C, *spatial) in standardised units."""
        exact = not self.training
        weights = linear(self.reduce(rows), self.weight, self.offset, exact=exact)
        x = linear(weights, self.atoms, self.mean, exact=exact)
        return x.unflatten(1, self.shape).clamp(self.low, self.high)

    def set_range(self, low: Tensor, high: Tensor, *, widens: bool) -> None:
        """Set the least and the largest value of each channel, in standardised units.

        Parameters
        ----------
        low, high : Tensor of n_channels values
            Of the training samples.
        widens : bool
            Whether values between the present bounds stay possible.
        """
        low, high = low.reshape(self.low.shape), high.reshape(self.high.shape)
        self.low.copy_(torch.minimum(low, self.low) if widens else low)
        self.high.copy_(torch.maximum(high, self.high) if widens else high)
