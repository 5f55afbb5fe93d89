"""Losses are drawn as they were recorded."""

import numpy as np
from numpy.testing import assert_array_equal

from skcae import TrainingCurveDisplay

from ..conftest import make_small


def losses_of(cae, name):
    return [row[name] for row in cae.history_]


def test_training_curve(fitted):
    display = TrainingCurveDisplay.from_estimator(fitted)
    (line,) = display.lines_
    assert_array_equal(line.get_xdata(), [1, 2])
    assert_array_equal(line.get_ydata(), losses_of(fitted, "train_loss"))
    assert display.valid_loss is None
    assert display.stages is None
    assert display.ax_.get_xlabel() == "Epoch"
    assert display.ax_.get_ylabel() == "Loss"
    assert display.ax_.get_yscale() == "linear"


def test_stages_have_curves_of_their_own(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals, yscale="log")
    losses = [losses_of(on_signals, name) for name in ("train_loss", "valid_loss")]
    parts = [part for row in losses for part in (row[:2], row[2:])]
    for line, epochs, part in zip(
        display.lines_, [(1, 2), (3, 4)] * 2, parts, strict=True
    ):
        assert_array_equal(line.get_xdata(), epochs)
        assert_array_equal(line.get_ydata(), part)
    assert display.ax_.get_yscale() == "log"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["training", "validation"]
    assert [text.get_text() for text in display.ax_.texts] == ["stage 1", "stage 2"]


def test_numbers_of_a_log_scale(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals, yscale="log")
    display.figure_.canvas.draw()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert any(labels)
    for label in filter(None, labels):
        assert float(label) > 0


def test_the_history_of_skorch(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals.net_)
    assert_array_equal(display.train_loss, losses_of(on_signals, "train_loss"))
    assert_array_equal(display.valid_loss, losses_of(on_signals, "valid_loss"))


def test_validation_that_began_later(small_digits):
    cae = make_small(warm_start=True).fit(small_digits)
    cae.fit(small_digits, X_val=small_digits[:9])
    display = TrainingCurveDisplay.from_estimator(cae)
    assert_array_equal(np.isnan(display.valid_loss), [True, True, False, False])


def test_a_single_epoch_is_seen(small_digits):
    cae = make_small(max_epochs=1).fit(small_digits)
    (line,) = TrainingCurveDisplay.from_estimator(cae).lines_
    assert line.get_marker() == "o"
