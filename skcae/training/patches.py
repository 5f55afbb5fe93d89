"""Patches of samples, and whether they differ."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Difference, relative to the values themselves, that rounding makes between equals.
ROUNDING = 1e-5


def draw_patches(x, kernel, n_patches, rng):
    """Return different patches of samples, from inside of them.

    Where nearly all that are drawn are alike, which tells little of the samples, others
    are drawn: among the patches that differ from these.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
        Samples.
    kernel : tuple of int
        Spatial shape of a patch, at most that of a sample.
    n_patches : int
        Number of patches; all there are if those are fewer.
    rng : numpy.random.Generator
        Picks the patches.

    Returns
    -------
    patches : ndarray of shape (n_patches, n_channels * prod(kernel))
    """
    windows = sliding_window_view(x, kernel, axis=tuple(range(2, x.ndim)))
    places = (len(x), *windows.shape[2 : x.ndim])
    n_places = math.prod(places)

    def patches_at(drawn):
        sample, *place = np.unravel_index(drawn, places)
        return windows[(sample, slice(None), *place)].reshape(len(drawn), -1)

    patches = patches_at(rng.choice(n_places, min(n_patches, n_places), replace=False))
    # Fewer than a patch has values do not tell how these vary together.
    n_different = differ(patches, patches[0]).sum()
    if n_patches < n_places and n_different < patches.shape[1]:
        # Sample by sample: all patches of all samples would fill the memory.
        patches_of = (np.moveaxis(sample, 0, len(kernel)) for sample in windows)
        others = [
            differ(patches_of_sample.reshape(-1, patches.shape[1]), patches[0])
            for patches_of_sample in patches_of
        ]
        others = np.flatnonzero(np.concatenate(others))
        if len(others):
            n_drawn = min(n_patches, len(others))
            patches = patches_at(rng.choice(others, n_drawn, replace=False))
    return patches


def differ(rows, row):
    """Return which rows differ from another one by more than rounding errors."""
    deviation = np.abs(rows - row).max(axis=1)
    return deviation > ROUNDING * max(np.abs(rows).max(), np.abs(row).max())


def constant_like(x):
    """Return a flat sample that has the first value of every channel everywhere."""
    first = x[0].reshape(len(x[0]), -1)
    return np.repeat(first[:, 0], first.shape[1])
