"""Fits that are interrupted, and that go on as if nothing had happened."""

from pathlib import Path

import numpy as np
import pytest
from skorch.callbacks import Callback

from ..conftest import assert_same_weights, make_small

# What a file of another fit gets, with what differs.
OTHER = r"Got checkpoint='.*fit' of another fit, with {}.*; expected .* Pass the"


class Interrupt(Callback):
    """Raise what Ctrl-C raises at the end of an epoch, when all has changed."""

    epoch, n_epochs = None, 0

    def on_epoch_end(self, net, **kwargs):
        type(self).n_epochs += 1
        if self.n_epochs == self.epoch:
            raise KeyboardInterrupt


def make(**params):
    """Return a transformer whose training `Interrupt` counts and interrupts."""
    callbacks = [*params.pop("callbacks", ()), ("interrupt", Interrupt())]
    return make_small(**{"max_epochs": 3, "callbacks": callbacks} | params)


def fit_interrupted(cae, X, epoch, **kwargs):
    Interrupt.epoch, Interrupt.n_epochs = epoch, 0
    with pytest.raises(KeyboardInterrupt):
        cae.fit(X, **kwargs)
    Interrupt.epoch, Interrupt.n_epochs = None, 0


def without_seconds(rows):
    return [
        {name: value for name, value in row.items() if name not in ("seconds", "dur")}
        for row in rows
    ]


def assert_same_fit(first, second):
    assert_same_weights(first, second)
    assert without_seconds(first.history_) == without_seconds(second.history_)
    assert without_seconds(first.net_.history) == without_seconds(second.net_.history)
    for name in ("n_iter_", "reconstruction_err_", "n_dead_units_", "n_samples_seen_"):
        assert getattr(first, name) == getattr(second, name), name
    np.testing.assert_array_equal(first.mean_, second.mean_)


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet, alone in its folder."""
    return tmp_path / "fit"


@pytest.fixture
def uninterrupted():
    """Let a test inherit no interrupts of another."""
    Interrupt.epoch, Interrupt.n_epochs = None, 0


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)
