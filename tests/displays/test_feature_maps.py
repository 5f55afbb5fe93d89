"""Maps are drawn as the stages make them."""

import h5py
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skcae import FeatureMapDisplay

from .conftest import image_of


def test_maps_are_the_features(fitted, small_digits):
    display = FeatureMapDisplay.from_estimator(
        fitted, small_digits, sample=5, normalize="all"
    )
    (maps,) = display.maps
    features = fitted.transform(small_digits[5:6])
    assert_array_equal(maps.ravel(), features[0])
    assert_array_equal(display.sample, small_digits[5])
    # Input, then maps of 4 x 4 pixels, three times as large.
    assert len(display.axes_) == 2
    assert_array_equal(image_of(display.axes_[0])[::2, :16:2], small_digits[5])
    image = image_of(display.axes_[1])
    assert_array_equal(
        [image[::3, 13 * number :][:, :12:3] for number in range(4)], maps
    )
    assert display.axes_[1].images[0].get_clim() == (maps.min(), maps.max())
    titles = [axis.get_title(loc="left") for axis in display.axes_]
    assert titles == ["Input", "Stage 1: 4 maps of 4 × 4"]


def test_each_map_has_all_greys(fitted, small_digits):
    display = FeatureMapDisplay.from_estimator(fitted, small_digits, sample=-1)
    image = image_of(display.axes_[1])
    for number, values in enumerate(display.maps[0]):
        tile = image[::3, 13 * number :][:, :12:3]
        span = (values.max() - values.min()) or 1
        assert_allclose(tile, (values - values.min()) / span, atol=1e-6)


def test_the_whitened_sample(whitened, small_digits):
    display = FeatureMapDisplay.from_estimator(whitened, small_digits, n_maps=2)
    titles = [axis.get_title(loc="left") for axis in display.axes_]
    assert titles == [
        "Input",
        "Whitened",
        "Stage 1: 2 of 4 maps of 4 × 4",
        "Stage 2: 2 of 3 maps of 2 × 2",
    ]
    assert display.whitened.shape == (8, 8)
    assert_array_equal(image_of(display.axes_[1])[::2, :16:2], display.whitened)
    # Pooled over the grid, the last maps are the features.
    assert display.maps[1].shape == (3, 2, 2)
    features = whitened.transform(small_digits[:1])
    assert_allclose(display.maps[1].ravel(), features[0], rtol=1e-5)


def test_samples_of_another_size(whitened, digits):
    X = np.concatenate([digits[:2], digits[2:4]], axis=2)
    display = FeatureMapDisplay.from_estimator(whitened, X)
    assert [maps.shape for maps in display.maps] == [(4, 4, 8), (3, 2, 4)]


def test_maps_of_signals_are_curves(on_signals, signals):
    display = FeatureMapDisplay.from_estimator(on_signals, signals, n_cols=3)
    assert [maps.shape for maps in display.maps] == [(6, 20), (5, 10)]
    assert [len(axis.lines) for axis in display.axes_] == [1, 6, 5]
    line = display.axes_[0].lines[0].get_ydata()
    assert_allclose(np.corrcoef(line, signals[0])[0, 1], 1.0)


def test_maps_of_volumes_and_colours(on_volumes, volumes, on_photographs, photographs):
    display = FeatureMapDisplay.from_estimator(on_volumes, volumes)
    assert_array_equal(image_of(display.axes_[0])[::2, :16:2], volumes[0, 3])
    assert [maps.shape for maps in display.maps] == [(3, 3, 4, 4), (2, 2, 2, 2)]
    display = FeatureMapDisplay.from_estimator(on_photographs, photographs)
    drawn = image_of(display.axes_[0])[::2, :16:2, :3]
    assert_allclose(drawn, photographs[0] / 255)


def test_samples_of_a_file_are_counted_from_the_last(fitted, small_digits, tmp_path):
    with h5py.File(tmp_path / "digits.h5", "w") as file:
        stored = file.create_dataset("X", data=small_digits)
        display = FeatureMapDisplay.from_estimator(fitted, stored, sample=-2)
    assert_array_equal(display.sample, small_digits[-2])
