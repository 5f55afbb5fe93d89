import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skcae.training.filter_starts import kmeans_filters, patch_filters, remove_mean
from skcae.training.patches import draw_patches

from ..conftest import as_tensor, make_small
from .conftest import check_filters, cosines


@pytest.mark.parametrize("init", ["patches", "kmeans"])
def test_filters_from_data_without_training(init, digits):
    cae = make_small(init=init, n_filters=16, pool_size=1, max_epochs=0)
    cae.fit(digits[:1000])
    assert cae.history_ == []
    assert cae.score(digits[1000:]) > 0.85
    random = make_small(n_filters=16, pool_size=1, max_epochs=0).fit(digits[:1000])
    assert random.score(digits[1000:]) < 0.5
    assert (cae.filters_ != random.filters_).all()
    assert_allclose(np.linalg.norm(cae.filters_.reshape(16, -1), axis=1), 1, rtol=1e-5)


def test_filters_of_later_stages_are_patches_of_maps(small_digits):
    cae = make_small(
        init="patches", n_filters=(4, 3), kernel_size=(3, 2), max_epochs=0
    ).fit(small_digits)
    module = cae.module_
    with torch.no_grad():
        maps = module.encoder[0](module.standardise(as_tensor(small_digits)))
    patches = unfold(maps, 2)
    patches -= patches.mean(dim=1, keepdim=True)
    patches /= patches.norm(dim=1, keepdim=True).clamp_min(1e-9)
    filters = module.encoder[1].convolution.weight.detach().flatten(1)
    assert_allclose((filters @ patches.T).max(dim=1).values, 1, rtol=1e-4)


def unfold(maps, side):
    """Return all patches of images as rows."""
    patches = torch.nn.functional.unfold(maps, side)
    return patches.transpose(1, 2).reshape(-1, patches.shape[1])


def test_filters_larger_than_the_samples(small_digits):
    X = small_digits[:, :3, :4]
    for init in ("patches", "kmeans"):
        params = {"init": init, "kernel_size": 7, "whiten": 0.1, "pool_size": 1}
        cae = make_small(**params, max_epochs=0).fit(X)
        assert np.isfinite(cae.transform(X)).all()
        assert cae.score(X) > 0.5


MAKERS = [patch_filters, kmeans_filters]


@pytest.fixture(params=["signals", "digits", "volumes"])
def samples(request):
    x = request.getfixturevalue(request.param)
    return np.ascontiguousarray(x[:200, None], dtype=np.float32)


@pytest.fixture
def digit_patches(digits):
    x = digits[:, None].astype(np.float32)
    return draw_patches(x, (5, 5), 5000, np.random.default_rng(0))


def test_patches_are_parts_of_the_samples(samples):
    kernel = (3,) * (samples.ndim - 2)
    patches = draw_patches(samples, kernel, 50, np.random.default_rng(0))
    assert patches.shape == (50, 3 ** len(kernel))
    assert patches.dtype == np.float32
    values = set(samples.ravel().tolist())
    assert set(patches.ravel().tolist()) <= values


def test_patches_hold_all_channels_in_order():
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    patches = draw_patches(x, (2, 3), 1000, np.random.default_rng(0))
    expected = [
        x[n, :, i : i + 2, j : j + 3].ravel()
        for n in range(2)
        for i in range(3)
        for j in range(3)
    ]
    assert patches.shape == (18, 18)
    np.testing.assert_array_equal(np.unique(patches, axis=0), expected)


def test_patches_are_drawn_once_and_from_everywhere():
    x = np.arange(1000, dtype=np.float32).reshape(10, 1, 100)
    rng = np.random.default_rng(0)
    starts = draw_patches(x, (5,), 480, rng)[:, 0]
    assert len(np.unique(starts)) == 480
    assert set(starts // 100) == set(range(10))
    positions = starts % 100
    assert positions.min() < 5
    assert positions.max() > 90


def test_mean_of_one_or_two_values_is_kept():
    rows = np.array([[1.0, 3.0]])
    np.testing.assert_array_equal(remove_mean(rows), rows)
    np.testing.assert_array_equal(remove_mean(np.array([[1.0, 2, 3]])), [[-1, 0, 1]])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n_filters", [1, 7, 32])
def test_filters(samples, make, n_filters):
    kernel = (5,) * (samples.ndim - 2)
    rng = np.random.default_rng(0)
    filters = make(draw_patches(samples, kernel, 3000, rng), n_filters, rng)
    check_filters(filters, (n_filters, 5 ** len(kernel)))


@pytest.mark.parametrize("make", MAKERS)
def test_filters_are_distinct(digit_patches, make):
    filters = make(digit_patches, 32, np.random.default_rng(0))
    assert cosines(filters).max() < 0.95


@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_same_filters(digit_patches, make):
    first, second, other = (
        make(digit_patches, 16, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("make", MAKERS)
def test_patches_are_left_alone(digit_patches, make):
    before = digit_patches.copy()
    make(digit_patches, 8, np.random.default_rng(0))
    np.testing.assert_array_equal(digit_patches, before)


@pytest.mark.parametrize("make", MAKERS)
def test_more_filters_than_patches(digit_patches, make):
    filters = make(digit_patches[:5], 20, np.random.default_rng(0))
    check_filters(filters, (20, 25))
    assert cosines(filters).max() < 0.999


@pytest.mark.parametrize("make", MAKERS)
def test_copies_of_few_patches(digit_patches, make):
    rng = np.random.default_rng(0)
    distinct = patch_filters(digit_patches, 3, rng)
    copies = np.concatenate([np.tile(distinct, (100, 1)), -2 * distinct])
    filters = make(copies, 8, rng)
    check_filters(filters, (8, 25))
    assert cosines(filters).max() < 0.999
    # Each of the patches has become a filter.
    assert np.abs(filters @ distinct.T).max(axis=0).min() > 0.999


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("value", [0.0, 7.3])
def test_constant_images(make, value):
    filters = make(np.full((50, 9), value, np.float32), 4, np.random.default_rng(0))
    check_filters(filters, (4, 9))


@pytest.mark.parametrize("make", MAKERS)
def test_patches_of_one_value(make):
    patches = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
    check_filters(make(patches, 3, np.random.default_rng(0)), (3, 1))


@pytest.mark.parametrize("make", MAKERS)
def test_blank_patches_are_no_filters(digit_patches, make):
    rng = np.random.default_rng(0)
    noise = 1e-3 * rng.standard_normal((20000, 25), dtype=np.float32)
    filters = make(np.concatenate([noise, digit_patches]), 16, rng)
    # Smooth, as strokes are, and noise is not.
    images = filters.reshape(-1, 5, 5)
    roughness = np.square(np.diff(images, axis=1)).sum(axis=(1, 2))
    assert np.median(roughness) < 1.0


def test_kmeans_represents_patches_better_than_patches(digit_patches):
    patches = remove_mean(digit_patches)

    def error(filters):
        products = np.abs(patches @ filters.T).max(axis=1)
        return np.square(patches).sum() - np.square(products).sum()

    rng = np.random.default_rng(0)
    picked, learnt = (make(digit_patches, 16, rng) for make in MAKERS)
    assert error(learnt) < 0.8 * error(picked)


def test_kmeans_finds_directions_whatever_their_sign(digit_patches):
    rng = np.random.default_rng(0)
    directions = patch_filters(digit_patches, 4, rng)
    owner = rng.integers(4, size=2000)
    size = rng.choice([-1, 1], size=(2000, 1)) * rng.uniform(1, 5, size=(2000, 1))
    noise = 0.02 * rng.standard_normal((2000, 25))
    patches = (size * directions[owner] + noise).astype(np.float32)
    filters = kmeans_filters(patches, 4, rng)
    assert np.abs(filters @ directions.T).max(axis=0).min() > 0.99
