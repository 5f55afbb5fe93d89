"""Filters that are made of patches of samples."""

import math

import numpy as np
from scipy.sparse import csr_array

from .patches import ROUNDING

# Contrast, relative to that of all patches, below which a patch shows mostly noise.
_LOW_CONTRAST = 0.25
# Two filters with a product of this size find the same.
_ALIKE = 0.9
# Patches looked at for each filter wanted.
_TRIES = 50
# Spherical k-means has settled by then for this purpose.
_KMEANS_ITER = 20


def remove_mean(patches):
    """Return patches without their mean, from 3 values on.

    What filters of such patches find does not depend on the brightness.
    """
    if patches.shape[1] < 3:
        return patches
    return patches - patches.mean(axis=1, keepdims=True)


def patch_filters(patches, n_filters, rng, *, centred=True):
    """Return randomly picked patches as filters: no training at all.

    Patches of little contrast and those that resemble a filter already picked, or its
    negative, are passed over; where the patches do not suffice the other filters are
    random numbers.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, n_values)
        Patches in random order, whitened if the filters will see whitened samples.
    n_filters : int
        Number of filters.
    rng : numpy.random.Generator
        Picks the patches.
    centred : bool, default=True
        Whether filters have no mean. Whitened samples have hardly any; what there is
        tells something.

    Returns
    -------
    filters : ndarray of shape (n_filters, n_values), float32
        Of unit norm.

    References
    ----------
    .. [1] A. Coates, A. Y. Ng, "The importance of encoding versus training with sparse
       coding and vector quantization", ICML 2011,
       https://icml.cc/2011/papers/485_icmlpaper.pdf.
    """
    candidates = _unit_norm(_with_contrast(patches, centred))
    filters = np.zeros((n_filters, patches.shape[1]), dtype=np.float32)
    n_picked = 0
    for row in rng.permutation(len(candidates))[: _TRIES * n_filters]:
        if n_picked == n_filters:
            break
        candidate = candidates[row]
        if np.abs(filters[:n_picked] @ candidate).max(initial=0.0) < _ALIKE:
            filters[n_picked] = candidate
            n_picked += 1
    filters[n_picked:] = _random_filters(n_filters - n_picked, filters.shape[1], rng)
    return filters


def kmeans_filters(patches, n_filters, rng, *, centred=True):
    """Return the directions around which patches gather, by spherical k-means.

    Each patch belongs to the filter whose product with it is largest, whatever the
    product's sign: a filter finds its negative too, and two filters that differ by
    their sign are one too many. A filter is the sum of its patches, each with the sign
    of its product, scaled to unit norm: patches count by their contrast. A filter
    that loses its patches starts again from a badly represented one.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, n_values)
        Patches, whitened if the filters will see whitened samples.
    n_filters : int
        Number of filters.
    rng : numpy.random.Generator
        Picks the patches that filters start from.
    centred : bool, default=True
        As of `patch_filters`.

    Returns
    -------
    filters : ndarray of shape (n_filters, n_values), float32
        Of unit norm.

    References
    ----------
    .. [1] I. S. Dhillon, D. S. Modha, "Concept decompositions for large sparse text
       data using clustering", Machine Learning 42, 2001,
       :doi:`10.1023/A:1007612920971`.
    .. [2] A. Coates, A. Y. Ng, "Learning feature representations with k-means", Neural
       Networks: Tricks of the Trade, 2012, :doi:`10.1007/978-3-642-35289-8_30`.
    """
    filters = patch_filters(patches, n_filters, rng, centred=centred)
    patches = _with_contrast(patches, centred)
    if not len(patches):
        return filters
    for _ in range(_KMEANS_ITER):
        sums, errors = _sums_of_members(patches, filters)
        norms = np.linalg.norm(sums, axis=1)
        lost = norms == 0.0
        filters[~lost] = _unit_norm(sums[~lost])
        filters[lost] = _fresh_filters(lost.sum(), patches, errors, rng)
    # What lost its patches at the very end may be a copy of another filter.
    lost = ~_sums_of_members(patches, filters)[0].any(axis=1)
    filters[lost] = _random_filters(lost.sum(), filters.shape[1], rng)
    return filters


def _sums_of_members(patches, filters):
    """Return the sum of each filter's patches, and each patch's squared error."""
    products = patches @ filters.T
    rows = np.arange(len(patches) + 1)
    owner = np.abs(products).argmax(axis=1)
    products = products[rows[:-1], owner]
    # One value per patch: as a sparse matrix it costs next to nothing to sum.
    members = csr_array(
        (np.sign(products), owner, rows), shape=(len(patches), len(filters))
    )
    errors = np.einsum("ij,ij->i", patches, patches) - products**2
    return members.T @ patches, np.maximum(errors, 0.0)


def _fresh_filters(n_filters, patches, errors, rng):
    """Return badly represented patches as filters."""
    is_bad = np.flatnonzero(errors > 0.5 * errors.mean())
    filters = _random_filters(n_filters, patches.shape[1], rng)
    rows = rng.choice(is_bad, min(n_filters, len(is_bad)), replace=False)
    filters[: len(rows)] = _unit_norm(patches[rows])
    return filters


def _with_contrast(patches, centred):
    """Return those patches, with or without mean, that show more than noise."""
    rows = remove_mean(patches) if centred else patches
    contrast = np.linalg.norm(rows, axis=1)
    noise = max(
        _LOW_CONTRAST * math.sqrt(np.square(contrast).mean()),
        ROUNDING * math.sqrt(np.square(patches).sum(axis=1).mean()),
    )
    return rows[contrast > noise]


def _random_filters(n_filters, n_values, rng):
    rows = rng.standard_normal((n_filters, n_values), dtype=np.float32)
    return _unit_norm(remove_mean(rows))


def _unit_norm(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
