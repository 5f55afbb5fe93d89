"""Scores are those of the reconstructions."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from ..conftest import make_small


@pytest.mark.parametrize("output_activation", ["identity", "relu", "tanh", "sigmoid"])
def test_output_can_reach_the_data(output_activation, small_digits):
    cae = make_small(
        output_activation=output_activation, max_epochs=40, lr=0.02, n_filters=8
    ).fit(small_digits)
    assert cae.score(small_digits) > 0.6
    rebuilt = cae.inverse_transform(cae.transform(small_digits))
    if output_activation != "identity":
        assert rebuilt.min() >= 0
    if output_activation in ("tanh", "sigmoid"):
        assert rebuilt.max() <= 16.001


def test_score_is_zero_for_the_mean_and_one_for_perfection(small_digits, fitted):
    score = fitted.score(small_digits)
    rebuilt = fitted.inverse_transform(fitted.transform(small_digits))
    error = ((small_digits - rebuilt) ** 2).sum()
    spread = ((small_digits - small_digits.mean(axis=0)) ** 2).sum()
    assert score == pytest.approx(1 - error / spread, rel=1e-5)
    flat = small_digits.reshape(120, -1)
    pca = PCA(5).fit(flat)
    rebuilt = pca.inverse_transform(pca.transform(flat))
    explained = 1 - ((flat - rebuilt) ** 2).sum() / spread
    assert explained == pytest.approx(pca.explained_variance_ratio_.sum())


def test_score_samples(small_digits, fitted):
    rebuilt = fitted.inverse_transform(fitted.transform(small_digits))
    expected = -((small_digits - rebuilt) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(fitted.score_samples(small_digits), expected, rtol=1e-4)
