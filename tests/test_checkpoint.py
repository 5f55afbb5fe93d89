"""A fit that was killed goes on from its file, and ends as if nothing had happened."""

import copy
import hashlib
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import make_small
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from skcae._checkpoint_file import FORMAT
from skcae._plain import NotPlain, from_plain, to_plain

CONFIGURATIONS = {
    "default": {},
    "noise": {"corruption": "gaussian", "max_samples": 50, "batch_size": 7},
    "best weights": {"early_stopping": True, "lr": 0.2, "validation_fraction": 0.3},
    "stopped": {"tol": 1e3, "n_iter_no_change": 2},
    "dense": {"n_components": 3, "optimizer": "rmsprop", "init": "patches"},
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
DAMAGED = r"Got checkpoint='.*fit', which cannot be read \(.*\); expected .* Name"
OTHER = r"Got checkpoint='.*fit' of another fit, with {}.*; expected .* Pass the"


class Interrupt(Callback):
    """Raise what Ctrl-C raises at the end of an epoch, when all has changed."""

    epoch, n_epochs = None, 0

    def on_epoch_end(self, net, **kwargs):
        type(self).n_epochs += 1
        if self.n_epochs == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet, alone in its folder."""
    return tmp_path / "fit"


@pytest.fixture(autouse=True)
def uninterrupted():
    """Let no test inherit the interrupts of another."""
    Interrupt.epoch, Interrupt.n_epochs = None, 0


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
    here, there = first.module_.state_dict(), second.module_.state_dict()
    assert here.keys() == there.keys()
    for name in here:
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)
    assert without_seconds(first.history_) == without_seconds(second.history_)
    assert without_seconds(first.net_.history) == without_seconds(second.net_.history)
    for name in ("n_iter_", "reconstruction_err_", "n_dead_units_", "n_samples_seen_"):
        assert getattr(first, name) == getattr(second, name), name
    np.testing.assert_array_equal(first.mean_, second.mean_)


# Going on


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


@pytest.mark.parametrize(
    "value",
    [
        [1, (2.5, None), {"a": {True, "b"}}],
        {(1, "b"): np.arange(6, dtype=np.uint16).reshape(2, 3)},
        np.float32(0.1),
        np.array(3.0),
        float("inf"),
    ],
)
def test_plain_values_come_back(value):
    back = from_plain(to_plain(value))
    assert type(back) is type(value)
    assert pickle.dumps(back) == pickle.dumps(value)


@pytest.mark.parametrize("value", [print, object(), [open], np.array(["a"]), Memory])
def test_other_values_are_not_plain(value):
    with pytest.raises(NotPlain):
        to_plain(value)


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


# Killed processes


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
    context.set_forkserver_preload(["torch._dynamo", "skcae._pretraining", __name__])

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


# Other fits


OTHER_PARAMETERS = {
    "lr": 0.01,
    "n_filters": 5,
    "max_epochs": 4,
    "random_state": 1,
    "corruption": "mask",
    "net_params": {"optimizer__betas": (0.8, 0.9)},
    "power": 0.5,
    "pooling": "avg",
}


@pytest.mark.parametrize("name", OTHER_PARAMETERS)
@pytest.mark.parametrize("finished", [False, True])
def test_other_parameters_are_refused(name, finished, small_digits, path):
    params = {"pooling": "max"} if name == "power" else {}
    cae = make(checkpoint=path, **params)
    if finished:
        cae.fit(small_digits)
    else:
        fit_interrupted(cae, small_digits, 2)
    content = path.read_bytes()
    came, expected = getattr(cae, name), OTHER_PARAMETERS[name]
    message = rf"with {name}={came}; expected one with {name}="
    cae.set_params(**{name: expected})
    with pytest.raises(ValueError, match=message.replace("'", ".")):
        cae.fit(small_digits)
    assert path.read_bytes() == content


def test_other_callbacks_are_refused(small_digits, path):
    for milestones in ([1, 2], [1, 3]):
        schedule = LRScheduler(policy="MultiStepLR", milestones=milestones)
        cae = make(callbacks=[schedule], checkpoint=path)
        if not path.exists():
            fit_interrupted(cae, small_digits, 2)
    with pytest.raises(ValueError, match=r"milestones=\(1, 2\).* expected .*\(1, 3\)"):
        cae.fit(small_digits)


def test_other_data_are_refused(small_digits, digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    changed = small_digits.copy()
    changed[77, 3, 3] += 1
    for X in (
        small_digits[:-1],
        small_digits[::-1],
        small_digits.astype(np.float32),
        small_digits[:, :, :-1],
        changed,
    ):
        with pytest.raises(ValueError, match=OTHER.format(r"X=an array .* hash")):
            make(checkpoint=path).fit(X)
    with pytest.raises(ValueError, match=OTHER.format("X_val=None")):
        make(checkpoint=path).fit(small_digits, X_val=digits[:50])
    make(checkpoint=path).fit(small_digits.copy())


def test_one_other_sample_among_many(tmp_path, path):
    # So many that most of them are not looked at.
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (20000, 512))
    X[:] = np.random.default_rng(0).normal(size=512)
    X[0] = 0
    params = {"max_epochs": 1, "max_samples": 64, "pool_size": 4, "n_filters": 2}
    fit_interrupted(make(checkpoint=path, **params), X, 1)
    X[12345] += 1
    with pytest.raises(ValueError, match=OTHER.format("samples in X of another mean")):
        make(checkpoint=path, **params).fit(X)
    X[12345] -= 1
    assert make(checkpoint=path, **params).fit(X).n_iter_ == 1


def test_parameters_without_a_part_in_the_result(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    cae = make(checkpoint=str(path), verbose=1, device="cpu", warm_start=True)
    assert_same_fit(cae.fit(small_digits), make().fit(small_digits))


# What else may lie there


def damaged(content):
    """Yield files that are not what was written."""
    yield b""
    yield content[:-1]
    yield content[: len(content) // 2]
    yield content[:80]
    for place in (3, 40, 1000, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        yield bytes(changed)
    yield b"results that somebody needs"


def test_damaged_files_are_refused(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)
        assert path.read_bytes() == content
    assert Interrupt.n_epochs == 0


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def sealed(payload, number=FORMAT):
    sha = hashlib.sha256(payload).hexdigest()
    return f"skcae checkpoint {number} {sha}\n".encode() + payload


def test_nothing_in_a_file_is_run(small_digits, path, tmp_path):
    bomb = tmp_path / "exploded"
    torch.save({"facts": Bomb(bomb)}, tmp_path / "zip")
    for payload in (pickle.dumps(Bomb(bomb)), (tmp_path / "zip").read_bytes()):
        path.write_bytes(sealed(payload))
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)
    assert not bomb.exists()


def test_contents_that_make_no_sense_are_refused(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    _, _, payload = path.read_bytes().partition(b"\n")
    (path.parent / "payload").write_bytes(payload)
    content = torch.load(path.parent / "payload", weights_only=True)
    changes = [
        {"facts": 3},
        {"seed": None},
        {"mean": None},
        {"number": "one"},
        {"generators": {"order": ("generator", 1)}},
        {"module": ("dict", [])},
        {"optimizer": ("unknown", [])},
        {"history": [3]},
    ]
    for change in changes:
        torch.save(content | change, path.parent / "payload")
        path.write_bytes(sealed((path.parent / "payload").read_bytes()))
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)


def test_other_formats_are_refused(small_digits, path):
    path.write_bytes(sealed(b"of the future", FORMAT + 1))
    with pytest.raises(
        ValueError, match=rf"it has format {FORMAT + 1}, this .*{FORMAT}"
    ):
        make(checkpoint=path).fit(small_digits)


def test_other_version_of_a_library(small_digits, path, monkeypatch):
    versions = {"PyTorch": "2.0", "numpy": np.__version__}
    monkeypatch.setattr("skcae._checkpoint._VERSIONS", versions)
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="'PyTorch': '2.0'.* last digits") as caught:
        make(checkpoint=path).fit(small_digits)
    assert caught[0].filename == __file__


# Where files go


def test_file_that_cannot_be_written_is_found_at_once(small_digits, tmp_path):
    path = tmp_path / ("x" * 250)  # no room for a longer name next to it
    with pytest.raises(ValueError, match=r"which cannot be written \(.*\); expected"):
        make(checkpoint=path).fit(small_digits)
    assert Interrupt.n_epochs == 0


def test_fit_survives_a_disk_that_fails_later(small_digits, tmp_path):
    class Remove(Callback):
        def on_epoch_end(self, net, **kwargs):
            shutil.rmtree(tmp_path / "disk", ignore_errors=True)

    (tmp_path / "disk").mkdir()
    cae = make(callbacks=[Remove()], checkpoint=tmp_path / "disk" / "fit")
    with pytest.warns(UserWarning, match="could not be written .* The fit goes on"):
        cae.fit(small_digits)
    assert_same_fit(cae, make().fit(small_digits))


def test_links_are_followed(small_digits, path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    make(checkpoint=tmp_path / "link").fit(small_digits)
    assert path.is_file()
    assert (tmp_path / "link").is_symlink()


def test_no_other_method_writes(small_digits, path):
    cae = make(checkpoint=path).partial_fit(small_digits)
    cae.transform(small_digits)
    assert not path.exists()
    make().fit(small_digits)
    assert not list(path.parent.iterdir())


def test_it_is_a_parameter_like_others(small_digits, path):
    for value in (path, str(path)):
        cae = make_small(checkpoint=value)
        assert cae.get_params()["checkpoint"] is value
        assert clone(cae).checkpoint == value
        assert copy.deepcopy(cae).checkpoint == value
    loaded = pickle.loads(pickle.dumps(cae.fit(small_digits)))
    path.unlink()  # a fitted model does not need it
    np.testing.assert_array_equal(
        loaded.transform(small_digits), cae.transform(small_digits)
    )


def test_warm_start_with_a_file_for_each_fit(small_digits, tmp_path):
    paths = [tmp_path / "first", tmp_path / "second"]
    expected = make(warm_start=True).fit(small_digits).fit(small_digits)
    cae = make(warm_start=True, checkpoint=paths[0]).fit(small_digits)
    fit_interrupted(cae.set_params(checkpoint=paths[1]), small_digits, 2)
    # The same script again.
    cae = make(warm_start=True, checkpoint=paths[0]).fit(small_digits)
    assert Interrupt.n_epochs == 0
    cae.set_params(checkpoint=paths[1]).fit(small_digits)
    assert Interrupt.n_epochs == 2
    for name, tensor in expected.module_.state_dict().items():
        assert torch.equal(tensor, cae.module_.state_dict()[name]), name
    assert without_seconds(cae.history_) == without_seconds(expected.history_)
    # One file for both would lose the first.
    before = cae.transform(small_digits)
    with pytest.raises(
        ValueError, match=OTHER.format("start=from").replace("fit'", "")
    ):
        cae.fit(small_digits)
    np.testing.assert_array_equal(cae.transform(small_digits), before)


def test_search_with_a_folder(small_digits, tmp_path):
    def search(folder):
        grid = {"lr": [0.001, 0.01], "corruption": [None, "mask"]}
        cae = make(checkpoint=folder, max_epochs=2)
        return GridSearchCV(cae, grid, cv=2, error_score="raise").fit(small_digits)

    expected = search(None)
    Interrupt.epoch, Interrupt.n_epochs = 8, 0
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path)
    Interrupt.epoch, Interrupt.n_epochs = None, 0
    found = search(tmp_path)
    assert Interrupt.n_epochs == (4 * 2 + 1) * 2 - 7
    assert len(list(tmp_path.iterdir())) == 4 * 2 + 1
    for name in ("mean_test_score", "params"):
        np.testing.assert_array_equal(
            found.cv_results_[name], expected.cv_results_[name]
        )
    assert_same_fit(found.best_estimator_, expected.best_estimator_)


def test_search_with_a_file_is_refused(small_digits, path):
    search = GridSearchCV(
        make(checkpoint=path), {"lr": [0.001, 0.01]}, cv=2, error_score="raise"
    )
    with pytest.raises(ValueError, match=OTHER.format("X=an array")):
        search.fit(small_digits)
