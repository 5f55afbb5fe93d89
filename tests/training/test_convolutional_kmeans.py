"""Filters that k-means finds wherever they are in windows of the samples."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from skcae.training.convolutional_kmeans import convolutional_kmeans_filters
from skcae.training.filter_starts import kmeans_filters, remove_mean
from skcae.training.patches import draw_patches

from ..conftest import make_small
from .conftest import check_filters, cosines


def windows_of(x, kernel, n_windows=3000):
    """Draw windows as a fit draws them."""
    window = tuple(
        min(2 * side - 1, length)
        for side, length in zip(kernel, x.shape[2:], strict=True)
    )
    rows = draw_patches(x, window, n_windows, np.random.default_rng(0))
    return rows.reshape(-1, x.shape[1], *window)


def search(windows, side, n_filters, seed=0):
    kernel = (side,) * (windows.ndim - 2)
    rng = np.random.default_rng(seed)
    return convolutional_kmeans_filters(windows, kernel, n_filters, rng)


def responses(windows, filters, side):
    """Return responses of images' windows: (n_windows, n_filters, n_places)."""
    weight = torch.from_numpy(filters).view(len(filters), -1, side, side)
    return F.conv2d(torch.from_numpy(windows), weight).flatten(2).numpy()


@pytest.fixture(scope="module")
def digit_windows(digits):
    return windows_of(digits[:, None].astype(np.float32), (4, 4))


@pytest.fixture(scope="module")
def moved_copies():
    """Windows that show one edge, anywhere, of either sign, and a little noise."""
    rng = np.random.default_rng(0)
    edge = np.tile([1, 1, -1, -1], (4, 1))
    x = 0.01 * rng.standard_normal((2000, 1, 7, 7), dtype=np.float32)
    for image in x[:, 0]:
        i, j = rng.integers(4, size=2)
        image[i : i + 4, j : j + 4] += rng.choice([-1, 1]) * rng.uniform(1, 3) * edge
    return x, (edge / np.linalg.norm(edge)).ravel()


@pytest.mark.parametrize("kind", ["signals", "digits", "volumes"])
@pytest.mark.parametrize("side", [1, 2, 5])
@pytest.mark.parametrize("n_filters", [1, 7, 32])
def test_filters(kind, side, n_filters, request):
    x = request.getfixturevalue(kind)[:200, None].astype(np.float32)
    kernel = (side,) * (x.ndim - 2)
    filters = search(windows_of(x, kernel), side, n_filters)
    check_filters(filters, (n_filters, side ** len(kernel)))


def test_filters_of_several_channels(photographs):
    x = np.moveaxis(photographs, -1, 1).astype(np.float32)
    check_filters(search(windows_of(x, (3, 3)), 3, 6), (6, 27))


def alike(windows, filters):
    """Return how alike the patches are that filters find: 1 for one and the same."""
    largest = np.abs(responses(windows, filters, 4)).max(axis=1).argmax(axis=1)
    row, column = np.divmod(largest, 4)
    places = np.lib.stride_tricks.sliding_window_view(windows[:, 0], (4, 4), (1, 2))
    patches = remove_mean(places[np.arange(len(windows)), row, column].reshape(-1, 16))
    patches /= np.linalg.norm(patches, axis=1, keepdims=True)
    return np.linalg.svd(patches, compute_uv=False)[0] ** 2 / len(patches)


def test_moved_copies_of_a_pattern_are_found_as_one(moved_copies):
    """In most searches: some end with what a neighbouring place shows of it."""
    windows, edge = moved_copies
    searches = [search(windows, 4, 4, seed) for seed in range(9)]
    assert np.median([alike(windows, filters) for filters in searches]) > 0.99
    assert np.median([np.abs(filters @ edge).max() for filters in searches]) > 0.999


@pytest.mark.parametrize("n_filters", [8, 32])
def test_windows_of_digits_show_more_of_such_filters(digit_windows, n_filters):
    def shown(filters):
        largest = np.abs(responses(digit_windows, filters, 4)).max(axis=(1, 2))
        contrast = remove_mean(digit_windows.reshape(len(digit_windows), -1))
        return np.square(largest).sum() / np.square(contrast).sum()

    for seed in range(3):
        rng = np.random.default_rng(seed)
        patches = draw_patches(digit_windows, (4, 4), 30000, rng)
        by_patches = kmeans_filters(patches, n_filters, rng)
        by_windows = search(digit_windows, 4, n_filters, seed)
        assert shown(by_windows) > 1.02 * shown(by_patches)


def test_same_seed_same_filters(digit_windows):
    before = digit_windows.copy()
    first, second, other = (search(digit_windows, 4, 16, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(digit_windows, before)


@pytest.mark.parametrize("n_windows", [1, 5])
def test_fewer_windows_than_filters(n_windows, digit_windows):
    filters = search(digit_windows[:n_windows], 4, 20)
    check_filters(filters, (20, 16))
    assert cosines(filters).max() < 0.99


@pytest.mark.parametrize("value", [0.0, 0.1, 7.3, -1e6])
def test_constant_windows(value):
    filters = search(np.full((50, 1, 7, 7), value, np.float32), 4, 8)
    check_filters(filters, (8, 16))
    assert cosines(filters).max() < 0.99


def test_windows_of_noise_are_passed_over(digit_windows):
    rng = np.random.default_rng(0)
    noise = 1e-3 * rng.standard_normal((9000, 1, 7, 7), dtype=np.float32)
    filters = search(np.concatenate([noise, digit_windows]), 4, 16)
    np.testing.assert_array_equal(filters, search(digit_windows, 4, 16))


@pytest.mark.parametrize("kind", ["signals", "digits", "volumes"])
@pytest.mark.parametrize("kernel_size", [3, 9])
def test_fit(kind, kernel_size, request):
    X = request.getfixturevalue(kind)[:300, :7]
    params = {"init": "convolutional_kmeans", "kernel_size": kernel_size, "whiten": 0.1}
    cae = make_small(**params, max_epochs=0, pool_size=1, n_filters=8).fit(X)
    norms = np.linalg.norm(cae.filters_.reshape(8, -1), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)
    assert cae.history_ == []
    random = make_small(**params | {"init": "random"}, max_epochs=0, n_filters=8)
    assert cae.score(X) > max(0.5, random.fit(X).score(X))
    again = make_small(**params, max_epochs=0, pool_size=1, n_filters=8).fit(X)
    np.testing.assert_array_equal(cae.filters_, again.filters_)


def test_later_stages_search_their_own_maps(small_digits):
    params = {"n_filters": (4, 3), "depthwise": (False, True), "max_epochs": 0}
    cae = make_small(**params, init="convolutional_kmeans").fit(small_digits)
    random = make_small(**params).fit(small_digits)
    for ours, theirs in zip(cae.module_.encoder, random.module_.encoder, strict=True):
        ours, theirs = (part.convolution.weight.detach() for part in (ours, theirs))
        assert (ours != theirs).all()
        norms = ours.flatten(1).norm(dim=1)
        np.testing.assert_allclose(norms, 1, rtol=1e-5)


def test_samples_with_nothing_to_see(digits):
    X = np.full((20, 8, 8), 3.0)
    X[0, 0, 0] += 1e-3
    cae = make_small(init="convolutional_kmeans", max_epochs=0).fit(X)
    assert np.isfinite(cae.filters_).all()
    assert np.isfinite(cae.transform(digits[:9])).all()
