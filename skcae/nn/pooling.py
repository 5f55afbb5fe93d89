"""Pooling of feature maps: over windows."""

import torch
from torch import Tensor
from torch.nn import functional as F


def _max_pool_signals(x, size, **options):
    return F.max_pool2d(x.unsqueeze(2), (1, size), **options).squeeze(2)


def _avg_pool_signals(x, size, **options):
    return F.avg_pool2d(x.unsqueeze(2), (1, size), **options).squeeze(2)


# Signals are pooled as images of one row: only those have channels_last kernels.
_POOL = {
    "max": {1: _max_pool_signals, 2: F.max_pool2d, 3: F.max_pool3d},
    "avg": {1: _avg_pool_signals, 2: F.avg_pool2d, 3: F.avg_pool3d},
}


def pool(x: Tensor, mode: str, size: int) -> Tensor:
    """Keep the maximum or the mean of every window; the last may be smaller."""
    if size == 1:
        return x
    n_axes = x.ndim - 2
    if mode == "avg" and min(x.shape[2:]) < size:
        # torch averages no window that is larger than the map.
        size = tuple(min(size, length) for length in x.shape[2:])
        size = size[0] if n_axes == 1 else size
    elif mode == "max" and not x.requires_grad and _is_in_whole_windows(x, size):
        return _max_of_neighbours(x, size)
    return _POOL[mode][n_axes](x, size, ceil_mode=True)


def _is_in_whole_windows(x, size):
    return not any(length % size for length in x.shape[2:])


def _max_of_neighbours(x, size):
    # torch's own pooling writes where the maxima are, too, which only a gradient needs.
    for axis in range(2, x.ndim):
        neighbours = x.unflatten(axis, (-1, size)).unbind(axis + 1)
        x = torch.maximum(*neighbours[:2])
        for other in neighbours[2:]:
            torch.maximum(x, other, out=x)
    return x
