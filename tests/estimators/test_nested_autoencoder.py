"""What is passed as an autoencoder is left alone, whatever it is."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)
from skcae.estimators.nested_autoencoder import fitted_autoencoder, read_for

from ..conftest import make_small


def test_none_is_a_new_one(small_digits):
    own = fitted_autoencoder(None, small_digits[:40], random_state=3)
    assert type(own) is ConvAutoencoderTransformer
    assert own.get_params() == ConvAutoencoderTransformer(random_state=3).get_params()
    assert own.input_shape_ == (8, 8)


def test_an_unfitted_one_is_cloned(small_digits):
    given = make_small(random_state=None)
    own = fitted_autoencoder(given, small_digits, random_state=3)
    assert own is not given
    assert not hasattr(given, "n_iter_")
    assert given.random_state is None
    expected = make_small(random_state=3).fit(small_digits).filters_
    np.testing.assert_array_equal(own.filters_, expected)


def test_a_seed_of_its_own_is_kept(small_digits):
    own = fitted_autoencoder(make_small(random_state=5), small_digits, random_state=3)
    assert own.random_state == 5


def test_a_fitted_one_is_copied(fitted, small_digits):
    own = fitted_autoencoder(fitted, small_digits[::-1], random_state=3)
    assert own is not fitted
    assert own.module_ is not fitted.module_
    expected = fitted.transform(small_digits)
    np.testing.assert_array_equal(own.transform(small_digits), expected)
    own.partial_fit(small_digits)
    np.testing.assert_array_equal(fitted.transform(small_digits), expected)


def test_samples_of_another_shape_are_refused(fitted):
    with pytest.raises(ValueError, match="Got X with samples of shape .* Resize"):
        read_for(fitted, np.zeros((3, 9, 9)))


def test_a_frozen_one_stays_fitted_when_cloned(fitted, small_digits):
    own = fitted_autoencoder(clone(FrozenEstimator(fitted)), small_digits)
    assert own is not fitted
    expected = fitted.transform(small_digits)
    np.testing.assert_array_equal(own.transform(small_digits), expected)


def test_what_is_frozen_must_be_a_fitted_autoencoder(small_digits):
    with pytest.raises(TypeError, match="Got autoencoder=.* expected .* Freeze one"):
        fitted_autoencoder(FrozenEstimator(PCA()), small_digits)
    with pytest.raises(NotFittedError):
        fitted_autoencoder(FrozenEstimator(make_small()), small_digits)


@pytest.mark.parametrize(
    "estimator", [ConvAutoencoderClassifier(), ConvAutoencoderOutlierDetector()]
)
def test_the_layout_is_guessed_once(estimator, digits):
    X = digits[:40].reshape(40, 4, 4, 4)
    with pytest.warns(UserWarning, match="taken for volumes") as caught:
        estimator.fit(X, np.arange(40) % 2)
    assert [w.filename for w in caught if "taken for" in str(w.message)] == [__file__]
