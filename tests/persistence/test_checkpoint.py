"""An interrupted fit goes on from its file, and ends as if nothing had happened."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from .conftest import OTHER, Interrupt, assert_same_fit, fit_interrupted, make

pytestmark = pytest.mark.usefixtures("uninterrupted")

CONFIGURATIONS = {
    "default": {},
    "noise": {"corruption": "gaussian", "max_samples": 50, "batch_size": 7},
    "best weights": {"early_stopping": True, "lr": 0.2, "validation_fraction": 0.3},
    "stopped": {"tol": 1e3, "n_iter_no_change": 2},
    "dense": {"n_components": 3, "optimizer": "rmsprop", "init": "patches"},
    "components": {
        "n_filters": (4, 5),
        "layerwise": True,
        "n_components": 3,
        "pooling": "avg",
        "feature_stages": "all",
        "max_epochs": 2,
    },
    "stages": {"n_filters": (4, 5), "layerwise": True, "corruption": "mask"},
    "winners": {
        "n_filters": (4, 5),
        "layerwise": True,
        "sparsity": "winner_take_all",
        "activation": "two_sided",
        "depthwise": (False, True),
        "init": "kmeans",
        "whiten": 0.1,
        "crop_size": 5,
        "max_epochs": 2,
    },
    "schedule": {
        "optimizer": "sgd",
        "callbacks": [
            ("rate", LRScheduler(policy="CosineAnnealingLR", T_max=3)),
            # Named as the one that stands for n_iter_no_change.
            (
                "early_stopping",
                EarlyStopping(monitor="train_loss", patience=3, load_best=True),
            ),
        ],
    },
    "schedules": {
        "layerwise": True,
        "n_filters": (4, 5),
        "max_epochs": 2,
        "callbacks": [
            LRScheduler(policy="ReduceLROnPlateau", patience=0),
            LRScheduler(policy="StepLR", step_size=3, step_every="batch"),
        ],
    },
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_same_bits_wherever_it_was_interrupted(name, small_digits, path):
    expected = make(**CONFIGURATIONS[name]).fit(small_digits)
    for epoch in range(1, expected.n_iter_ + 1):
        cae = make(checkpoint=path, **CONFIGURATIONS[name])
        fit_interrupted(cae, small_digits, epoch)
        resumed = clone(cae).fit(small_digits)
        assert Interrupt.n_epochs == expected.n_iter_ - epoch + 1
        assert_same_fit(resumed, expected)
        path.unlink()
    # So does what comes after the fit.
    resumed.partial_fit(small_digits)
    np.testing.assert_array_equal(
        resumed.transform(small_digits),
        expected.partial_fit(small_digits).transform(small_digits),
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_finished_fit_is_not_repeated(name, small_digits, path):
    first = make(checkpoint=path, **CONFIGURATIONS[name]).fit(small_digits)
    content, n_epochs = path.read_bytes(), Interrupt.n_epochs
    second = make(checkpoint=path, **CONFIGURATIONS[name]).fit(small_digits)
    assert Interrupt.n_epochs == n_epochs == first.n_iter_
    assert_same_fit(second, first)
    assert path.read_bytes() == content
    np.testing.assert_array_equal(
        second.partial_fit(small_digits).transform(small_digits),
        first.partial_fit(small_digits).transform(small_digits),
    )


def test_interrupted_again_and_again(small_digits, digits, path):
    params = {"early_stopping": True, "corruption": "mask", "max_epochs": 6}
    expected = make(**params).fit(small_digits, X_val=digits[120:150])
    for _ in range(5):
        cae = make(checkpoint=path, **params)
        fit_interrupted(cae, small_digits, 2, X_val=digits[120:150])
    cae.fit(small_digits, X_val=digits[120:150])
    assert Interrupt.n_epochs == 1
    assert_same_fit(cae, expected)


@pytest.mark.parametrize("interrupts", [0, 1])
def test_seed_that_nobody_named_is_kept(interrupts, small_digits, path):
    make_unseeded = partial(
        make, random_state=None, early_stopping=True, checkpoint=path, max_epochs=2
    )
    for _ in range(interrupts):
        fit_interrupted(make_unseeded(), small_digits, 2)
    first, second = (make_unseeded().fit(small_digits) for _ in "ab")
    assert_same_fit(first, second)


def test_generator_as_random_state(small_digits, path):
    def make_seeded(state):
        generator = np.random.RandomState(state)  # noqa: NPY002
        return make(random_state=generator, checkpoint=path)

    fit_interrupted(make_seeded(0), small_digits, 2)
    with pytest.raises(ValueError, match=OTHER.format("random_state=a generator")):
        make_seeded(1).fit(small_digits)
    seeded = make_seeded(0).fit(small_digits)
    assert_same_fit(
        seeded, make_seeded(0).set_params(checkpoint=None).fit(small_digits)
    )


class Memory(Callback):
    """Keep one of everything that a file can hold, and use it."""

    def __init__(self):
        self.losses, self.names, self.counts = [], set(), {}

    def on_train_begin(self, net, **kwargs):
        self.rng_ = np.random.default_rng(0)
        self.old_rng_ = np.random.RandomState(0)  # noqa: NPY002
        self.generator_ = torch.Generator().manual_seed(0)
        self.mean_ = np.float32(0)
        self.average_ = torch.optim.swa_utils.AveragedModel(net.module_)
        self.pair_, self.nothing_ = (0, np.zeros(2)), None
        self.function_ = lambda: None  # no file can hold it

    def on_epoch_end(self, net, **kwargs):
        loss = net.history[-1, "train_loss"]
        self.losses.append(loss)
        self.names.add(len(self.losses))
        self.counts[len(self.losses), "epoch"] = loss
        self.mean_ = self.mean_ * np.float32(0.7) + np.float32(loss)
        self.pair_ = self.pair_[0] + 1, self.pair_[1] + loss
        self.average_.update_parameters(net.module_)
        drawn = torch.rand(1, generator=self.generator_)
        self.drawn_ = drawn, self.rng_.random(), self.old_rng_.rand()
        net.history.record("drawn", float(drawn))


def test_callbacks_remember(small_digits, path):
    expected = make(callbacks=[("memory", Memory())]).fit(small_digits)
    cae = make(callbacks=[("memory", Memory())], checkpoint=path)
    fit_interrupted(cae, small_digits, 3)
    cae = make(callbacks=[("memory", Memory())], checkpoint=path).fit(small_digits)
    assert_same_fit(cae, expected)
    here, there = (dict(each.net_.callbacks_)["memory"] for each in (cae, expected))
    assert (here.losses, here.names) == (there.losses, there.names)
    assert here.counts == there.counts
    assert here.drawn_ == there.drawn_
    assert here.mean_ == there.mean_
    assert here.mean_.dtype == np.float32
    np.testing.assert_array_equal(here.pair_[1], there.pair_[1])
    for name, tensor in there.average_.state_dict().items():
        assert torch.equal(here.average_.state_dict()[name], tensor), name


def test_bar_counts_the_epochs_before(small_digits, path, capsys):
    cae = make(checkpoint=path, verbose=1)
    fit_interrupted(cae, small_digits, 3)
    capsys.readouterr()
    cae.fit(small_digits)
    err = capsys.readouterr().err
    assert "3/3" in err
    assert "1/3" not in err


def test_callbacks_of_scikit_learn(small_digits, path):
    callback = pytest.importorskip("sklearn.callback")

    cae = make(checkpoint=path)
    fit_interrupted(cae, small_digits, 2)
    cae.set_callbacks(callback.ProgressBar()).fit(small_digits)
    assert Interrupt.n_epochs == 2
    assert_same_fit(cae, make().fit(small_digits))
