"""Local whitening as a fixed convolution, and the way back."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .convolutions import CONVOLVE

# Frequencies per axis at which gains are computed, and the share by which the largest
# and smallest gain of all frequencies may miss those of the grid.
_FREQUENCIES = {1: 256, 2: 64, 3: 32}
_MARGIN = 0.05
# Deviation, relative to the values themselves, that is no more than their rounding.
_ROUNDING = 4 * np.finfo(np.float32).eps
# Relative error at which the inverse stops: about that of float32.
_TOLERANCE = 1e-6


def whitening_kernel(patches, shape, epsilon):
    """Return the filters that whiten patches in their centre.

    They are the centre rows of the ZCA matrix: of all whitening matrices the one whose
    output stays closest to its input. Made symmetric and positive definite, so that
    they can be undone at any size of the sample.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, n_channels * prod(kernel))
        Patches of standardised samples.
    shape : tuple of int
        Shape (n_channels, *kernel) of one patch, with odd sides.
    epsilon : float
        Positive; what is added to the variance of each principal direction, in units
        of their mean variance. Large: next to no whitening.

    Returns
    -------
    kernel : ndarray of shape (n_channels, n_channels, *kernel), float32
        Filters whose output on `patches` has unit variance on average.

    References
    ----------
    .. [1] A. J. Bell, T. J. Sejnowski, "The 'independent components' of natural scenes
       are edge filters", Vision Research 37(23), 1997,
       :doi:`10.1016/S0042-6989(97)00121-1`.
    .. [2] A. Kessy, A. Lewin, K. Strimmer, "Optimal whitening and decorrelation", The
       American Statistician 72(4), 2018, :doi:`10.1080/00031305.2016.1277159`.
    """
    centred = patches.astype(np.float64)
    centred -= centred.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0.0)
    if variances.mean() <= _ROUNDING**2 * np.square(patches, dtype=np.float64).mean():
        return _identity(shape).astype(np.float32)
    gains = 1.0 / np.sqrt(variances + epsilon * variances.mean())
    zca = (directions * gains) @ directions.T
    kernel = zca.reshape(*shape, *shape)[:, *(side // 2 for side in shape[1:])]
    kernel = (kernel + _adjoint(kernel)) / 2
    # Other rows than the centre's share in the definiteness of the matrix: without them
    # a few frequencies may lose it. The bound keeps the inverse's gain near its own.
    lift = gains.min() / 4 - _gain_range(kernel)[0]
    if lift > 0.0:
        kernel += lift * _identity(shape)
    rows = kernel.reshape(len(kernel), -1)
    variance = np.einsum("ci,ij,cj->c", rows, covariance, rows).mean()
    if variance <= _ROUNDING**2 * np.square(rows).sum() * variances.sum():
        return _identity(shape).astype(np.float32)
    return (kernel / math.sqrt(variance)).astype(np.float32)


def _identity(shape):
    """Return the filters that leave samples as they are."""
    kernel = np.zeros((shape[0], *shape))
    centre = (side // 2 for side in shape[1:])
    kernel[:, :, *centre] = np.eye(shape[0])
    return kernel


def _adjoint(kernel):
    """Return the filters of the transposed convolution."""
    return np.flip(kernel.swapaxes(0, 1), tuple(range(2, kernel.ndim)))


def _gain_range(kernel):
    """Return the smallest and largest gain of symmetric filters at any frequency.

    On samples of finite size no gain leaves this range (but by a little with borders
    that are not zero).
    """
    n_channels, _, *sides = kernel.shape
    axes = tuple(range(2, kernel.ndim))
    lengths = [max(_FREQUENCIES[len(sides)], 2 * side) for side in sides]
    pad = [(0, n - side) for n, side in zip(lengths, sides, strict=True)]
    centred = np.roll(
        np.pad(kernel.astype(np.float64), [(0, 0), (0, 0), *pad]),
        [-(side // 2) for side in sides],
        axes,
    )
    response = np.moveaxis(np.fft.rfftn(centred, axes=axes), (0, 1), (-2, -1))
    gains = np.linalg.eigvalsh(response.reshape(-1, n_channels, n_channels))
    return gains.min(), gains.max()


class Whitening(nn.Module):
    """Fixed convolution that makes neighbouring values uncorrelated, and its inverse.

    Samples are continued by their border values: zeros would be edges, and whitening
    enhances edges.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    kernel : tuple of int
        Spatial shape of the filters, odd sides.
    """

    def __init__(self, n_channels, kernel):
        super().__init__()
        # Not from numpy: a module on PyTorch's "meta" device takes no memory.
        identity = torch.zeros(n_channels, n_channels, *kernel)
        centre = (side // 2 for side in kernel)
        identity[:, :, *centre] = torch.eye(n_channels)
        self.register_buffer("kernel", identity)
        self.register_buffer("gain_range", torch.tensor([1 - _MARGIN, 1 + _MARGIN]))

    @torch.no_grad()
    def set(self, kernel):
        """Set the filters, as `whitening_kernel` gives them."""
        low, high = _gain_range(kernel)
        self.kernel.copy_(torch.as_tensor(kernel))
        self.gain_range.copy_(torch.tensor([low * (1 - _MARGIN), high * (1 + _MARGIN)]))

    @property
    def n_iter(self) -> int:
        """Number of convolutions that `inverse` takes."""
        low, high = self.gain_range.tolist()
        return math.ceil(math.sqrt(high / low) * math.log(2.0 / _TOLERANCE) / 2)

    def forward(self, x: Tensor) -> Tensor:
        """Whiten standardised samples."""
        pad = [side // 2 for side in reversed(self.kernel.shape[2:]) for _ in range(2)]
        x = F.pad(x, pad, mode="replicate")
        return CONVOLVE[len(pad) // 2](x, self.kernel, None, 1, 0)

    def inverse(self, y: Tensor) -> Tensor:
        """Return the standardised samples that `forward` makes `y` of.

        Chebyshev's iteration: a fixed number of convolutions that depends on the
        filters only, hence linear in `y` and the same for every sample.

        References
        ----------
        .. [1] Y. Saad, "Iterative Methods for Sparse Linear Systems", 2nd ed., SIAM
           2003, algorithm 12.1, :doi:`10.1137/1.9780898718003`.
        """
        x, step, rest = torch.zeros_like(y), torch.zeros_like(y), y
        for of_step, of_rest in self.factors():
            step = of_step * step + of_rest * rest
            x = x + step
            rest = rest - self(step)
        return x

    def factors(self):
        """Yield what each step of `inverse` takes of the last one and of the rest."""
        low, high = self.gain_range.tolist()
        centre, radius = (high + low) / 2, (high - low) / 2
        ratio = radius / centre
        yield 0.0, 1.0 / centre
        for _ in range(self.n_iter - 1):
            following = 1.0 / (2.0 * centre / radius - ratio)
            yield following * ratio, 2.0 * following / radius
            ratio = following
