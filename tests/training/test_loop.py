"""Epochs of training: losses, early stopping, noise, optimizers."""

import math
import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback, EarlyStopping

from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.runtime.inference import mean_loss

from ..conftest import make_small


def test_history(small_digits):
    cae = make_small(max_epochs=3).fit(small_digits)
    assert [row["epoch"] for row in cae.history_] == [1, 2, 3]
    assert all(row["seconds"] > 0 for row in cae.history_)
    assert all(set(row) == {"epoch", "train_loss", "seconds"} for row in cae.history_)
    assert cae.n_iter_ == 3
    assert cae.reconstruction_err_ == cae.history_[-1]["train_loss"]


def test_training_lowers_the_loss_and_raises_the_score(small_digits):
    short, long = (make_small(max_epochs=n).fit(small_digits) for n in (1, 20))
    assert long.reconstruction_err_ < short.reconstruction_err_
    assert long.score(small_digits) > short.score(small_digits)


def test_no_epochs_keep_the_initial_filters(small_digits):
    cae = make_small(max_epochs=0).fit(small_digits)
    assert cae.history_ == []
    assert cae.n_iter_ == 0
    assert cae.reconstruction_err_ > 0
    norms = np.linalg.norm(cae.filters_.reshape(4, -1), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


def test_dense_code_starts_as_principal_components(digits):
    params = {"n_filters": 8, "max_epochs": 0}
    maps = make_small(**params).fit_transform(digits)
    code = make_small(n_components=5, **params).fit_transform(digits)
    expected = PCA(5).fit_transform(maps)
    correlation = np.abs(np.corrcoef(code, expected, rowvar=False)[:5, 5:])
    np.testing.assert_allclose(correlation.max(axis=1), 1, atol=1e-3)


def test_dense_code_wider_than_the_data(small_digits):
    cae = make_small(n_components=300).fit(small_digits)
    assert cae.transform(small_digits).shape == (120, 300)
    assert np.isfinite(cae.score(small_digits))


def test_early_stopping_restores_the_best_weights(small_digits):
    X, X_val = small_digits[:80], small_digits[80:]
    # At a rate that is too high, losses go up and down: seldom for long before the end.
    cae = make_small(
        early_stopping=True,
        lr=0.1,
        max_epochs=60,
        n_iter_no_change=4,
        tol=0,
        random_state=2,
    ).fit(X, X_val=X_val)
    losses = [row["valid_loss"] for row in cae.history_]
    best = int(np.argmin(losses))
    assert best + 4 == len(losses) - 1 < 59
    assert cae.reconstruction_err_ == cae.history_[best]["train_loss"]
    restored = mean_loss(cae.net_, Samples(X_val, Layout((8, 8))))
    assert restored == pytest.approx(losses[best], rel=1e-4)


def test_early_stopping_holds_out_a_fraction(small_digits):
    cae = make_small(early_stopping=True, validation_fraction=0.25).fit(small_digits)
    assert cae.n_samples_seen_ == 90
    assert all("valid_loss" in row for row in cae.history_)


def test_the_loss_of_the_result_is_that_of_samples_that_were_not_held_out(digits):
    cae = make_small(early_stopping=True, validation_fraction=0.5, layerwise=True)
    cae.fit(digits)
    n_held_out = -(-len(digits) // 2)
    trained, _ = train_test_split(
        digits, test_size=n_held_out, random_state=cae._fitted.seed
    )
    trained = {sample.tobytes() for sample in trained}
    X = np.stack([x for x in digits if x.tobytes() in trained])
    some = Samples(X, Layout((8, 8))).evenly_spaced(256)
    assert cae.reconstruction_err_ == mean_loss(cae.net_, some)


def test_early_stopping_on_two_samples(small_digits):
    cae = make_small(early_stopping=True).fit(small_digits[:2])
    assert cae.n_samples_seen_ == 1


def test_validation_samples_are_only_watched(small_digits):
    X, X_val = small_digits[:80], small_digits[80:]
    watched = make_small().fit(X, X_val=X_val)
    alone = make_small().fit(X)
    np.testing.assert_array_equal(watched.filters_, alone.filters_)
    assert all("valid_loss" in row for row in watched.history_)


def test_training_stops_on_a_plateau(small_digits):
    cae = make_small(max_epochs=50, n_iter_no_change=3, tol=10.0).fit(small_digits)
    assert cae.n_iter_ == 4


def test_loss_that_explodes(small_digits):
    cae = make_small(optimizer="sgd", lr=1e6, activation="identity", max_epochs=9)
    with pytest.raises(ValueError, match=r"loss of .* in epoch \d with lr=1e\+06"):
        cae.fit(small_digits)


def test_dead_units_are_reported(small_digits):
    class DeadMap(Callback):
        def on_train_end(self, net, **kwargs):
            net.module_.encoder[0].convolution.bias.data[1] = -1e6

    cae = make_small(callbacks=[DeadMap()])
    with pytest.warns(UserWarning, match="1 of 4 units of the code are constant"):
        cae.fit(small_digits)
    assert cae.n_dead_units_ == 1


def test_no_warning_about_living_units(small_digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cae = make_small(n_filters=16).fit(small_digits)
    assert cae.n_dead_units_ == 0


@pytest.mark.parametrize("corruption", ["mask", "gaussian", "salt_and_pepper"])
def test_corruption_acts_in_training_alone(corruption, small_digits):
    plain, noisy, silent = (
        make_small(corruption=name, corruption_level=level, lr=0.02, max_epochs=10).fit(
            small_digits
        )
        for name, level in [(None, 0), (corruption, 0.5), (corruption, 0.0)]
    )
    assert noisy.history_[-1]["train_loss"] > plain.history_[-1]["train_loss"]
    np.testing.assert_allclose(silent.filters_, plain.filters_, atol=1e-6)
    np.testing.assert_array_equal(
        noisy.transform(small_digits), noisy.transform(small_digits)
    )


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_optimizers_learn(optimizer, small_digits):
    cae = make_small(optimizer=optimizer, lr=0.01, max_epochs=10).fit(small_digits)
    assert cae.history_[-1]["train_loss"] < 0.9 * cae.history_[0]["train_loss"]


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "log_loss"]
)
def test_losses_are_means_in_standardised_units(loss, small_digits):
    cae = make_small(loss=loss, max_epochs=30, lr=0.02).fit(small_digits)
    rebuilt = cae.inverse_transform(cae.transform(small_digits))
    if loss == "log_loss":
        target, output = (
            np.clip(a / 16.0, 1e-7, 1 - 1e-7) for a in (small_digits, rebuilt)
        )
        elements = -target * np.log(output) - (1 - target) * np.log(1 - output)
    else:
        error = np.abs(small_digits - rebuilt) / small_digits.std()
        elements = {
            "squared_error": error**2 / 2,
            "absolute_error": error,
            "huber": np.where(error < 1, error**2 / 2, error - 0.5),
        }[loss]
    measured = mean_loss(cae.net_, Samples(small_digits, Layout((8, 8))))
    assert measured == pytest.approx(elements.mean(), rel=1e-3)
    assert cae.score(small_digits) > 0.5


def test_last_batch_of_one_sample_is_trained_on(small_digits):
    seen = []

    class Sizes(Callback):
        def on_batch_end(self, net, batch, training, **kwargs):
            seen.append(len(batch[0]))

    make_small(batch_size=40, max_epochs=1, callbacks=[Sizes()]).fit(small_digits[:81])
    assert seen == [40, 40, 1]


def test_training_set_smaller_than_a_batch(small_digits):
    cae = make_small(batch_size=1000, max_epochs=5).fit(small_digits)
    assert not math.isclose(
        cae.history_[0]["train_loss"], cae.history_[-1]["train_loss"]
    )


def test_best_weights_are_kept_whatever_counts_as_improvement(small_digits):
    X, X_val = small_digits[:80], small_digits[80:]
    cae = make_small(early_stopping=True, tol=1.0, max_epochs=9, n_iter_no_change=5)
    cae.fit(X, X_val=X_val)
    losses = [row["valid_loss"] for row in cae.history_]
    best = int(np.argmin(losses))
    assert best > 0
    assert cae.reconstruction_err_ == cae.history_[best]["train_loss"]
    restored = mean_loss(cae.net_, Samples(X_val, Layout((8, 8))))
    assert restored == pytest.approx(losses[best], rel=1e-4)


def test_monitor_without_validation_samples(small_digits):
    cae = make_small(callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="Got a callback EarlyStopping with monitor="):
        cae.fit(small_digits)
    cae.fit(small_digits, X_val=small_digits[:10])
