"""Pooling of feature maps: over windows, or over a grid of fixed size."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..params.pool_modes import POOL_MODES


def pool(x: Tensor, mode: str, size: int) -> Tensor:
    """Pool maps over windows; those at the end of an axis may be smaller."""
    if size == 1:
        return x
    row, sides = POOL_MODES[mode], (size,) * (x.ndim - 2)
    if min(x.shape[2:]) < size:
        # torch averages no window that is larger than the map.
        sides = tuple(map(min, sides, x.shape[2:]))
    if row.of_pair and not x.requires_grad and _is_in_whole_windows(x, sides):
        return _fold(x, sides, getattr(torch, row.of_pair))
    return _pool_windows(x, row, sides)


def _is_in_whole_windows(x, sides):
    return not any(
        length % side for length, side in zip(x.shape[2:], sides, strict=True)
    )


def _fold(x, sides, of_pair):
    # torch's own pooling writes where the maxima are, too, which only a gradient needs.
    for axis, side in enumerate(sides, start=2):
        if side > 1:
            first, second, *others = x.unflatten(axis, (-1, side)).unbind(axis + 1)
            x = of_pair(first, second)
            for other in others:
                of_pair(x, other, out=x)
    return x


def _pool_windows(x, row, sides):
    if x.ndim > 3:
        return getattr(F, f"{row.torch}{x.ndim - 2}d")(x, sides, ceil_mode=True)
    # Signals are images of one row: only those have channels_last kernels.
    x = x.unsqueeze(2)
    return getattr(F, f"{row.torch}2d")(x, (1, *sides), ceil_mode=True).squeeze(2)


class GridPooling(nn.Module):
    """Pool feature maps of any size over a grid of fixed size.

    Parameters
    ----------
    mode : str
        Name of a row of `POOL_MODES`: what to keep of each cell.
    grid : int
        Cells per spatial axis.
    """

    def __init__(self, mode, grid):
        super().__init__()
        self.mode, self.grid = mode, grid

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of shape (N, C, grid, ...)."""
        n_axes, row = maps.ndim - 2, POOL_MODES[self.mode]
        if not row.is_mean:
            return getattr(F, f"adaptive_{row.torch}{n_axes}d")(maps, self.grid)
        # As a product with a matrix it takes a fraction of the time.
        weights = self.weights(maps.shape[2:], maps.device)
        means = torch.matmul(weights, maps.movedim(1, -1).flatten(1, -2))
        return means.transpose(1, 2).unflatten(2, (self.grid,) * n_axes)

    def weights(self, spatial, device=None) -> Tensor:
        """Return the weights of all positions in the mean of each cell."""
        weights = torch.ones(1, 1, device=device)
        for length in spatial:
            weights = torch.kron(weights, cells(length, self.grid, device))
        return weights


def cells(length, grid, device=None):
    """Return the weights by which the cells of an axis average its positions.

    Parameters
    ----------
    length : int
        Number of positions.
    grid : int
        Number of cells. Where there are fewer positions, cells share them.
    device : torch.device or None, default=None
        Of the result.

    Returns
    -------
    weights : Tensor of shape (grid, length)
        One row per cell.
    """
    number = torch.arange(grid, device=device)[:, None]
    place = torch.arange(length, device=device)
    first, last = number * length // grid, -(-(number + 1) * length // grid)
    inside = ((place >= first) & (place < last)).float()
    return inside / inside.sum(dim=1, keepdim=True)
