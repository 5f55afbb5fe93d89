"""Samples that a torch Dataset loads one by one, here and in worker processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.base import clone
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector
from skcae.data.dataset_rows import DatasetRows

from ..conftest import make_small

WORKERS = {
    "iterator_train__num_workers": 2,
    "iterator_valid__num_workers": 2,
}


class ImageFolder(Dataset):
    """Images in folders, one for each class, as torchvision's class of that name."""

    def __init__(self, root):
        self.samples = sorted(Path(root).glob("*/*.png"))
        self.targets = [int(path.parent.name) for path in self.samples]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, number):
        with Image.open(self.samples[number]) as image:
            return image.convert("L"), self.targets[number]


class Broken(Dataset):
    """Digits of which one raises an error, or is something else."""

    def __init__(self, X, number, what):
        self.X, self.number, self.what = X, number, what

    def __len__(self):
        return len(self.X)

    def __getitem__(self, number):
        if number == self.number:
            return self.what() if callable(self.what) else self.what
        return self.X[number]


def file_is_missing():
    raise FileNotFoundError("no file 17.png")


def ctrl_c():
    raise KeyboardInterrupt


def end_of_process():
    os._exit(1)


@pytest.fixture(scope="module")
def images(digits):
    return (digits[:120] * 15).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, images, digit_labels):
    root = tmp_path_factory.mktemp("digits")
    for number, (image, label) in enumerate(zip(images, digit_labels, strict=False)):
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image).save(root / str(label) / f"{number:03}.png")
    return ImageFolder(root)


@pytest.fixture(scope="module")
def in_order(images, digit_labels):
    """The same images in the order of the folder."""
    return images[np.argsort(digit_labels[:120], kind="stable")]


@pytest.fixture(params=[None, WORKERS], ids=["no workers", "two workers"])
def net_params(request):
    return request.param


@pytest.fixture
def workers():
    """Return what tells the processes that a test has started and not ended."""
    others = set(multiprocessing.active_children())
    return lambda: set(multiprocessing.active_children()) - others


def test_image_folder(folder, in_order, net_params, workers):
    cae = make_small(early_stopping=True).fit(in_order)
    other = make_small(early_stopping=True, net_params=net_params).fit(folder)
    assert not workers()
    assert_array_equal(other.filters_, cae.filters_)
    assert_array_equal(other.transform(folder), cae.transform(in_order))
    assert other.score(folder) == cae.score(in_order)
    assert_array_equal(other.score_samples(folder), cae.score_samples(in_order))
    assert not workers()
    assert other.n_features_in_ == 64
    assert other.history_[-1]["valid_loss"] == cae.history_[-1]["valid_loss"]


def test_partial_fit_and_validation_samples(folder, in_order, net_params, workers):
    cae, other = make_small(), make_small(net_params=net_params)
    for train, X in ((cae, in_order), (other, folder)):
        train.fit(X, X_val=X).partial_fit(X)
    assert_array_equal(other.filters_, cae.filters_)
    assert_array_equal(other.mean_, cae.mean_)
    assert not workers()


def test_what_is_built_on_the_transformer(folder, in_order, net_params, workers):
    params = {"max_epochs": 2, "random_state": 0, "net_params": net_params}
    for model in (
        ConvAutoencoderClassifier(make_small(net_params=net_params), **params),
        ConvAutoencoderOutlierDetector(make_small(net_params=net_params)),
    ):
        expected = clone(model).fit(in_order, folder.targets).predict(in_order)
        predicted = model.fit(folder, folder.targets).predict(folder)
        assert_array_equal(predicted, expected)
        assert not workers()


def test_stage_by_stage_and_dense(folder, in_order):
    for params in (
        {"n_filters": (3, 2), "layerwise": True, "whiten": 0.1, "init": "patches"},
        {"n_components": 3},
    ):
        cae = make_small(**params).fit(in_order)
        other = make_small(**params, net_params=WORKERS).fit(folder)
        assert_array_equal(other.transform(folder), cae.transform(in_order))


@pytest.mark.parametrize(
    "form",
    [
        lambda X: TensorDataset(torch.from_numpy(X)),
        lambda X: TensorDataset(torch.from_numpy(X), torch.arange(len(X))),
        lambda X: Subset(TensorDataset(torch.from_numpy(X)), range(len(X))),
        lambda X: Broken(X, -1, None),
        lambda X: Broken(X.tolist(), -1, None),
        lambda X: Broken(torch.from_numpy(X).to(torch.bfloat16), -1, None),
    ],
    ids=["tensors", "pairs", "subset", "arrays", "lists", "bfloat16"],
)
def test_forms_of_samples(form, images):
    X = images // 2  # which bfloat16 holds
    cae = make_small().fit(X)
    other = make_small().fit(form(X))
    assert_array_equal(other.transform(form(X)), cae.transform(X))


def test_flat_samples_and_channels_first(images):
    rows = images.reshape(120, 64)
    cae = make_small(input_shape=(8, 8)).fit(rows)
    other = make_small(input_shape=(8, 8)).fit(Broken(rows, -1, None))
    assert_array_equal(other.transform(images), cae.transform(images))
    colour = images.reshape(40, 3, 8, 8)
    cae = make_small(channel_axis=0).fit(TensorDataset(torch.from_numpy(colour)))
    assert cae.filters_.shape == (4, 3, 3, 3)


# What is refused


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        (np.zeros((7, 8)), ValueError, r"sample 17 of X with shape \(7, 8\), .*Resize"),
        (file_is_missing, ValueError, r"FileNotFoundError \(no .*png\) from X\[17\]"),
        ({"image": 0}, TypeError, r"sample 17 of X as dict .*; expected an array"),
        ("17.png", TypeError, r"sample 17 of X as str .*; expected an array"),
        (None, TypeError, r"sample 17 of X as NoneType .*; expected an array"),
        ([[1], [2, 3]], ValueError, r"ValueError .* from X\[17\] .*; expected an"),
        (np.zeros((8, 8)), ValueError, r"sample 17 of X with dtype float64, .*Convert"),
    ],
    ids=["shape", "error", "dict", "text", "none", "ragged", "dtype"],
)
def test_a_bad_sample_is_named(what, kind, message, images, net_params, workers):
    cae = make_small(net_params=net_params)
    with pytest.raises(kind, match=message) as info:
        cae.fit(Broken(images, 17, what))
    assert not workers()
    assert not cae.__sklearn_is_fitted__()
    if what is file_is_missing:
        told = f"{getattr(info.value, '__notes__', '')}{info.value.__cause__!r}"
        assert "FileNotFoundError" in told


def test_bad_values(images, net_params, workers):
    bad = images.astype(float)
    bad[17, 2, 2] = np.nan
    with pytest.raises(ValueError, match=r"X_val contains NaN .*; expected finite"):
        make_small(net_params=net_params).fit(images, X_val=Broken(bad, -1, None))
    assert not workers()


class Stream(IterableDataset):
    def __iter__(self):
        return iter(np.zeros((9, 8, 8)))


class Endless(Dataset):
    def __getitem__(self, number):
        return np.zeros((8, 8))


def test_what_has_no_numbers_or_no_length(images):
    for X in (Stream(), Endless()):
        with pytest.raises(TypeError, match=r"expected .* Call partial_fit on arrays"):
            make_small().fit(X)
    loader = DataLoader(TensorDataset(torch.from_numpy(images)))
    with pytest.raises(TypeError, match="as a DataLoader; expected the Dataset"):
        make_small().fit(loader)
    for n, least in ((0, 2), (1, 2)):
        with pytest.raises(ValueError, match=f"{n} sample.* expected at least {least}"):
            make_small().fit(Broken(images[:n], -1, None))
    with pytest.raises(TypeError, match=r"as int \(shape \(\), .*; expected an array"):
        make_small().fit(Broken(list(range(9)), -1, None))


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_workers", -1), ("num_workers", 1.5), ("multiprocessing_context", "thread")],
)
@pytest.mark.parametrize("kind", ["array", "Dataset"])
def test_how_to_load_is_checked(name, value, kind, images):
    X = images if kind == "array" else Broken(images, -1, None)
    cae = make_small(net_params={f"iterator_train__{name}": value})
    with pytest.raises(ValueError, match=f"Got 'iterator_train__{name}' .* expected"):
        cae.fit(X)


# Workers


def test_workers_load_ahead_and_live_until_the_end(images, workers):
    rows = DatasetRows(Broken(images, -1, None), num_workers=2)
    seen = set()
    for _ in range(3):
        parts = [np.arange(120)[start::7] for start in range(7)]
        rows.prefetch(parts)
        for part in parts:
            assert_array_equal(rows[part], images[part])
            seen |= {process.pid for process in workers()}
    rows.prefetch(parts)
    # Another order than announced, rows that were not, and a pass that is not finished.
    assert_array_equal(rows[parts[3]], images[parts[3]])
    assert_array_equal(rows[5:9], images[5:9])
    assert_array_equal(rows[parts[1]], images[parts[1]])
    rows.prefetch(parts)
    assert_array_equal(rows[parts[0]], images[parts[0]])
    assert len(seen) == 2
    rows.close()
    assert not workers()
    assert_array_equal(rows[:4], images[:4])


def test_workers_leave_the_global_seed_alone(folder):
    state = torch.get_rng_state()
    make_small(net_params=WORKERS).fit(folder)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_worker_that_dies(images, workers):
    cae = make_small(net_params=WORKERS)
    with pytest.raises(RuntimeError, match="no answer from a process that loads X"):
        cae.fit(Broken(images, 17, end_of_process))
    assert not workers()


def test_ctrl_c_in_this_process(images):
    with pytest.raises(KeyboardInterrupt):
        make_small().fit(Broken(images, 17, ctrl_c))


INTERRUPTED = """
import sys
import time
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset
from skcae import ConvAutoencoderTransformer

class Slow(Dataset):
    def __len__(self):
        return 100_000

    def __getitem__(self, number):
        if number == 20:
            Path(sys.argv[1]).touch()
        time.sleep(0.01)
        return np.full((8, 8), number % 7, dtype=np.uint8)

params = {"iterator_train__num_workers": 2}
cae = ConvAutoencoderTransformer(net_params=params)
try:
    cae.fit(Slow())
except KeyboardInterrupt as error:
    import multiprocessing
    print("interrupted", len(multiprocessing.active_children()), flush=True)
"""


@pytest.mark.parametrize("to_workers", [True, False])
def test_ctrl_c_ends_the_fit_and_its_workers(to_workers, tmp_path):
    begun = tmp_path / "begun"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, begun],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    while process.poll() is None and not begun.exists():
        time.sleep(0.1)
    # A terminal sends it to all of them.
    (os.killpg if to_workers else os.kill)(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted 0\n"
    assert process.returncode == 0


def test_another_way_to_start_workers(images):
    params = {
        "iterator_train__num_workers": 1,
        "iterator_train__multiprocessing_context": "spawn",
    }
    dataset = TensorDataset(torch.from_numpy(images))
    cae = make_small(net_params=params).fit(dataset)
    assert_array_equal(cae.filters_, make_small().fit(images).filters_)


def fit_in_daemon(images, queue):
    dataset = TensorDataset(torch.from_numpy(images))
    queue.put(make_small(net_params=WORKERS).fit(dataset).filters_)


def test_processes_that_may_have_no_children_load_themselves(images):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=fit_in_daemon, args=(images, queue), daemon=True)
    process.start()
    assert_array_equal(queue.get(timeout=120), make_small().fit(images).filters_)
    process.join()


def test_workers_are_no_part_of_the_model(folder, tmp_path):
    path = tmp_path / "checkpoint"
    cae = make_small(net_params=WORKERS, checkpoint=path).fit(folder)
    again = make_small(checkpoint=path).fit(folder)
    assert again.history_ == cae.history_
