"""Every filter is drawn, with its own weights."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skcae import FilterDisplay

from ..conftest import make_small

# Filters of 3 pixels a side are drawn 4 times as large, with gaps of 1.
TIMES, CELL = 4, 13


def tiles_of(display, n_rows, n_cols):
    """Cut the drawing of 3 x 3 filters into pieces."""
    image = np.asarray(display.im_.get_array())
    assert image.shape[:2] == (n_rows * CELL - 1, n_cols * CELL - 1)
    places = [(row, col) for row in range(n_rows) for col in range(n_cols)]
    return np.stack(
        [
            image[row * CELL :, col * CELL :][: CELL - 1 : TIMES, : CELL - 1 : TIMES]
            for row, col in places
        ]
    )


def test_every_filter(fitted):
    display = FilterDisplay.from_estimator(fitted, n_cols=3, normalize="all")
    tiles = tiles_of(display, 2, 3)
    assert_array_equal(tiles[:4], fitted.filters_[:, 0])
    assert_array_equal(display.filters, fitted.filters_)
    limit = np.abs(fitted.filters_).max()
    assert_allclose(display.im_.get_clim(), (-limit, limit))
    assert_allclose((display.colorbar_.vmin, display.colorbar_.vmax), (-limit, limit))
    assert display.ax_.get_title() == "Stage 1: 4 filters of 3 × 3"


def test_each_filter_by_its_largest_weight(fitted):
    display = FilterDisplay.from_estimator(fitted, n_cols=2)
    tiles = tiles_of(display, 2, 2)
    largest = np.abs(fitted.filters_[:, 0]).max(axis=(1, 2), keepdims=True)
    assert_allclose(tiles, fitted.filters_[:, 0] / largest, rtol=1e-6)
    assert display.im_.get_clim() == (-1, 1)
    assert display.colorbar_ is None


@pytest.mark.parametrize("normalize", ["all", "each"])
@pytest.mark.parametrize("shape", [(3, 1, 3, 3), (3, 1, 5), (3, 3, 3, 3, 3)])
def test_constant_filters(shape, normalize):
    filters = np.zeros(shape, dtype=np.float32)
    filters[1] = 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weights in (filters, filters[:1]):
            display = FilterDisplay(filters=weights).plot(normalize=normalize)
            display.figure_.canvas.draw()


def test_colours_of_filters(on_photographs):
    display = FilterDisplay.from_estimator(on_photographs, n_cols=4, normalize="all")
    tiles = tiles_of(display, 1, 4)
    limit = np.abs(on_photographs.filters_).max()
    expected = np.moveaxis(on_photographs.filters_, 1, -1) / (2 * limit) + 0.5
    assert_allclose(tiles[..., :3], expected, atol=1e-6)
    assert display.colorbar_ is None


def test_filters_of_signals_are_curves(on_signals):
    display = FilterDisplay.from_estimator(on_signals, n_cols=3, normalize="all")
    filters, limit = on_signals.filters_[:, 0], np.abs(on_signals.filters_).max()
    assert display.im_ is None
    for number, (line, weights) in enumerate(zip(display.lines_, filters, strict=True)):
        row, column = divmod(number, 3)
        x, y = line.get_data()
        assert column < x.min() <= x.max() < column + 1
        middle = 2 - row - 0.5
        scale = (y - middle)[np.abs(weights).argmax()] / weights[
            np.abs(weights).argmax()
        ]
        assert_allclose(y - middle, scale * weights, atol=1e-6)
        assert_allclose(scale * limit, 0.42)


def test_filters_of_later_stages(on_signals, on_volumes):
    display = FilterDisplay.from_estimator(on_signals, stage=2, n_cols=5)
    weights = on_signals.module_.encoder[1].convolution.weight.detach().numpy()
    assert_array_equal(display.filters, weights)
    # Six channels of three weights: rows of an image, twice as large.
    image = np.asarray(display.im_.get_array())
    assert image.shape == (12, 5 * 7 - 1)
    largest = np.abs(weights).max(axis=(1, 2))
    for number in range(5):
        tile = image[::2, 7 * number :][:, :6:2]
        assert_allclose(tile, weights[number] / largest[number], rtol=1e-6)
    display = FilterDisplay.from_estimator(on_volumes, stage=2, n_cols=2)
    assert display.ax_.get_title() == "Stage 2: 2 filters of 3 × 3 × 3 × 3"
    # Rows of channels, columns of slices.
    weights = display.filters[1] / np.abs(display.filters[1]).max()
    image = np.asarray(display.im_.get_array())
    block = image[:, 3 * CELL - 1 + 6 :]
    assert block.shape == (3 * CELL - 1, 3 * CELL - 1)
    for channel in range(3):
        for number in range(3):
            tile = block[channel * CELL :: TIMES, number * CELL :: TIMES][:3, :3]
            assert_allclose(tile, weights[channel, number], rtol=1e-6)


def test_slices_of_the_filters_of_volumes(on_volumes):
    display = FilterDisplay.from_estimator(on_volumes, n_cols=1, normalize="all")
    image = np.asarray(display.im_.get_array())
    assert image.shape == (3 * 12 + 2 * 6, 3 * CELL - 1)
    for number, weights in enumerate(on_volumes.filters_[:, 0]):
        row = image[number * 18 :: TIMES][:3]
        tiles = [row[:, piece * CELL :: TIMES][:, :3] for piece in range(3)]
        assert_array_equal(np.stack(tiles), weights)


def test_slices_of_colours():
    filters = np.random.default_rng(0).normal(size=(2, 3, 4, 3, 3))
    display = FilterDisplay(filters=filters).plot(n_cols=1, normalize="all")
    image = np.asarray(display.im_.get_array())
    assert image.shape == (2 * 12 + 6, 4 * CELL - 1, 4)
    weights = filters[1, :, 3] / (2 * np.abs(filters).max()) + 0.5
    drawn = image[18::TIMES, 3 * CELL :: TIMES, :3]
    assert_allclose(drawn, np.moveaxis(weights, 0, -1))


def test_depthwise_filters(small_digits):
    cae = make_small(n_filters=(3, 2), depthwise=(False, True)).fit(small_digits)
    display = FilterDisplay.from_estimator(cae, stage=2)
    assert display.ax_.get_title() == "Stage 2: 2 filters of 3 × 3"
