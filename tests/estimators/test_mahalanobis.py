"""Distances stay finite where features do not vary."""

import warnings

import numpy as np
import pytest
from skorch.callbacks import Callback

from skcae import ConvAutoencoderOutlierDetector
from skcae.estimators.mahalanobis import fit_pca, squared_distances
from skcae.estimators.outlier_detector import _fence

from ..conftest import make_small


@pytest.mark.parametrize("value", [0.0, 1e-3, 7.3, 1e30])
@pytest.mark.parametrize("shape", [(2, 1), (3, 4), (20, 16), (1000, 2000)])
def test_features_that_do_not_vary(value, shape):
    features = np.full(shape, value, dtype=np.float32)
    with warnings.catch_warnings(action="error"):
        pca = fit_pca(features, seed=0)
        np.testing.assert_allclose(squared_distances(pca, features), 0, atol=1e-9)
        others = squared_distances(pca, features[:3] + np.float32(1 + value))
    assert np.isfinite(others).all()
    assert (others > 1e6).all()
    assert np.isfinite(pca.explained_variance_ratio_).all()


def test_some_features_vary():
    rng = np.random.default_rng(0)
    features = np.zeros((40, 8), dtype=np.float32)
    features[:, 0] = rng.normal(size=40)
    pca = fit_pca(features, seed=0)
    expected = np.square(features[:, 0] - features[:, 0].mean()) / features[:, 0].var(
        ddof=1
    )
    np.testing.assert_allclose(squared_distances(pca, features), expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*units of the code are constant")
@pytest.mark.parametrize("criterion", ["features", "reconstruction"])
@pytest.mark.parametrize("n_components", [None, 3])
def test_equal_samples_are_normal_and_others_are_not(
    criterion, n_components, small_digits
):
    X = np.repeat(small_digits[:1], 20, axis=0)
    cae = make_small(n_components=n_components)
    detector = ConvAutoencoderOutlierDetector(cae, criterion=criterion).fit(X)
    assert (detector.predict(X) == 1).all()
    assert np.isfinite(detector.score_samples(small_digits)).all()
    assert (detector.predict(small_digits[1:] + 100) == -1).all()


class Death(Callback):
    """Leave no filter that ever responds, as a training that goes wrong does."""

    def on_train_end(self, net, **kwargs):
        net.module_.encoder[0].convolution.bias.data.fill_(-1e6)


@pytest.mark.filterwarnings("ignore:.*units of the code are constant")
@pytest.mark.parametrize("params", [{}, {"pooling": "avg", "power": 0.5}], ids=str)
def test_all_units_dead(params):
    X = np.random.default_rng(4).random((3, 3, 3))
    cae = make_small(n_filters=2, callbacks=[Death()], **params)
    detector = ConvAutoencoderOutlierDetector(cae).fit(X)
    assert detector.autoencoder_.n_dead_units_ == 2
    assert not detector.autoencoder_.transform(X).any()
    assert (detector.predict(X) == 1).all()


def test_equal_scores_lie_within_the_fence():
    # The exponential of a logarithm is often the next number.
    for score in -np.random.default_rng(0).random(200):
        assert score >= _fence(np.full(20, score))


def test_what_cannot_be_compared_is_no_normal_sample(small_digits):
    detector = ConvAutoencoderOutlierDetector(make_small()).fit(small_digits)
    detector.offset_ = np.nan
    assert (detector.predict(small_digits) == -1).all()
