"""No tile is lost, and none is far from where the eye expects it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skcae.displays.mosaic import colour_range, enlarged, mosaic, n_columns, to_unit


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (7, 3, 3)])
def test_every_tile_is_in_the_mosaic(shape):
    rng = np.random.default_rng(0)
    for n_tiles in range(1, 40):
        tiles = rng.normal(size=(n_tiles, *shape))
        n_cols = n_columns(n_tiles, shape[:2])
        image = mosaic(tiles, n_cols, gap=2)
        height, width = shape[0] + 2, shape[1] + 2
        for number, tile in enumerate(tiles):
            row, column = divmod(number, n_cols)
            place = image[row * height :, column * width :]
            assert_array_equal(place[: shape[0], : shape[1]], tile)
        assert np.isfinite(image).sum() == tiles.size
        assert 1 <= n_cols <= n_tiles


@pytest.mark.parametrize(
    ("n_tiles", "expected"), [(1, 1), (2, 2), (8, 4), (16, 8), (32, 8), (64, 16)]
)
def test_columns_leave_no_place_empty(n_tiles, expected):
    assert n_columns(n_tiles, (3, 3)) == expected


def test_the_whole_is_about_twice_as_wide_as_high():
    for n_tiles in range(4, 200):
        n_cols = n_columns(n_tiles, (4, 4))
        n_rows = -(-n_tiles // n_cols)
        assert n_rows * n_cols - n_tiles < n_cols
        assert 0.75 <= n_cols / n_rows <= 5


def test_wide_tiles_are_put_below_each_other():
    assert n_columns(16, (3, 300)) == 1


def test_small_tiles_are_enlarged():
    tiles = np.arange(8.0).reshape(2, 2, 2)
    large = enlarged(tiles)
    assert large.shape == (2, 12, 12)
    assert_array_equal(large[:, ::6, ::6], tiles)
    assert enlarged(np.zeros((1, 28, 20))).shape == (1, 28, 20)


def test_each_array_from_0_to_1():
    X = np.array([[2.0, 4.0, 3.0], [7.0, 7.0, 7.0]])
    assert_array_equal(to_unit(X), [[0.0, 1.0, 0.5], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2, 0.9), (0, 1)),
        ((3, 200), (0, 255)),
        ((-1, 1), (-1, 1)),
        ((0, 4000), (0, 4000)),
    ],
)
def test_brightness(values, expected):
    assert colour_range(np.array(values)) == expected
