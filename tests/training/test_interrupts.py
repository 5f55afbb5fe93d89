"""Ctrl-C and other ends of a fit."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest
from skorch.callbacks import Callback, EarlyStopping

from ..conftest import assert_same_weights, make_small
from .conftest import InterruptBatch, InterruptEpoch


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
