"""skorch callbacks, interrupts, what is printed, and what a fit leaves behind."""

import gc
import pickle
import signal
import subprocess
import sys
import textwrap
import time
import types
import weakref
from collections import Counter

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler

from skcae.data.samples import Samples

from ..conftest import make_small


class Recorder(Callback):
    """Count events, and note what came with them."""

    def __init__(self):
        self.events = []
        self.batch_sizes = Counter()
        self.losses = []
        self.n_gradients = 0

    def on_train_begin(self, net, **kwargs):
        self.events.append("train begin")

    def on_train_end(self, net, **kwargs):
        self.events.append("train end")

    def on_epoch_begin(self, net, **kwargs):
        self.events.append("epoch begin")

    def on_epoch_end(self, net, **kwargs):
        self.events.append("epoch end")
        self.losses.append(net.history[-1, "train_loss"])


class BatchRecorder(Recorder):
    """Also listen to what happens in every batch."""

    def on_batch_begin(self, net, batch, training, **kwargs):
        self.events.append("batch begin")
        self.batch_sizes[training, len(batch[0])] += 1

    def on_batch_end(self, net, batch, training, loss, y_pred, **kwargs):
        self.events.append("batch end")
        assert torch.isfinite(loss)
        assert y_pred.shape == batch[0].shape

    def on_grad_computed(self, net, named_parameters, **kwargs):
        gradients = [parameter.grad for _, parameter in named_parameters]
        self.n_gradients += sum(gradient is not None for gradient in gradients)


def assert_same_weights(first, second):
    here, there = first.module_.state_dict(), second.module_.state_dict()
    assert here.keys() == there.keys()
    for name in here:
        assert_array_equal(here[name].numpy(), there[name].numpy(), err_msg=name)


# Events


def test_epoch_events(small_digits, fitted):
    recorder = Recorder()
    cae = make_small(callbacks=[recorder]).fit(small_digits)
    epoch = ["epoch begin", "epoch end"]
    assert recorder.events == ["train begin", *epoch * 2, "train end"]
    assert recorder.losses == [row["train_loss"] for row in cae.history_]
    assert_same_weights(cae, fitted)


def test_batch_events(small_digits, digits):
    recorder = BatchRecorder()
    cae = make_small(batch_size=50, callbacks=[("recorder", recorder)])
    cae.fit(small_digits, X_val=digits[120:180])
    batches = ["batch begin", "batch end"] * 5  # 50 + 50 + 20, and 50 + 10
    epoch = ["epoch begin", *batches, "epoch end"]
    assert recorder.events == ["train begin", *epoch * 2, "train end"]
    assert recorder.batch_sizes == {
        (True, 50): 4,
        (True, 20): 2,
        (False, 50): 2,
        (False, 10): 2,
    }
    recorder = dict(cae.net_.callbacks_)["recorder"]
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
    recorder = Recorder()
    cae = make_small(callbacks=[recorder]).fit(small_digits).fit(small_digits)
    assert recorder.events.count("epoch end") == 4
    cae.partial_fit(small_digits)
    assert recorder.events.count("train begin") == 3
    assert recorder.events.count("epoch end") == 5
    cae.transform(small_digits)
    cae.score(small_digits)
    assert recorder.events.count("train begin") == 3


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


# Ctrl-C


class Interrupt(Callback):
    """Raise what Ctrl-C raises, in some event."""

    def __init__(self, event, epoch=1):
        self.event = event
        self.epoch = epoch

    def notify(self, method_name, net, **kwargs):
        if method_name == self.event and len(net.history) == self.epoch:
            raise KeyboardInterrupt


class InterruptEpoch(Interrupt):
    """Raise it where an epoch ends."""

    def on_epoch_end(self, net, **kwargs):
        self.notify("on_epoch_end", net)


class InterruptBatch(Interrupt):
    """Raise it where a batch begins."""

    def on_batch_begin(self, net, **kwargs):
        self.notify("on_batch_begin", net)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    "callback", [InterruptEpoch("on_epoch_end", 2), InterruptBatch("on_batch_begin")]
)
def test_interrupt_reaches_the_caller(small_digits, callback, early_stopping):
    cae = make_small(max_epochs=5, callbacks=[callback], early_stopping=early_stopping)
    for method in (cae.fit, cae.fit_transform):
        with pytest.raises(KeyboardInterrupt):
            method(small_digits)
    # The same object is fitted afterwards as if nothing had happened.
    cae.set_params(callbacks=None).fit(small_digits)
    fresh = make_small(max_epochs=5, early_stopping=early_stopping).fit(small_digits)
    assert_same_weights(cae, fresh)
    assert cae.n_iter_ == fresh.n_iter_


def test_interrupt_reaches_the_caller_of_a_later_fit(small_digits):
    # A callback that stopped the fit before must not hide an interrupt of this one.
    class Armed(Callback):
        def on_batch_begin(self, net, **kwargs):
            if armed:
                raise KeyboardInterrupt

    armed = []
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=1e3)
    cae = make_small(max_epochs=5, callbacks=[stopping, Armed()], warm_start=True)
    assert cae.fit(small_digits).n_iter_ < 5
    armed.append(True)
    for method in (cae.fit, cae.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            method(small_digits)


def test_interrupt_after_patience_has_run_out_is_no_early_stop(small_digits):
    # skorch's EarlyStopping ends a fit by KeyboardInterrupt; Ctrl-C in that very epoch
    # comes from elsewhere.
    cae = make_small(
        max_epochs=9,
        tol=1e3,
        n_iter_no_change=2,
        callbacks=[InterruptEpoch("on_epoch_end", 3)],
    )
    with pytest.raises(KeyboardInterrupt):
        cae.fit(small_digits)


def test_signal_ends_a_long_fit():
    code = """
        from sklearn.datasets import load_digits
        from skcae import ConvAutoencoderTransformer
        from skorch.callbacks import Callback

        class Tell(Callback):
            def on_epoch_end(self, net, **kwargs):
                if len(net.history) == 2:
                    print("training", flush=True)

        cae = ConvAutoencoderTransformer(
            n_filters=4, max_epochs=10**6, n_iter_no_change=10**6, callbacks=[Tell()]
        )
        try:
            cae.fit(load_digits().images)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            raise
        print("finished", flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline().strip() == "training"
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert out.strip() == "interrupted"
    assert err.strip().splitlines()[-1].startswith("KeyboardInterrupt")
    assert process.returncode != 0
    assert time.monotonic() - sent < 10


# What is printed


def test_fit_prints_nothing(small_digits, digits, capfd):
    cae = make_small(early_stopping=True, callbacks=[Recorder()], max_epochs=4)
    cae.fit(small_digits)
    cae.fit(small_digits, X_val=digits[120:150])
    cae.partial_fit(small_digits)
    cae.inverse_transform(cae.transform(small_digits))
    cae.score(small_digits)
    pickle.loads(pickle.dumps(cae)).score_samples(small_digits)
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_a_bar(small_digits, digits, capsys):
    make_small(verbose=1).fit(small_digits, X_val=digits[120:150])
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
    assert "train_loss=" in err
    assert "valid_loss=" in err
    make_small(verbose=1, max_epochs=5, tol=1e3, n_iter_no_change=2).fit(small_digits)
    assert "3/5" in capsys.readouterr().err


@pytest.mark.slow
def test_bars_of_several_processes_are_lines():
    # Written to the descriptor that the processes share, like a terminal.
    code = """
        from sklearn.datasets import load_digits
        from sklearn.model_selection import cross_val_score
        from skcae import ConvAutoencoderTransformer

        cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=3, verbose=1)
        cross_val_score(cae, load_digits().images[:200], cv=4, n_jobs=2)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\r" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for line in lines:
        assert line.startswith("100%|")
        assert "3/3" in line
        assert "train_loss=" in line


def test_bar_is_closed_after_an_error(small_digits, capsys):
    cae = make_small(verbose=1, callbacks=[InterruptEpoch("on_epoch_end", 2)])
    with pytest.raises(KeyboardInterrupt):
        cae.fit(small_digits)
    assert capsys.readouterr().err.endswith("\n")


def test_more_verbose_adds_a_table(small_digits, capsys):
    make_small(verbose=2).fit(small_digits)
    out, err = capsys.readouterr()
    assert "train_loss" in out
    assert len(out.strip().splitlines()) == 4  # header, rule, two epochs
    assert "2/2" in err


# What stays


# From these everything can be reached.
_NOT_HELD = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def held_by(net):
    """Return every object that can be reached from a net."""
    seen, queue = {}, [net]
    while queue:
        here = queue.pop()
        if id(here) in seen or isinstance(here, _NOT_HELD):
            continue
        seen[id(here)] = here
        queue.extend(gc.get_referents(here))
    return list(seen.values())


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True},
        {"corruption": "mask", "n_components": 3},
        {"verbose": 1, "callbacks": [BatchRecorder()]},
        {"max_epochs": 0},
    ],
)
def test_net_keeps_no_data(digits, params):
    X, X_val = digits[:120].copy(), digits[120:160].copy()
    cae = make_small(**params).fit(X, X_val=X_val)
    assert cae.net_.train_split is None
    names = {name for name, _ in cae.net_.callbacks_}
    assert not names & {"early_stopping", "epoch_bar", "task_reports"}
    held = held_by(cae.net_)
    assert cae.module_.encoder[0].convolution.weight.shape == (4, 1, 3, 3)
    assert any(item is cae.module_ for item in held)
    assert not [item for item in held if isinstance(item, Samples)]
    assert not [item for item in held if item is X or item is X_val]
    largest = max(item.numel() for item in held if isinstance(item, torch.Tensor))
    assert largest < X.size / 10


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_data_are_freed_after_the_fit(digits, method):
    X = digits[:120].copy()
    gone = weakref.ref(X)
    cae = make_small(verbose=1, early_stopping=True)
    getattr(cae, method)(X)
    del X
    gc.collect()
    assert gone() is None


def test_data_are_freed_after_an_interrupt(digits):
    X = digits[:120].copy()
    gone = weakref.ref(X)
    cae = make_small(verbose=1, callbacks=[InterruptBatch("on_batch_begin")])
    with pytest.raises(KeyboardInterrupt):
        cae.fit(X)
    del X
    gc.collect()
    assert gone() is None
    assert not hasattr(cae, "_callback_fit_ctx")


def test_fit_leaves_torch_as_it_was(small_digits):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    make_small(corruption="mask", n_components=2).fit_transform(small_digits)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.is_grad_enabled()
