"""Every parameter changes a second fit, as it changes a first one."""

import pytest
from skorch.callbacks import LRScheduler

from ..conftest import make_small

# Another value of every parameter, and what has to be set for it to have an effect.
CHANGES = {
    "recipe": ("textbook", {"padding": "auto"}),
    "input_shape": ((4, 16), {"input_shape": (8, 8)}),
    "channel_axis": (0, {"input_shape": (8, 8)}),
    "n_filters": ((2, 3), {}),
    "kernel_size": (2, {}),
    "stride": (2, {}),
    "pool_size": (1, {}),
    "pool_mode": ("avg", {}),
    "depthwise": (True, {"channel_axis": 0, "input_shape": (2, 32)}),
    "padding": ("full", {}),
    "whiten": (0.1, {}),
    "threshold": (0.1, {"activation": "soft_threshold"}),
    "activation": ("abs", {}),
    "output_activation": ("sigmoid", {}),
    "tied_weights": (True, {}),
    "n_components": (3, {}),
    "loss": ("absolute_error", {}),
    "corruption": ("mask", {}),
    "corruption_level": (0.7, {"corruption": "mask"}),
    "sparsity": ("winner_take_all", {}),
    "sparsity_level": (0.9, {"sparsity": "l1"}),
    "init": ("kmeans", {}),
    "layerwise": (True, {"n_filters": (2, 3)}),
    "pooling": ("avg", {}),
    "pool_grid": (3, {"pooling": "max"}),
    "feature_stages": ("all", {"pooling": "max", "n_filters": (2, 3)}),
    "power": (0.5, {"pooling": "max"}),
    "optimizer": ("sgd", {}),
    "lr": (0.05, {}),
    "weight_decay": (0.1, {}),
    "batch_size": (30, {}),
    "max_epochs": (3, {}),
    "max_samples": (40, {}),
    "crop_size": (4, {"sparsity": "winner_take_all", "input_shape": (8, 8)}),
    "early_stopping": (True, {}),
    "validation_fraction": (0.4, {"early_stopping": True}),
    "n_iter_no_change": (1, {"tol": 1e3, "max_epochs": 3}),
    "tol": (1e3, {"n_iter_no_change": 1, "max_epochs": 3}),
    "warm_start": (True, {}),
    "random_state": (1, {}),
    "callbacks": ([LRScheduler(policy="StepLR", step_size=1, gamma=0.1)], {}),
    "net_params": ({"optimizer__betas": (0.5, 0.6)}, {}),
    "precision": ("bfloat16", {}),
}
# Those that decide where, how and how loudly the same thing is computed.
SAME_RESULT = {"device": "cpu", "verbose": 1}


def fingerprint(cae, X):
    losses = [row["train_loss"] for row in cae.history_]
    return [cae.transform(X).tobytes(), cae.n_iter_, cae.n_samples_seen_, *losses]


@pytest.mark.parametrize("name", CHANGES)
def test_every_parameter_changes_a_refit(rows, name):
    value, others = CHANGES[name]
    cae = make_small(**others).fit(rows)
    before = fingerprint(cae, rows)
    cae.set_params(**{name: value}).fit(rows)
    assert fingerprint(cae, rows) != before
    fresh = make_small(**others | {name: value}).fit(rows)
    if name == "warm_start":
        fresh.fit(rows)
    assert fingerprint(cae, rows) == fingerprint(fresh, rows)


@pytest.mark.parametrize("name", SAME_RESULT)
def test_parameters_that_change_no_result(rows, name):
    cae = make_small().fit(rows)
    before = fingerprint(cae, rows)
    cae.set_params(**{name: SAME_RESULT[name]}).fit(rows)
    assert fingerprint(cae, rows) == before


def test_no_parameter_is_forgotten_above():
    elsewhere = {"checkpoint", "compile"}  # have tests of their own
    assert set(make_small().get_params()) == {*CHANGES, *SAME_RESULT, *elsewhere}
