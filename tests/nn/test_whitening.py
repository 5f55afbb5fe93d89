"""Local whitening, on real data of one to three dimensions."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from skcae import ConvAutoencoderTransformer, recipes
from skcae.nn.whitening import Whitening, whitening_kernel
from skcae.params.stage import clip_kernel
from skcae.training.patches import draw_patches
from skcae.training.whitening_start import start_whitening

RNG_SEED = 0


def standardised(x):
    """Return ``(N, C, *spatial)`` samples with every channel standardised."""
    axes = (0, *range(2, x.ndim))
    scale = x.std(axes, keepdims=True)
    x = (x - x.mean(axes, keepdims=True)) / np.where(scale > 0, scale, 1)
    return x.astype(np.float32)


def fitted(x, kernel, epsilon=0.1):
    """Return a whitening computed from standardised samples."""
    whitening = Whitening(x.shape[1], kernel)
    start_whitening(whitening, x, epsilon, np.random.default_rng(RNG_SEED))
    return whitening


@pytest.fixture(scope="module")
def photos():
    """Crops of a photograph, (200, 3, 16, 16)."""
    photo = load_sample_image("flower.jpg").astype(np.float64)
    rng = np.random.default_rng(0)
    corners = zip(rng.integers(400, size=200), rng.integers(600, size=200), strict=True)
    crops = np.stack([photo[i : i + 16, j : j + 16] for i, j in corners])
    return standardised(np.moveaxis(crops, -1, 1))


@pytest.fixture(scope="module", params=["signals", "digits", "photos", "volumes"])
def data(request, photos):
    """Standardised samples and a kernel."""
    if request.param == "photos":
        return photos, (5, 5)
    x = standardised(request.getfixturevalue(request.param)[:300, None])
    return x, (5,) if x.ndim == 3 else (3,) * (x.ndim - 2)


def correlation_of_neighbours(x):
    """Return the mean correlation of values that are next to each other."""
    here, there = x[..., :-1].ravel(), x[..., 1:].ravel()
    return abs(np.corrcoef(here, there)[0, 1])


def relative_error(x, expected):
    return ((x - expected).norm() / expected.norm()).item()


def test_neighbours_lose_their_correlation(data):
    x, kernel = data
    y = fitted(x, kernel, epsilon=0.01)(torch.from_numpy(x)).numpy()
    assert y.shape == x.shape
    assert y.dtype == np.float32
    assert correlation_of_neighbours(y) < 0.5 * correlation_of_neighbours(x)


def test_channels_lose_their_correlation(photos):
    y = fitted(photos, (5, 5), 1e-3)(torch.from_numpy(photos)).numpy()

    def correlation(x):
        rows = np.moveaxis(x, 1, 0).reshape(3, -1)
        return np.abs(np.corrcoef(rows)[np.triu_indices(3, 1)]).mean()

    assert correlation(y) < 0.25 * correlation(photos)


def test_mean_square_is_one(data):
    x, kernel = data
    y = fitted(x[:200], kernel)(torch.from_numpy(x[:200]))
    assert y.square().mean() == pytest.approx(1.0, rel=1e-4)


def test_variance_of_patches_is_one(data):
    x, kernel = data
    shape = (x.shape[1], *kernel)
    patches = draw_patches(x, kernel, 10**6, np.random.default_rng(0))
    rows = whitening_kernel(patches, shape, 0.1).reshape(shape[0], -1)
    assert (patches @ rows.T).var(axis=0).mean() == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0])
def test_inverse(data, epsilon):
    x, kernel = data
    whitening = fitted(x, kernel, epsilon)
    x = torch.from_numpy(x)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


@pytest.mark.parametrize("size", [1, 2, 3, 11, 30])
def test_inverse_at_other_sizes(photos, size):
    whitening = fitted(photos, (5, 5))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, size, size + 1, generator=generator)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_inverse_of_lagged_channels():
    # Here the filters are far from even: the hard case of a border that is no zero.
    rng = np.random.default_rng(0)
    source = np.apply_along_axis(
        np.convolve, 1, rng.normal(size=(100, 64)), [1, 2, 3, 2, 1], mode="valid"
    )
    x = standardised(np.stack([source[:, 3:], source[:, :-3]], axis=1))
    whitening = fitted(x, (9,))
    x = torch.from_numpy(x)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_inverse_does_not_explode(data):
    x, kernel = data
    whitening = fitted(x, kernel)
    x = torch.from_numpy(x)
    y = whitening(x)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    bound = 0.1 / whitening.gain_range[0].item() * 1.5
    error = whitening.inverse(y + 0.1 * noise) - x
    assert error.square().mean().sqrt() < bound


def test_inverse_of_a_sample_does_not_depend_on_the_others(photos):
    whitening = fitted(photos, (5, 5))
    x = torch.from_numpy(photos[:32])
    others = torch.cat([x[:1], 100 * x[1:].flip(0)])
    torch.testing.assert_close(
        whitening.inverse(x)[0], whitening.inverse(others)[0], rtol=0, atol=0
    )


def test_borders_are_no_edges(photos):
    # A constant is as smooth as can be: whitening must not find anything in it.
    whitening = fitted(photos, (5, 5))
    y = whitening(torch.ones(1, 3, 16, 16))
    assert torch.allclose(y, y[:, :, :1, :1].expand_as(y), atol=1e-5)


@pytest.mark.parametrize("kernel", [(3,), (9,)])
@pytest.mark.parametrize("frequency", [0.1, 1.0, 3.0])
def test_narrow_bands(frequency, kernel):
    # The centre rows of their ZCA matrix have negative gains at some frequencies.
    wave = np.sin(frequency * np.arange(3000.0))[None, None]
    patches = draw_patches(wave, kernel, 3000, np.random.default_rng(0))
    whitening = Whitening(1, kernel)
    whitening.set(whitening_kernel(patches, (1, *kernel), 1e-3))
    x = torch.from_numpy(wave).float()
    assert whitening.gain_range[0] > 0
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_constant_channel(photos):
    x = photos.copy()
    x[:, 1] = 0
    whitening = fitted(x, (5, 5))
    y = whitening(torch.from_numpy(x))
    torch.testing.assert_close(y[:, 1], torch.zeros_like(y[:, 1]))
    assert relative_error(whitening.inverse(y), torch.from_numpy(x)) < 1e-4


def test_constant_samples_stay_as_they_are():
    x = np.zeros((3, 2, 8, 8), dtype=np.float32)
    whitening = fitted(x, (3, 3))
    noise = torch.randn(2, 2, 8, 8)
    torch.testing.assert_close(whitening(noise), noise)
    torch.testing.assert_close(whitening.inverse(noise), noise)


def test_fewer_patches_than_values(digits):
    x = standardised(digits[:2, None])
    patches = draw_patches(x, (5, 5), 10, np.random.default_rng(0))
    kernel = whitening_kernel(patches, (1, 5, 5), 0.1)
    assert np.isfinite(kernel).all()
    whitening = Whitening(1, (5, 5))
    whitening.set(kernel)
    x = torch.from_numpy(x)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_borders_that_are_always_the_same(digits):
    images = np.zeros((300, 1, 14, 14))
    images[:, 0, 3:11, 3:11] = digits[:300]
    x = standardised(images)
    # Kernels as large as the image: most of their values never change.
    whitening = fitted(x, (13, 13))
    x = torch.from_numpy(x)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_large_epsilon_is_next_to_no_whitening(photos):
    kernel = fitted(photos, (3, 3), epsilon=1e6).kernel.numpy()
    centre = kernel[:, :, 1, 1].diagonal()
    np.testing.assert_allclose(centre, centre[0], rtol=1e-3)
    assert np.abs(kernel).sum() == pytest.approx(centre.sum(), rel=1e-3)


def test_small_epsilon_whitens_more(photos):
    errors = []
    for epsilon in (10.0, 1.0, 0.1, 0.01):
        y = fitted(photos, (5, 5), epsilon)(torch.from_numpy(photos)).numpy()
        errors.append(correlation_of_neighbours(y))
    assert errors == sorted(errors, reverse=True)


def test_kernel_is_symmetric(photos):
    patches = draw_patches(photos, (5, 5), 5000, np.random.default_rng(0))
    kernel = whitening_kernel(patches, (3, 5, 5), 0.1)
    np.testing.assert_allclose(
        kernel, kernel.swapaxes(0, 1)[:, :, ::-1, ::-1], atol=1e-6
    )


@pytest.mark.parametrize(
    ("kernel", "spatial", "expected"),
    [
        ((5, 5), (8, 8), (5, 5)),
        ((7, 7, 7), (6, 8, 8), (5, 7, 7)),
        ((4,), (40,), (3,)),
        ((9,), (1,), (1,)),
        ((3, 3), (2, 3), (1, 3)),
    ],
)
def test_kernel_is_clipped_to_odd_sides(kernel, spatial, expected):
    assert clip_kernel(kernel, spatial) == expected


def test_volumes_thinner_than_the_kernel(volumes):
    x = standardised(volumes[:, None])
    kernel = clip_kernel((7, 7, 7), x.shape[2:])
    whitening = fitted(x, kernel)
    x = torch.from_numpy(x)
    assert relative_error(whitening.inverse(whitening(x)), x) < 1e-4


def test_without_filters_it_does_nothing():
    x = torch.randn(2, 3, 5, 6)
    whitening = Whitening(3, (3, 3))
    torch.testing.assert_close(whitening(x), x)
    torch.testing.assert_close(whitening.inverse(x), x)


def test_state_is_numpy_arrays_only(photos):
    whitening = fitted(photos, (5, 5))
    assert not list(whitening.parameters())
    state = {name: value.numpy() for name, value in whitening.state_dict().items()}
    copy = Whitening(3, (5, 5))
    copy.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    x = torch.from_numpy(photos[:8])
    y = whitening(x)
    assert torch.equal(y, copy(x))
    assert torch.equal(whitening.inverse(y), copy.inverse(y))


def test_same_seed_same_filters(photos):
    first, second = (fitted(photos, (5, 5)).kernel for _ in range(2))
    assert torch.equal(first, second)


# Patches that hardly vary


@pytest.mark.parametrize("value", [1e-3, 1.0, 300.0])
def test_rounding_errors_are_not_whitened(value):
    patches = np.full((500, 9), value, dtype=np.float32)
    patches[::2] = np.nextafter(patches[::2], np.float32(np.inf))
    kernel = whitening_kernel(patches, (1, 3, 3), 0.1)
    expected = np.zeros((1, 1, 3, 3))
    expected[0, 0, 1, 1] = 1
    np.testing.assert_array_equal(kernel, expected)


def test_patches_that_vary_at_the_border_alone():
    patches = np.full((20_000, 9), -0.5, dtype=np.float32)
    patches[7, 0] = 300.0
    kernel = whitening_kernel(patches, (1, 3, 3), 0.1)
    assert np.isfinite(kernel).all()
    assert np.abs(kernel).max() < 10


@pytest.mark.parametrize("n_channels", [1, 2])
def test_patches_are_drawn_where_something_varies(n_channels):
    x = np.zeros((500, n_channels, 20, 20), dtype=np.float32)
    x[:, 1:] = 1.0  # another constant
    x[300, 0, 9, 9] = 30.0
    for seed in range(3):
        patches = draw_patches(x, (3, 3), 100, np.random.default_rng(seed))
        patches = patches.reshape(-1, n_channels, 3, 3)
        assert len(patches) == 9  # all that see the bright value
        assert (patches[:, 0].max(axis=(1, 2)) == 30.0).all()
        assert (patches[:, 1:] == 1.0).all()


@pytest.mark.parametrize(("side", "seed"), [(8, 0), (12, 2), (12, 3), (28, 1), (28, 2)])
@pytest.mark.parametrize("value", [1.0, 255.0])
@pytest.mark.filterwarnings("ignore:.* units of the code are constant")
def test_one_bright_pixel_among_a_thousand_images(side, seed, value):
    X = np.zeros((1000, side, side), dtype=np.float32)
    X[3, 4, 4] = value
    params = recipes["small"] | {"n_filters": 8, "random_state": seed}
    features = ConvAutoencoderTransformer(**params).fit_transform(X)
    assert np.isfinite(features).all()
    assert 0.1 < features[3].max() < 100


# Gains


@pytest.mark.parametrize("kernel", [(3,), (9,), (5, 5), (3, 3, 3)])
def test_gains_at_all_frequencies_lie_within_their_margins(kernel, signals, digits):
    x = {1: signals[:, None], 2: digits[:300, None]}.get(
        len(kernel), digits[:240].reshape(40, 1, 6, 8, 8)
    )
    whitening = fitted(standardised(x), kernel)
    centre = tuple(side // 2 for side in kernel)
    offsets = np.indices(kernel).reshape(len(kernel), -1).T - centre
    weights = whitening.kernel.double().numpy().ravel()
    frequencies = np.random.default_rng(0).uniform(0, np.pi, (20_000, len(kernel)))
    corners = np.array(list(itertools.product([0, np.pi], repeat=len(kernel))))
    # The filters are symmetric: their gains are real.
    gains = np.cos(np.concatenate([frequencies, corners]) @ offsets.T) @ weights
    low, high = whitening.gain_range.tolist()
    assert 0.9 * gains.min() < low < 0.99 * gains.min()
    assert 1.01 * gains.max() < high < 1.1 * gains.max()


def test_gains_of_no_whitening():
    low, high = Whitening(2, (3, 3)).gain_range.tolist()
    assert 0.9 < low < 0.99
    assert 1.01 < high < 1.1
