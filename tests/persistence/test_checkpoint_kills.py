"""A killed process leaves a file from which the next one goes on."""

import multiprocessing
import os
import random
import signal
import time

import pytest
from sklearn.datasets import load_digits
from skorch.callbacks import Callback

from ..conftest import make_small
from .conftest import assert_same_fit


class Kill(Callback):
    """End the process without a word, in the middle of an epoch."""

    epoch = None

    def on_batch_begin(self, net, **kwargs):
        batches = net.history[-1, "batches"]
        if len(net.history) == self.epoch and len(batches) == 2:
            os.kill(os.getpid(), signal.SIGKILL)


def fit_killed(params, path, begun):
    """Be killed in the third epoch; run in another process."""
    Kill.epoch = 3
    make_small(callbacks=[Kill()], checkpoint=path, **params).fit(images())


class Tell(Callback):
    """Let another process know that an epoch has passed."""

    begun, n_epochs = None, 0

    def on_epoch_begin(self, net, **kwargs):
        type(self).n_epochs += 1
        if self.begun is not None and self.n_epochs == 2:
            self.begun.set()


def fit_until_killed(params, path, begun):
    """Wait to be killed; run in another process."""
    Tell.begun = begun
    make_small(checkpoint=path, callbacks=[Tell()], **params).fit(images())


def fit_killed_while_writing(params, path, begun):
    """Be killed between the last byte of the third file and its new name."""
    sync, calls = os.fsync, []

    def kill(descriptor):
        calls.append(descriptor)
        if len(calls) == 5:  # each file, then its folder
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    os.fsync = kill
    make_small(checkpoint=path, **params).fit(images())


def images():
    return load_digits().images[:120]


@pytest.fixture(scope="module")
def start():
    """Start a function of this module in another process, and return that process."""
    context = multiprocessing.get_context("forkserver")
    # They share what takes seconds to import, and no thread.
    context.set_forkserver_preload(
        ["torch._dynamo", "skcae.training.schedule", __name__]
    )

    def start(function, params, path):
        begun = context.Event()
        process = context.Process(target=function, args=(params, path, begun))
        process.start()
        return process, begun

    return start


def test_killed_in_the_middle_of_an_epoch(start, small_digits, path):
    params = {"max_epochs": 5, "batch_size": 20, "corruption": "gaussian"}
    process, _ = start(fit_killed, params, path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [file.name for file in path.parent.iterdir()] == ["fit"]
    resumed = make_small(callbacks=[Kill()], checkpoint=path, **params)
    expected = make_small(callbacks=[Kill()], **params).fit(small_digits)
    assert_same_fit(resumed.fit(small_digits), expected)


def test_file_that_was_being_written_is_never_read(start, small_digits, path):
    params = {"max_epochs": 4}
    process, _ = start(fit_killed_while_writing, params, path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = set(path.parent.iterdir()) - {path}
    left.write_bytes(left.read_bytes()[:-100])
    os.utime(left, (0, 0))  # long ago
    resumed = make_small(checkpoint=path, **params).fit(small_digits)
    assert_same_fit(resumed, make_small(**params).fit(small_digits))
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.slow
def test_killed_at_ten_random_moments(start, small_digits, path):
    params = {
        "max_epochs": 80,
        "n_iter_no_change": 80,
        "batch_size": 6,
        "early_stopping": True,
        "corruption": "mask",
    }
    rng = random.Random(0)
    for _ in range(10):
        process, begun = start(fit_until_killed, params, path)
        begun.wait()
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    Tell.n_epochs = 0
    resumed = make_small(checkpoint=path, callbacks=[Tell()], **params)
    resumed.fit(small_digits)
    assert Tell.n_epochs <= 70  # each process had at least one of its own
    assert_same_fit(resumed, make_small(callbacks=[Tell()], **params).fit(small_digits))
