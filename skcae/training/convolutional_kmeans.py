"""Filters that k-means finds wherever they are in windows of the samples."""

import math

import torch
from torch.nn import functional as F

from ..nn.filters import normalise_, remove_mean_
from .filter_starts import kmeans_filters
from .patches import ROUNDING

_N_ITER = 10
# Contrast, relative to that of all windows, below which a window shows mostly noise.
_LOW_CONTRAST = 0.25
# Windows whose responses are in memory at a time.
_BATCH_SIZE = 500


@torch.no_grad()
def convolutional_kmeans_filters(windows, kernel, n_filters, rng, *, centred=True):
    """Return filters around which patches gather, wherever these lie in a window.

    A window is larger than a filter. It belongs to the filter with the largest response
    in it, of either sign, and counts by the patch in that place alone. A filter is the
    sum of its patches, each with the sign of its response, scaled to unit norm. So no
    two filters need to be the same pattern, moved. A filter that loses its windows
    starts again from another patch.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, n_channels, *window), float32
        Windows of samples, whitened if the filters will see whitened samples.
    kernel : tuple of int
        Spatial shape of the filters.
    n_filters : int
        Number of filters.
    rng : numpy.random.Generator
        Draws the filters that the search begins with, see `kmeans_filters`.
    centred : bool, default=True
        Whether filters have no mean, as of `patch_filters`.

    Returns
    -------
    filters : ndarray of shape (n_filters, n_channels * prod(kernel)), float32
        Of unit norm.

    References
    ----------
    .. [1] A. Dundar, J. Jin, E. Culurciello, "Convolutional clustering for unsupervised
       learning", 2015, :doi:`10.48550/arXiv.1511.06241`.
    """
    shape = (n_filters, windows.shape[1], *kernel)
    start = kmeans_filters(_middles(windows, kernel), n_filters, rng, centred=centred)
    filters = torch.from_numpy(start).view(shape)
    windows = _with_contrast(torch.from_numpy(windows), centred)
    if not len(windows):
        return filters.flatten(1).numpy()
    for _ in range(_N_ITER):
        owners, patches = _members(windows, filters)
        sums = torch.zeros_like(filters).index_add_(0, owners, patches)
        lost = _without_windows(owners, n_filters)
        others = rng.integers(len(patches), size=int(lost.sum()))
        sums[lost] = patches[torch.from_numpy(others)]
        filters = _normalised(sums, centred)
    # What lost its windows at the very end may be a copy of another filter.
    lost = _without_windows(_members(windows, filters)[0], n_filters)
    filters[lost] = _random_filters(shape, rng)[lost]
    return filters.flatten(1).numpy()


def _without_windows(owners, n_filters):
    return torch.bincount(owners, minlength=n_filters) == 0


def _random_filters(shape, rng):
    rows = torch.from_numpy(rng.standard_normal(shape, dtype="float32"))
    return _normalised(rows, centred=True)


def _normalised(filters, centred):
    if centred:
        remove_mean_(filters)
    normalise_(filters)
    return filters


def _middles(windows, kernel):
    """Return the patch in the middle of each window, as rows."""
    for axis, side in enumerate(kernel, start=2):
        first = (windows.shape[axis] - side) // 2
        windows = windows.take(range(first, first + side), axis)
    return windows.reshape(len(windows), -1)


def _with_contrast(windows, centred):
    """Return those windows that show more than noise."""
    rows = windows.flatten(1)
    mean = rows.mean(dim=1, keepdim=True) if centred else 0.0
    contrast = torch.linalg.vector_norm(rows - mean, dim=1)
    noise = torch.maximum(
        _LOW_CONTRAST * contrast.square().mean().sqrt(),
        ROUNDING * rows.square().sum(dim=1).mean().sqrt(),
    )
    return windows[contrast > noise]


def _members(windows, filters):
    """Return the filter that each window belongs to, and its patch, with its sign."""
    parts = [_members_of_part(part, filters) for part in windows.split(_BATCH_SIZE)]
    return tuple(map(torch.cat, zip(*parts, strict=True)))


def _members_of_part(windows, filters):
    n_axes = windows.ndim - 2
    responses = getattr(F, f"conv{n_axes}d")(windows, filters)
    places = responses.shape[2:]
    rows = responses.flatten(1)
    best = rows.abs().argmax(dim=1)
    signs = rows.gather(1, best[:, None]).sign()
    n_places = math.prod(places)
    owners, place = best // n_places, torch.unravel_index(best % n_places, places)
    for axis, side in enumerate(filters.shape[2:], start=2):
        windows = windows.unfold(axis, side, 1)
    patches = windows[(torch.arange(len(windows)), slice(None), *place)]
    return owners, patches * signs.view(-1, *(1,) * (n_axes + 1))
