"""Estimators do the same in every configuration of scikit-learn."""

import numpy as np
import pytest
from sklearn import config_context, get_config
from sklearn.base import clone

from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)

from ..conftest import make_small

CONFIGURATIONS = {
    "assume_finite": True,
    "working_memory": 1,
    "display": "text",
    "pairwise_dist_chunk_size": 8,
    "enable_cython_pairwise_dist": False,
    "array_api_dispatch": True,
    "transform_output": "pandas",
    "enable_metadata_routing": True,
    "skip_parameter_validation": True,
    "sparse_interface": "sparray",
}
ESTIMATORS = {
    "transformer": make_small(early_stopping=True),
    "dense": make_small(n_components=3, init="kmeans", whiten=0.1),
    "winners": make_small(sparsity="winner_take_all", init="patches"),
    "classifier": ConvAutoencoderClassifier(
        make_small(), max_epochs=1, early_stopping=True, random_state=0
    ),
    "detector": ConvAutoencoderOutlierDetector(make_small()),
}


def results_of(estimator, X, y):
    """Fit a clone and return all that it says of samples."""
    estimator = clone(estimator).fit(X, y)
    results = [estimator.score_samples(X)] if hasattr(estimator, "offset_") else []
    if isinstance(estimator, ConvAutoencoderTransformer):
        features = np.asarray(estimator.transform(X))
        results += [features, estimator.inverse_transform(features)]
        results += [estimator.score(X), clone(estimator).fit_transform(X)]
    if isinstance(estimator, ConvAutoencoderClassifier):
        weights = np.linspace(1, 2, len(X))
        weighted = clone(estimator).fit(X, y, sample_weight=weights)
        results += [estimator.predict(X), weighted.predict_proba(X)]
    return [*results, repr(estimator)]


@pytest.fixture(scope="module")
def expected(small_digits, digit_labels):
    """What estimators say in the configuration that scikit-learn starts with."""
    y = digit_labels[:120]
    return {
        name: results_of(each, small_digits, y) for name, each in ESTIMATORS.items()
    }


@pytest.mark.filterwarnings("ignore:Scikit-learn's display")
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("option", CONFIGURATIONS)
def test_same_results(option, estimator, small_digits, digit_labels, expected):
    if option not in get_config():
        pytest.skip("this scikit-learn has no such option")
    with config_context(**{option: CONFIGURATIONS[option]}):
        found = results_of(ESTIMATORS[estimator], small_digits, digit_labels[:120])
    for here, there in zip(found, expected[estimator], strict=True):
        if isinstance(there, str):
            assert here == there
        else:
            # Other algorithms of the library round in other ways.
            np.testing.assert_allclose(np.asarray(here), there, rtol=1e-3, atol=1e-4)


def test_no_option_is_left_out():
    # How estimators are printed is all that print_changed_only decides.
    assert set(get_config()) - {"print_changed_only"} <= set(CONFIGURATIONS)
