"""Convolutions in one to three dimensions, in their fastest form."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _convolve_signals(x, weight, bias, stride, zeros, dilation=1, groups=1):
    x, weight = x.unsqueeze(2), weight.unsqueeze(2)
    stride, zeros, dilation = (1, stride), (0, zeros), (1, dilation)
    return F.conv2d(x, weight, bias, stride, zeros, dilation, groups).squeeze(2)


# Signals are computed as images of one row: only those have channels_last kernels,
# which are about twice as fast.
CONVOLVE = {1: _convolve_signals, 2: F.conv2d, 3: F.conv3d}
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.no_grad()
def use_channels_last(module: nn.Module) -> None:
    """Store filters so that convolutions run on channels_last tensors, the fastest."""
    for parameter in module.parameters():
        if parameter.ndim == 3:
            parameter.data = _channels_last(parameter.unsqueeze(2)).squeeze(2)
        elif parameter.ndim in _CHANNELS_LAST:
            parameter.data = _channels_last(parameter)


def _channels_last(x):
    # Not `contiguous`: one channel lies in both orders, and only strides tell which.
    return torch.empty_like(x, memory_format=_CHANNELS_LAST[x.ndim]).copy_(x)


class Convolution(nn.Module):
    """Convolution of signals, images or volumes with zeros on each side.

    Parameters
    ----------
    n_in, n_out : int
        Number of channels.
    kernel : tuple of int
        Spatial shape of the filters.
    stride : int
        Step of the filters.
    zeros : tuple of int
        Zeros before and after the input, along every spatial axis.
    """

    is_tied = False

    def __init__(self, n_in, n_out, kernel, stride=1, zeros=(0, 0)):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in, *kernel))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.stride = stride
        self.zeros = zeros

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output value."""
        return self.weight[0].numel()

    def forward(self, x: Tensor, bias=None) -> Tensor:
        """Return the feature maps of `x`, with another `bias` where it is given."""
        x, zeros = self._pad(x)
        bias = self.bias if bias is None else bias
        return CONVOLVE[x.ndim - 2](x, self.weight, bias, self.stride, zeros)

    def depthwise(self, x: Tensor, number: int, bias: Tensor) -> Tensor:
        """Return what one filter finds in every channel of `x`."""
        x, zeros = self._pad(x)
        n_channels = x.shape[1]
        weight = self.weight[number : number + 1]
        weight = weight.expand(n_channels, *weight.shape[1:])
        bias = bias.expand(n_channels)
        return CONVOLVE[x.ndim - 2](
            x, weight, bias, self.stride, zeros, groups=n_channels
        )

    def _pad(self, x):
        """Return `x`, padded where the convolution itself cannot, and its zeros."""
        before, after = self.zeros
        if before == after:
            return x, before
        return F.pad(x, (before, after) * (x.ndim - 2)), 0
