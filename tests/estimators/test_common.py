"""scikit-learn's own checks of an estimator, for many configurations.

The checks use small generic data, some of it with two features only; every
configuration must take them, without expected failures.
"""

from itertools import product

import sklearn
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.fixes import parse_version

import skcae
from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)
from skcae.params.stage import as_sequence

# Without warm_start, whose second fit is meant to differ from the first.
CONFIGURATIONS = [
    {},
    {"kernel_size": 2, "padding": "valid", "pool_size": 1, "max_epochs": 0},
    {"padding": "full", "pool_size": 1},
    {"tied_weights": True, "activation": "identity"},
    {"n_components": 2, "corruption": "gaussian", "corruption_level": 1.5},
    {"pooling": "max", "pool_grid": 3},
    {"pooling": "avg", "n_components": 3},
    {"corruption": "mask", "kernel_size": 3},
    {"corruption": "salt_and_pepper", "output_activation": "sigmoid"},
    {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 1},
    {"loss": "absolute_error", "optimizer": "rmsprop", "output_activation": "tanh"},
    {"loss": "huber", "optimizer": "adamw", "output_activation": "relu"},
    {"loss": "log_loss", "activation": "abs"},
    {"stride": 2, "pool_size": 1, "activation": "tanh"},
    {"n_filters": (4, 3), "kernel_size": (3, 2), "tied_weights": True},
    {"whiten": 0.1, "init": "kmeans", "activation": "two_sided", "max_epochs": 0},
    {"sparsity": "l1", "max_samples": 20, "pool_size": 3, "pool_mode": "avg"},
    {
        "n_filters": (4, 2),
        "depthwise": (False, True),
        "init": "patches",
        "activation": ("triangle", "soft_threshold"),
        "pooling": "max",
        "pool_grid": 3,
    },
    {"optimizer": "sgd", "lr": 0.1, "batch_size": 7, "activation": "sigmoid"},
    {"sparsity": "winner_take_all", "pooling": "avg", "power": 0.5, "max_samples": 20},
    {"layerwise": True, "n_filters": (4, 2), "n_components": 3},
    {
        "n_filters": (4, 2),
        "layerwise": True,
        "whiten": 0.1,
        "pooling": "max",
        "feature_stages": "all",
    },
    # What recipes do not train may be trained all the same.
    {"recipe": "auto", "n_filters": (4, 2), "n_components": 3},
    {"recipe": "small", "n_components": 3},
]
# Arguments that a recipe gets: few filters, but as many stages as it has.
FEW = {1: 4, 2: (4, 2), 3: (4, 4, 4)}


def configured():
    """Yield transformers whose parameters are given one by one."""
    for params in CONFIGURATIONS:
        yield ConvAutoencoderTransformer(
            **{"recipe": "tutorial", "n_filters": 4, "random_state": 0}
            | params
            | {"max_epochs": min(2, params.get("max_epochs", 2))}
        )


def by_recipe():
    """Yield transformers of all recipes, with and without components."""
    for name, n_components in product(skcae.recipes, (None, 2)):
        recipe = skcae.recipes[name]
        yield ConvAutoencoderTransformer(
            recipe=name,
            n_filters=FEW[len(as_sequence(recipe["n_filters"]))],
            n_components=n_components,
            max_epochs=min(2, recipe["max_epochs"]),
            random_state=0,
        )


@parametrize_with_checks(
    [ConvAutoencoderTransformer(), ConvAutoencoderTransformer(n_components=2)]
)
def test_defaults(estimator, check):
    check(estimator)


@parametrize_with_checks(list(configured()))
def test_estimator(estimator, check):
    check(estimator)


@parametrize_with_checks(list(by_recipe()))
def test_recipe(estimator, check):
    check(estimator)


@parametrize_with_checks([ConvAutoencoderOutlierDetector(random_state=0)])
def test_detector(estimator, check):
    check(estimator)


def test_no_check_is_skipped():
    estimator = ConvAutoencoderTransformer(n_filters=4, max_epochs=2, random_state=0)
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert {result["status"] for result in results} == {"passed"}
    if parse_version(sklearn.__version__) >= parse_version("1.9"):
        assert "check_array_api_input" in {result["check_name"] for result in results}
    assert len(results) > 40


CLASSIFIERS = [
    {},
    {"frozen_epochs": "all", "label_smoothing": 0.1},
    {"shift": 1, "flip": True, "dropout": 0.1, "frozen_epochs": 1},
]
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": (
        "Batches are drawn at random: of repeated samples there are more of them, in "
        "another order. And the autoencoder learns from samples, whatever they weigh."
    )
}


def classifiers():
    """Yield the default with few epochs, and classifiers of less than a moment."""
    yield ConvAutoencoderClassifier(max_epochs=2, random_state=0)
    for params in CLASSIFIERS:
        cae = ConvAutoencoderTransformer(
            recipe="tutorial", n_filters=4, max_epochs=2, random_state=0
        )
        yield ConvAutoencoderClassifier(cae, max_epochs=5, random_state=0, **params)


@parametrize_with_checks(
    list(classifiers()),
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL,
)
def test_classifier(estimator, check):
    check(estimator)
