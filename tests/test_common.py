"""scikit-learn's own checks of an estimator, for many configurations.

The checks use small generic data, some of it with two features only; every
configuration must take them, without expected failures.
"""

from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from skcae import ConvAutoencoderTransformer

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
    {"optimizer": "sgd", "lr": 0.1, "batch_size": 7, "activation": "sigmoid"},
]


def estimators():
    yield ConvAutoencoderTransformer()
    for params in CONFIGURATIONS:
        yield ConvAutoencoderTransformer(
            **{"n_filters": 4, "max_epochs": 2, "random_state": 0} | params
        )


@parametrize_with_checks(list(estimators()))
def test_estimator(estimator, check):
    check(estimator)


def test_no_check_is_skipped():
    estimator = ConvAutoencoderTransformer(n_filters=4, max_epochs=2, random_state=0)
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert {result["status"] for result in results} == {"passed"}
    assert "check_array_api_input" in {result["check_name"] for result in results}
    assert len(results) > 40
