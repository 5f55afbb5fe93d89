"""How often fits and predictions read their samples, counted in a torch Dataset."""

import numpy as np
import pytest
from torch.utils.data import Dataset

from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector

from ..conftest import make_small


class CountingDataset(Dataset):
    """Samples that count how often one of them is read."""

    def __init__(self, X):
        self.X, self.n_read = X, 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, number):
        self.n_read += 1
        return self.X[number]

    @property
    def passes(self):
        """How often all samples have been read; sample 0 tells the shape before."""
        passes, self.n_read = self.n_read / len(self.X), 0
        return passes


@pytest.fixture
def dataset(digits):
    return CountingDataset(digits[:1000])


# Checks, statistics and the count of dead units, which looks at 256 samples.
CHECKS, MOMENTS, DEAD = 1, 1, 0.256
# What rebuilds samples from pooled features is fitted to all of so few samples.
DECODER = 1


def about(passes):
    return pytest.approx(passes, abs=0.005)


@pytest.mark.parametrize("epochs", [1, 3])
def test_fit(dataset, epochs):
    make_small(max_epochs=epochs).fit(dataset)
    assert dataset.passes == about(CHECKS + MOMENTS + epochs + DEAD)


@pytest.mark.parametrize("n_components", [None, 3])
def test_fit_of_pooled_features(dataset, n_components):
    # With a power, components are computed: of the same features, read once for both.
    params = {"pooling": "avg", "power": 0.5, "n_components": n_components}
    make_small(max_epochs=2, **params).fit(dataset)
    # No epoch has measured a loss of computed components.
    loss = 0 if n_components is None else 0.256
    assert dataset.passes == about(CHECKS + MOMENTS + 2 + DECODER + DEAD + loss)


@pytest.mark.parametrize("method", ["transform", "score_samples", "score"])
def test_methods_read_once_for_checks_and_once_for_work(fitted, dataset, method):
    getattr(fitted, method)(dataset)
    assert dataset.passes == about(CHECKS + 1)


@pytest.mark.parametrize("criterion", ["features", "reconstruction"])
def test_a_detector_with_a_fitted_autoencoder(fitted, dataset, criterion):
    detector = ConvAutoencoderOutlierDetector(fitted, criterion=criterion)
    detector.fit(dataset)
    assert dataset.passes == about(CHECKS + 1)
    detector.predict(dataset)
    assert dataset.passes == about(CHECKS + 1)


def test_a_detector_with_an_unfitted_autoencoder(dataset):
    ConvAutoencoderOutlierDetector(make_small(max_epochs=2)).fit(dataset)
    assert dataset.passes == about(CHECKS + MOMENTS + 2 + DEAD + 1)


@pytest.mark.parametrize("head_init", ["zeros", "ridge"])
def test_a_classifier(dataset, digit_labels, head_init):
    classifier = ConvAutoencoderClassifier(
        make_small(max_epochs=2), head_init=head_init, max_epochs=3
    )
    classifier.fit(dataset, digit_labels[:1000])
    autoencoder = MOMENTS + 2 + DEAD
    scale_and_head = 1 + (head_init == "ridge")
    assert dataset.passes == about(CHECKS + autoencoder + scale_and_head + 3)
    classifier.predict(dataset)
    assert dataset.passes == about(CHECKS + 1)


def test_names_of_columns_reach_the_autoencoder_inside(digits):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(digits[:50].reshape(50, -1)).add_prefix("pixel_")
    detector = ConvAutoencoderOutlierDetector(make_small(input_shape=(8, 8))).fit(X)
    for estimator in (detector, detector.autoencoder_):
        np.testing.assert_array_equal(estimator.feature_names_in_, X.columns)
