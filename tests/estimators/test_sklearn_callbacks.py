"""Callbacks of scikit-learn: scores, progress bars, stops."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EarlyStopping

from ..conftest import make_small
from .conftest import make_classifier

# Since scikit-learn 1.9.
callback = pytest.importorskip("sklearn.callback")


def explained_variance(estimator, X, y=None):
    return estimator.score(X)


def epoch_scores(monitor):
    """Return the scores of every fit's epochs, in the order of the epochs."""
    fits = {}
    for row in monitor.get_logs().data:
        if row["task_name"] == "epoch":
            fits.setdefault(row["parent_task_id_path"], []).append(row["score"])
    return list(fits.values())


def make_monitor():
    return callback.ScoringMonitor(scoring={"score": explained_variance})


def test_scoring_monitor_logs_every_epoch(small_digits, labels, fitted):
    monitor = make_monitor()
    cae = make_small().set_callbacks(monitor).fit(small_digits, labels)
    # Looking does not change what is trained.
    assert_array_equal(cae.transform(small_digits), fitted.transform(small_digits))
    cae.set_params(max_epochs=8).fit(small_digits, labels)
    (scores,) = epoch_scores(monitor)
    assert len(scores) == 8
    assert np.all(np.diff(scores) > 0)
    assert scores[-1] == cae.score(small_digits)


def test_scoring_monitor_in_a_pipeline(small_digits, labels):
    monitor = make_monitor()
    pipeline = make_classifier(max_epochs=4)
    pipeline[0].set_callbacks(monitor)
    pipeline.fit(small_digits, labels)
    (scores,) = epoch_scores(monitor)
    assert len(scores) == 4
    assert np.all(np.diff(scores) > 0)


def test_scoring_monitor_in_a_search(small_digits, labels):
    monitor = make_monitor()
    cae = make_small(max_epochs=3).set_callbacks(monitor)
    GridSearchCV(cae, {"lr": [0.005, 0.01]}, cv=2).fit(small_digits, labels)
    fits = epoch_scores(monitor)
    assert [len(scores) for scores in fits] == [3] * 5  # 2 candidates, 2 folds, refit
    assert all(np.all(np.diff(scores) > 0) for scores in fits)


def test_progress_bar(small_digits, labels, capsys):
    make_small().set_callbacks(callback.ProgressBar()).fit(small_digits)
    out = capsys.readouterr().out
    assert "ConvAutoencoderTrans" in out  # cut where the terminal is narrow
    assert "100%" in out


def test_progress_bar_of_meta_estimators(small_digits, labels, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    bar = callback.ProgressBar(max_propagation_depth=None)
    make_classifier().set_callbacks(bar).fit(small_digits, labels)
    out = capsys.readouterr().out
    assert "Pipeline - fit" in out
    assert "ConvAutoencoderTrans" in out  # cut where the terminal is narrow
    search = GridSearchCV(make_small(), {"lr": [0.001, 0.01]}, cv=2)
    search.set_callbacks(bar).fit(small_digits)
    out = capsys.readouterr().out
    assert out.count("candidate-split-evaluation | ConvAutoencoderTransformer") >= 4


class StopAfter:
    """A callback of scikit-learn that ends the fit after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        return context.task_name == "epoch" and context.task_id + 1 == self.n_epochs


def test_callback_stops_the_fit(small_digits):
    stop = StopAfter(2)
    cae = make_small(max_epochs=9).set_callbacks(stop).fit(small_digits)
    assert cae.n_iter_ == 2
    assert_array_equal(
        cae.transform(small_digits), make_small().fit_transform(small_digits)
    )
    epoch = ["begin epoch", "end epoch"]
    assert stop.events == ["setup", "begin fit", *epoch * 2, "end fit", "teardown"]


@pytest.mark.parametrize(
    "params",
    [
        {"tol": 1e3, "n_iter_no_change": 2},
        {"tol": 1e3, "n_iter_no_change": 2, "early_stopping": True},
        {"callbacks": [EarlyStopping("train_loss", patience=2, threshold=1e3)]},
    ],
)
def test_callback_hears_the_end_of_the_last_epoch(small_digits, params):
    stop = StopAfter(9)
    cae = make_small(max_epochs=9, **params).set_callbacks(stop).fit(small_digits)
    assert cae.n_iter_ == 3
    assert stop.events.count("begin epoch") == 3
    assert stop.events.count("end epoch") == 3


def test_callback_that_stops_does_not_hide_the_best_epoch(small_digits, digits):
    X_val = digits[120:160]
    cae = make_small(max_epochs=9, early_stopping=True).set_callbacks(StopAfter(3))
    cae.fit(small_digits, X_val=X_val)
    assert cae.n_iter_ == 3
    losses = [row["valid_loss"] for row in cae.history_]
    assert losses == sorted(losses, reverse=True)
    three = make_small(max_epochs=3).fit(small_digits)
    assert_array_equal(cae.transform(X_val), three.transform(X_val))


def test_callback_is_torn_down_after_an_error(small_digits):
    stop = StopAfter(2)
    cae = make_small(lr=1e30, optimizer="sgd").set_callbacks(stop)
    with pytest.raises(ValueError, match="finite loss"):
        cae.fit(small_digits)
    assert stop.events[-1] == "teardown"
