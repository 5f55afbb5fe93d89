"""Data and architectures that the benchmarks share."""

import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def load(name):
    """Return training images or series of a data set of `SKCAE_DATA`, or None."""
    folder = os.environ.get("SKCAE_DATA")
    if not folder:
        return None
    path = Path(folder) / "datasets.py"
    spec = importlib.util.spec_from_file_location("datasets", path)
    datasets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(datasets)
    return datasets.load(name)[0]


def enlarged_digits(n_samples, side):
    """Return digits, repeated and enlarged: a stand-in of the right shape."""
    images = load_digits().images
    rows = np.arange(n_samples) % len(images)
    index = np.arange(side) * 8 // side
    return images[rows][:, index][:, :, index]


def digits_8():
    """1,500 digits of 8 x 8 pixels."""
    return load_digits().images[:1500].astype(np.float32)


def mnist_28():
    """20,000 digits of 28 x 28 pixels."""
    images = load("mnist")
    images = enlarged_digits(20_000, 28) if images is None else images[:20_000]
    return images.astype(np.float32, order="C")


def cifar_32():
    """10,000 colour images of 32 x 32 pixels."""
    images = load("cifar10_jpeg")
    if images is None:
        images = enlarged_digits(10_000, 32)[..., None].repeat(3, axis=-1)
    return images[:10_000].astype(np.float32)


def series_500():
    """5,000 series of length 500."""
    series = load("ucr_electricdevices")
    if series is None:
        series = load_digits().data
    series = series.reshape(len(series), -1)
    rows = np.arange(5000) % len(series)
    index = np.arange(500) * series.shape[1] // 500
    return series[rows][:, index].astype(np.float32)


@dataclass(frozen=True)
class Workload:
    """One kind of data with the architecture it is trained with."""

    name: str
    data: callable
    params: dict = field(default_factory=dict)
    epochs: int = 3

    @property
    def stages(self):
        """Number of filters of each stage."""
        return self.params["n_filters"]


WORKLOADS = [
    Workload("8x8", digits_8, {"n_filters": (16, 32), "pool_size": 2}, epochs=20),
    Workload("28x28", mnist_28, {"n_filters": (16, 32), "pool_size": 2}, epochs=2),
    Workload(
        "32x32x3",
        cifar_32,
        {"n_filters": (32, 64, 128), "stride": 2, "pool_size": 1, "channel_axis": -1},
        epochs=2,
    ),
    Workload("500", series_500, {"n_filters": (16, 32), "pool_size": 2}, epochs=4),
]
