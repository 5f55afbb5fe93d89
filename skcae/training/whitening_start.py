"""The whitening of an autoencoder, learnt from samples."""

import math

import numpy as np
import torch

from ..nn.whitening import whitening_kernel
from .patches import constant_like, differ, draw_patches

# Patches that the whitening is computed from.
_N_PATCHES = 20000
# Samples that its scale is computed from.
_N_SCALED = 256


@torch.no_grad()
def start_whitening(whitening, x, epsilon, rng):
    """Compute the whitening of samples like `x`, and scale it to unit mean square.

    Parameters
    ----------
    whitening : Whitening
        Its filters are replaced.
    x : ndarray of shape (n_samples, n_channels, *spatial), float32
        Standardised samples, some thousand of them.
    epsilon : float
        Amount of regularisation, see `whitening_kernel`.
    rng : numpy.random.Generator
        Picks the patches.
    """
    n_channels, _, *kernel = whitening.kernel.shape
    patches = draw_patches(x, kernel, _N_PATCHES, rng)
    kernel = whitening_kernel(patches, (n_channels, *kernel), epsilon)
    whitening.set(kernel)
    # Not the first ones, which may be those of one kind.
    rows = _rows_that_vary(x, rng.permutation(len(x)), _N_SCALED)
    # Borders are no part of the patches, and may have a larger or smaller variance.
    squares = [
        whitening(torch.from_numpy(x[row : row + 1]).to(whitening.kernel.device))
        .square()
        .mean()
        .item()
        for row in rows
    ]
    if squares:
        whitening.set(kernel / math.sqrt(np.mean(squares)))


def _rows_that_vary(x, order, n_rows):
    """Return the first rows, passing over samples of one value if all others are."""
    vary = differ(x.reshape(len(x), -1), constant_like(x))[order]
    return order[:n_rows] if vary[:n_rows].any() else order[vary][:n_rows]
