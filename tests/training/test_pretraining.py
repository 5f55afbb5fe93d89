"""Stages in turn: which weights are trained when, and how long."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from ..conftest import as_tensor, make_small, weights_of
from .conftest import STACK, WINNERS, changed, every_configuration, heard_by


class Snapshots(Callback):
    """Remembers the weights at the end of every epoch."""

    def __init__(self):
        self.weights = []

    def on_epoch_end(self, net, **kwargs):
        self.weights.append(copy.deepcopy(net.module_.state_dict()))


def fit_with_snapshots(X, **params):
    cae = make_small(callbacks=[Snapshots()], **params).fit(X)
    return cae, heard_by(cae, "Snapshots").weights


@pytest.mark.parametrize(
    "params",
    [
        STACK,
        {**STACK, "weight_decay": 0.1, "optimizer": "adamw"},
        {**STACK, "tied_weights": True},
        {**STACK, "corruption": "gaussian"},
        {**STACK, "sparsity": "winner_take_all"},
    ],
    ids=str,
)
def test_a_stage_rests_while_another_is_trained(params, small_digits):
    _, weights = fit_with_snapshots(small_digits, max_epochs=2, **params)
    assert len(weights) == 4
    own = {
        0: ("encoder.0.", "decoder.1."),
        1: ("encoder.1.", "decoder.0."),
    }
    for epoch in (1, 3):
        names = changed(weights[epoch - 1], weights[epoch])
        assert names
        assert all(name.startswith(own[epoch // 2]) for name in names), names


def test_winners_train_filters_alone(small_digits):
    _, weights = fit_with_snapshots(small_digits, **WINNERS)
    assert changed(weights[0], weights[1]) == {"encoder.0.convolution.weight"}


def test_history_tells_the_stage(small_digits):
    cae = make_small(max_epochs=3, **STACK).fit(small_digits, X_val=small_digits)
    assert [row["stage"] for row in cae.history_] == [1, 1, 1, 2, 2, 2]
    assert [row["epoch"] for row in cae.history_] == [1, 2, 3, 4, 5, 6]
    assert all("valid_loss" in row for row in cae.history_)
    assert cae.n_iter_ == 6
    assert "stage" not in make_small().fit(small_digits).history_[0]


def test_features_of_a_stack_are_the_code_of_its_last_stage(small_digits):
    cae = make_small(**STACK, pool_size=(2, 1)).fit(small_digits)
    module = cae.module_.eval()
    with torch.no_grad():
        first = module.encoder[0](module.standardise(as_tensor(small_digits)))
        second = module.encoder[1](first)
    assert first.shape[1:] == (4, 4, 4)
    features = cae.transform(small_digits)
    assert_allclose(features, second.flatten(1), atol=1e-5)
    assert features.shape == (120, 6 * 4 * 4)


def test_first_stage_of_a_stack_is_trained_like_one_alone(small_digits):
    alone = make_small(activation="tanh").fit(small_digits)
    stack = make_small(activation="tanh", **STACK).fit(small_digits)
    losses = [row["train_loss"] for row in stack.history_[:2]]
    # They start from the same filters; other decoder weights are drawn.
    assert losses == pytest.approx(
        [row["train_loss"] for row in alone.history_], rel=0.2
    )


def test_stages_learn(small_digits):
    cae = make_small(max_epochs=15, **STACK).fit(small_digits)
    losses = [row["train_loss"] for row in cae.history_]
    assert losses[14] < losses[0]
    assert losses[29] < losses[15]
    start = make_small(max_epochs=0, **STACK).fit(small_digits)
    assert cae.score(small_digits) > start.score(small_digits)
    assert cae.reconstruction_err_ < start.reconstruction_err_


def test_schedule_of_rates_begins_anew_in_every_stage(small_digits):
    schedule = LRScheduler(policy="StepLR", step_size=1, gamma=0.1)
    cae = make_small(callbacks=[schedule], **STACK).fit(small_digits)
    rates = cae.net_.history[:, "event_lr"]
    assert_allclose(rates, [5e-3, 5e-4, 5e-3, 5e-4])


def test_every_stage_stops_by_itself(small_digits):
    params = {"tol": 1e3, "n_iter_no_change": 2, "max_epochs": 9}
    for others in ({}, {"callbacks": [EarlyStopping("train_loss", patience=2)]}):
        cae = make_small(**params, **others, **STACK).fit(small_digits)
        assert [row["stage"] for row in cae.history_] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("params", [STACK, WINNERS], ids=["stack", "winners"])
def test_best_weights_of_every_stage_are_restored(params, small_digits):
    params = {**params, "early_stopping": True, "tol": 0, "max_epochs": 12, "lr": 0.2}
    cae, weights = fit_with_snapshots(small_digits, n_iter_no_change=3, **params)
    stage = [row for row in cae.history_ if row["stage"] == 1]
    best = int(np.argmin([row["valid_loss"] for row in stage]))
    name = "encoder.0.convolution.weight"
    assert torch.equal(weights_of(cae)[name], weights[best][name])


@every_configuration
def test_validation_samples_are_only_watched(params, digits):
    watched = make_small(**params).fit(digits[:80], X_val=digits[80:120])
    alone = make_small(**params).fit(digits[:80])
    assert not changed(weights_of(watched), weights_of(alone))
    assert all("valid_loss" in row for row in watched.history_)
