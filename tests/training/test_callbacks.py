"""skorch's callbacks: what they hear, and what they may do."""

import threading
from collections import Counter

import numpy as np
import pytest
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler

from skcae import ConvAutoencoderClassifier

from ..conftest import assert_same_weights, make_small
from .conftest import BatchRecorder, Recorder, heard_by

# Events


def test_epoch_events(small_digits, fitted):
    cae = make_small(callbacks=[Recorder()]).fit(small_digits)
    recorder = heard_by(cae)
    epoch = ["epoch begin", "epoch end"]
    assert recorder.events == ["train begin", *epoch * 2, "train end"]
    assert recorder.losses == [row["train_loss"] for row in cae.history_]
    assert_same_weights(cae, fitted)


def test_batch_events(small_digits, digits):
    cae = make_small(batch_size=50, callbacks=[("recorder", BatchRecorder())])
    cae.fit(small_digits, X_val=digits[120:180])
    recorder = heard_by(cae, "recorder")
    batches = ["batch begin", "batch end"] * 5  # 50 + 50 + 20, and 50 + 10
    epoch = ["epoch begin", *batches, "epoch end"]
    assert recorder.events == ["train begin", *epoch * 2, "train end"]
    assert recorder.batch_sizes == {
        (True, 50): 4,
        (True, 20): 2,
        (False, 50): 2,
        (False, 10): 2,
    }
    assert recorder.n_gradients == 6 * len(list(cae.module_.parameters()))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"corruption": "gaussian", "n_components": 3},
        {"optimizer": "sgd", "tied_weights": True, "loss": "log_loss"},
        {"early_stopping": True, "n_filters": (4, 3), "batch_size": 7},
    ],
)
def test_listening_to_batches_does_not_change_the_weights(small_digits, params):
    quiet = make_small(**params).fit(small_digits)
    heard = make_small(callbacks=[BatchRecorder()], **params).fit(small_digits)
    assert_same_weights(heard, quiet)
    for key in quiet.history_[0].keys() - {"seconds"}:
        assert [row[key] for row in heard.history_] == pytest.approx(
            [row[key] for row in quiet.history_], rel=1e-6
        )
    assert quiet.n_iter_ == heard.n_iter_


def test_callbacks_hear_every_fit(small_digits):
    cae = make_small(callbacks=[Recorder()]).fit(small_digits).fit(small_digits)
    recorder = heard_by(cae)
    assert recorder.events.count("epoch end") == 2
    cae.partial_fit(small_digits)
    assert recorder.events.count("train begin") == 2
    assert recorder.events.count("epoch end") == 3
    cae.transform(small_digits)
    cae.score(small_digits)
    assert recorder.events.count("train begin") == 2


# Copies


class Gathering(Recorder):
    """Gather what happens in values within values."""

    def __init__(self, path):
        super().__init__()
        self.rows, self.counts = {"rows": []}, Counter()
        self.also_rows = self.rows
        self.file, self.lock = open(path, "w"), threading.Lock()

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        self.rows["rows"].append(net.history[-1, "train_loss"])
        self.counts["epochs"] += 1
        with self.lock:
            print(len(self.losses), file=self.file)


def test_callbacks_of_the_user_stay_what_they_are(small_digits, digit_labels, tmp_path):
    y = digit_labels[:120]
    gathering = Gathering(tmp_path / "epochs")
    params = {"callbacks": [gathering, ("again", gathering)], "max_epochs": 2}
    for model in (
        make_small(**params),
        make_small(**params, warm_start=True),
        ConvAutoencoderClassifier(make_small(), **params),
    ):
        for _ in range(2):
            model.fit(small_digits, y)
            assert gathering.events == gathering.losses == gathering.rows["rows"] == []
            assert gathering.counts == {}
    seen = heard_by(model, "Gathering")
    assert len(seen.rows["rows"]) == len(seen.losses) > 0
    assert seen.also_rows is seen.rows
    # What cannot be copied is used as it is.
    assert seen.file is gathering.file
    gathering.file.close()
    assert (tmp_path / "epochs").read_text().startswith("1\n")


def test_callbacks_share_what_they_shared(small_digits):
    first, second = Recorder(), Recorder()
    second.events = first.events
    cae = make_small(callbacks=[("first", first), ("second", second)])
    cae.fit(small_digits)
    assert heard_by(cae, "first").events is heard_by(cae, "second").events


# Callbacks of skorch


def test_learning_rate_scheduler(small_digits):
    scheduler = LRScheduler(policy="StepLR", step_size=1, gamma=0.1)
    cae = make_small(max_epochs=4, lr=0.01, callbacks=[scheduler]).fit(small_digits)
    rates = [row["event_lr"] for row in cae.net_.history]
    assert rates == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])
    constant = make_small(max_epochs=4, lr=0.01).fit(small_digits)
    assert cae.reconstruction_err_ > constant.reconstruction_err_
    assert len(cae.history_) == 4


def test_batch_wise_scheduler(small_digits):
    scheduler = LRScheduler(policy="StepLR", step_size=2, gamma=0.5, step_every="batch")
    cae = make_small(batch_size=30, callbacks=[scheduler]).fit(small_digits)
    (group,) = cae.net_.optimizer_.param_groups
    assert group["lr"] == pytest.approx(0.005 * 0.5**4)


def test_early_stopping_of_skorch(small_digits):
    stopping = EarlyStopping(
        monitor="train_loss", patience=2, threshold=1e3, threshold_mode="abs"
    )
    cae = make_small(max_epochs=9, callbacks=[stopping]).fit(small_digits)
    assert cae.n_iter_ == len(cae.history_) == 3
    assert cae.transform(small_digits).shape == (120, 64)


def test_early_stopping_of_skorch_restores_its_best_weights(small_digits):
    stopping = EarlyStopping(
        monitor="train_loss",
        patience=2,
        lower_is_better=False,  # the worst is the best: the first epoch
        load_best=True,
    )
    cae = make_small(max_epochs=9, callbacks=[stopping]).fit(small_digits)
    assert cae.n_iter_ == 3
    assert_same_weights(cae, make_small(max_epochs=1).fit(small_digits))


def test_early_stopping_of_skorch_on_validation_samples(small_digits, digits):
    stopping = EarlyStopping(monitor="valid_loss", patience=1, threshold=1e3)
    cae = make_small(max_epochs=9, callbacks=[stopping])
    cae.fit(small_digits, X_val=digits[120:160])
    assert cae.n_iter_ < 9


def test_scoring_of_skorch(small_digits, digits):
    def worst_pixel(net, X, y=None):
        return float(np.abs(net.predict(X)).max())

    scoring = EpochScoring(worst_pixel, name="worst_pixel", use_caching=False)
    cae = make_small(callbacks=[scoring]).fit(small_digits, X_val=digits[120:160])
    values = [row["worst_pixel"] for row in cae.net_.history]
    back = cae.inverse_transform(cae.transform(digits[120:160]))
    assert values[-1] == pytest.approx(np.abs(back).max(), rel=1e-5)


def test_error_of_a_callback_reaches_the_caller(small_digits):
    class Fails(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise ZeroDivisionError("of the user")

    with pytest.raises(ZeroDivisionError, match="of the user"):
        make_small(callbacks=[Fails()]).fit(small_digits)
