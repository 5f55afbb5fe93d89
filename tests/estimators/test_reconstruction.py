"""Reconstructions have the shape, the place and the units of the samples."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skcae import ConvAutoencoderTransformer

from ..conftest import KINDS, make_small

# There and back


def make_samples(digits, shape):
    return np.resize(digits[:60], (10, *shape)) + np.arange(10).reshape(
        -1, *[1] * len(shape)
    )


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_reconstructions_have_the_shape_of_odd_samples(digits, n_axes, size):
    spatial = (size, 10 - size, size)[:n_axes]
    for channel_axis, shape in (
        (None, spatial),
        (-1, (*spatial, 2)),
        (0, (3, *spatial)),
    ):
        X = make_samples(digits, shape)
        for params in (
            {"n_filters": (3, 2), "stride": (2, 1), "pool_size": (1, 3)},
            {"padding": "full", "kernel_size": 4, "n_components": 2},
            {"pooling": "avg", "pool_grid": 2, "power": 0.5, "n_components": 2},
            {"tied_weights": True},
        ):
            cae = make_small(
                channel_axis=channel_axis, max_epochs=0, activation="abs", **params
            )
            cae.fit(X)
            back = cae.inverse_transform(cae.transform(X))
            assert back.shape == X.shape
            assert np.isfinite(back).all()
        cae.set_params(input_shape=shape)
        rows = X.reshape(len(X), -1)
        features = cae.fit_transform(rows)
        assert cae.inverse_transform(features).shape == rows.shape


@pytest.mark.parametrize("kind", KINDS)
def test_reconstructions_lie_where_the_samples_lie(data_of, kind):
    X = data_of[kind]
    cae = ConvAutoencoderTransformer(
        channel_axis=KINDS[kind],
        n_filters=12,
        kernel_size=3,
        pool_size=1,
        max_epochs=15,
        batch_size=16,
        random_state=0,
    ).fit(X)
    back = cae.inverse_transform(cae.transform(X))
    assert np.corrcoef(back.ravel(), X.ravel())[0, 1] > 0.9
    explained = 1 - np.square(back - X).sum() / np.square(X - X.mean(axis=0)).sum()
    assert explained == pytest.approx(cae.score(X), abs=1e-5)
    errors = np.square(back - X).reshape(len(X), -1).mean(axis=1)
    assert_allclose(cae.score_samples(X), -errors, rtol=1e-4)


# Units


@pytest.mark.parametrize("output_activation", ["identity", "relu", "sigmoid", "tanh"])
def test_units_do_not_matter(digits, output_activation):
    X = digits[:200] / 16
    cae = make_small(output_activation=output_activation, n_filters=8, max_epochs=5)
    score, filters = cae.fit(X).score(X), cae.filters_
    # 0 to 255, millivolts on an offset, far from zero, and near the ends of float32.
    for scale, offset in ((255, 0), (1e-3, 5), (1e6, -1e6), (1e-25, 0), (1e25, 0)):
        units = scale * X + offset
        cae.fit(units)
        assert cae.score(units) == pytest.approx(score, abs=1e-3)
        assert_allclose(cae.filters_, filters, atol=1e-2)
        back = cae.inverse_transform(cae.transform(units))
        assert np.abs(back.astype(float) - units).mean() < 0.4 * scale


def test_parameters_set_after_a_fit_do_not_change_how_it_is_inverted(small_digits):
    for params, changes in (
        ({"pooling": "max"}, {"pooling": None}),
        ({}, {"pooling": "max", "recipe": "grey"}),
        ({"pooling": "avg", "power": 0.5}, {"power": 2.0, "pool_grid": 5}),
    ):
        cae = make_small(**params).fit(small_digits)
        features = cae.transform(small_digits)
        rebuilt = cae.inverse_transform(features)
        cae.set_params(**changes)
        assert_array_equal(cae.transform(small_digits), features)
        assert_array_equal(cae.inverse_transform(features), rebuilt)
