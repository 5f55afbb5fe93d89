"""Data and architectures that the benchmarks share."""

import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _rivals import BATCH_SIZE, LR
from sklearn.datasets import load_digits

from skcae import ConvAutoencoderTransformer


def load_split(name, folder):
    """Return X_train, y_train, X_test and y_test of a data set in a folder."""
    path = Path(folder) / "datasets.py"
    spec = importlib.util.spec_from_file_location("datasets", path)
    datasets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(datasets)
    return datasets.load(name)


def load(name, folder):
    """Return training images or series of a data set in a folder, None without one."""
    return load_split(name, folder)[0] if folder else None


def enlarged_digits(n_samples, side):
    """Return digits, repeated and enlarged: a stand-in of the right shape."""
    images = load_digits().images.astype(np.float32)
    rows = np.arange(n_samples) % len(images)
    index = np.arange(side) * 8 // side
    return images[:, index][:, :, index][rows]


def digits_8(n_samples, folder):
    """Digits of 8 x 8 pixels."""
    return load_digits().images[:n_samples].astype(np.float32)


def mnist_28(n_samples, folder):
    """Digits of 28 x 28 pixels."""
    images = load("mnist", folder)
    images = enlarged_digits(n_samples, 28) if images is None else images[:n_samples]
    return images.astype(np.float32, order="C")


def cifar_32(n_samples, folder):
    """Colour images of 32 x 32 pixels."""
    images = load("cifar10_jpeg", folder)
    if images is None:
        images = enlarged_digits(n_samples, 32)[..., None].repeat(3, axis=-1)
    return images[:n_samples].astype(np.float32)


def series_500(n_samples, folder):
    """Series of length 500."""
    series = load("ucr_electricdevices", folder)
    if series is None:
        series = load_digits().data
    series = series.reshape(len(series), -1)
    rows = np.arange(n_samples) % len(series)
    index = np.arange(500) * series.shape[1] // 500
    return series[rows][:, index].astype(np.float32)


@dataclass(frozen=True)
class Workload:
    """One kind of data with the architecture it is trained with."""

    name: str
    data: callable
    n_samples: int
    params: dict = field(default_factory=dict)
    epochs: int = 3

    @property
    def stages(self):
        """Number of filters of each stage."""
        return self.params["n_filters"]

    def samples(self, quick=False):
        """Return the samples, of SKCAE_DATA where that is set; a few if in a hurry."""
        if quick:
            return self.data(256, None)
        return self.data(self.n_samples, os.environ.get("SKCAE_DATA"))

    def make_cae(self, **params):
        """Return the transformer, set up like its rivals."""
        return ConvAutoencoderTransformer(
            **self.params | params,
            kernel_size=3,
            lr=LR,
            batch_size=BATCH_SIZE,
            random_state=0,
            tol=0,
        )


WORKLOADS = [
    Workload("8x8", digits_8, 1500, {"n_filters": (16, 32), "pool_size": 2}, epochs=20),
    Workload(
        "28x28", mnist_28, 20_000, {"n_filters": (16, 32), "pool_size": 2}, epochs=2
    ),
    Workload(
        "32x32x3",
        cifar_32,
        10_000,
        {"n_filters": (32, 64, 128), "stride": 2, "pool_size": 1, "channel_axis": -1},
        epochs=2,
    ),
    Workload(
        "500", series_500, 5000, {"n_filters": (16, 32), "pool_size": 2}, epochs=4
    ),
]
