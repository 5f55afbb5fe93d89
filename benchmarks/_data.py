"""The data sets of all benchmarks, and what suits each."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class DataSet:
    """A data set, and what suits it."""

    name: str
    recipe: str
    shape: tuple
    # The last training samples, by which a penalty is chosen.
    n_valid: int
    # Of PCA, and of patches.
    n_components: int
    patch_side: int
    patch_grid: int
    patch_step: int = 1
    n_words: int = 400
    channel_axis: int | None = None
    # Of which neither a slice nor blocks are worth it.
    is_small: bool = False
    is_balanced: bool = True
    top: float = 255.0
    # Classes that are normal, each in its turn, where others are outliers, and with
    # how many components PCA rebuilds them best.
    normal: tuple = ()
    n_rebuilding: int = 0

    @property
    def has_channels(self):
        """Whether the last axis of a sample holds channels."""
        return self.channel_axis is not None

    @property
    def accuracy(self):
        """Function of labels and predictions."""
        return accuracy_score if self.is_balanced else balanced_accuracy_score

    def n_held_out(self, n_samples):
        """Return how many of the training samples choose by."""
        return min(self.n_valid, n_samples // 4)


DATA = {
    data.name: data
    for data in (
        DataSet(
            "mnist",
            "grey",
            (28, 28),
            10_000,
            150,
            7,
            4,
            normal=tuple(range(10)),
            n_rebuilding=25,
        ),
        DataSet(
            "cifar10_jpeg", "colour", (32, 32, 3), 10_000, 200, 6, 2, channel_axis=-1
        ),
        DataSet(
            "ucr_ecg5000",
            "signal",
            (140,),
            100,
            40,
            11,
            8,
            is_small=True,
            top=1.0,
            normal=(0,),
            n_rebuilding=5,
        ),
        DataSet("ucr_electricdevices", "signal", (96,), 1400, 40, 11, 8, top=1.0),
        DataSet(
            "adrenalmnist3d_32",
            "volume",
            (32, 32, 32),
            257,
            100,
            5,
            2,
            patch_step=2,
            n_words=100,
            is_small=True,
            is_balanced=False,
        ),
        DataSet(
            "digits",
            "grey",
            (8, 8),
            260,
            40,
            4,
            2,
            n_words=128,
            top=16.0,
            normal=tuple(range(10)),
            n_rebuilding=10,
        ),
    )
}


def enlarged_digits(n_samples, side):
    """Return digits, repeated and enlarged: a stand-in of the right shape."""
    images = load_digits().images.astype(np.float32)
    rows = np.arange(n_samples) % len(images)
    index = np.arange(side) * 8 // side
    return images[:, index][:, :, index][rows]


def load(name):
    """Return the parts of a data set in the folder SKCAE_DATA; None without one."""
    folder = os.environ.get("SKCAE_DATA")
    if not folder:
        return None
    path = Path(folder) / "datasets.py"
    spec = importlib.util.spec_from_file_location("datasets", path)
    datasets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(datasets)
    return datasets.load(name)


def stand_in(data):
    """Return a few digits in the shape of a data set, with labels."""
    digits = load_digits()
    y = digits.target[:500]
    if data.name == "digits":
        X = digits.images
    elif data.shape == (28, 28) or data.has_channels:
        X = enlarged_digits(500, data.shape[0])
    elif len(data.shape) == 1:
        X = digits.data[:, np.arange(data.shape[0]) * 64 // data.shape[0]]
    else:
        X, y = enlarged_digits(120, 32)[:, None].repeat(32, axis=1), y[:120] > 6
    if data.has_channels:
        X = X[..., None].repeat(data.shape[-1], axis=-1)
    return X[: len(y)].astype(np.float32), y


def read(data, arguments, *, test_size=0.28, stratified=True, in_order=False):
    """Return X_train, y_train, X_test and y_test; labels count from 0.

    Digits are cut in two, as are those that stand in where `--quick` is given.  Small
    data sets are shuffled unless they are to stay `in_order`.
    """
    if arguments.quick or data.name == "digits":
        X, y = stand_in(data) if arguments.quick else load_digits(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(
            X,
            y,
            test_size=test_size,
            stratify=y if stratified else None,
            random_state=0,
        )
        split = X_train, y_train, X_test, y_test
    elif (split := load(data.name)) is None:
        raise SystemExit(f"Found no {data.name}: set SKCAE_DATA to the folder it is in")
    X_train, y_train, X_test, y_test = split
    X_train, X_test = (X.reshape(-1, *data.shape) for X in (X_train, X_test))
    n_samples = getattr(arguments, "n_samples", None)
    X_train, y_train = X_train[:n_samples], y_train[:n_samples]
    if data.is_small and not in_order:
        # The last samples may be of one kind.
        order = np.random.default_rng(0).permutation(len(X_train))
        X_train, y_train = X_train[order], y_train[order]
    classes, y = np.unique(np.concatenate([y_train, y_test]), return_inverse=True)
    return X_train, y[: len(y_train)], X_test, y[len(y_train) :]


def draw_stratified(y, n_samples, seed):
    """Draw samples of every class in proportion, also where a class has one or two."""
    rng = np.random.default_rng(seed)
    place = np.empty(len(y))
    for label in np.unique(y):
        (rows,) = np.nonzero(y == label)
        place[rows] = (rng.permutation(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place)[:n_samples]
