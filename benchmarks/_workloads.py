"""Kinds of data with the architecture that each is trained with."""

from dataclasses import dataclass, field

import numpy as np
from _data import enlarged_digits, load
from _rivals import BATCH_SIZE, LR
from sklearn.datasets import load_digits

from skcae import ConvAutoencoderTransformer


def as_images(images, n_samples, side):
    """Return grey images of `side` pixels a side: digits where there are none."""
    return enlarged_digits(n_samples, side) if images is None else images


def as_photographs(images, n_samples, side):
    """Return colour images of `side` pixels a side: digits where there are none."""
    if images is None:
        return enlarged_digits(n_samples, side)[..., None].repeat(3, axis=-1)
    return images


def as_series(series, n_samples, length):
    """Return series, repeated and stretched: pixels of digits where there are none."""
    series = load_digits().data if series is None else series.reshape(len(series), -1)
    rows = np.arange(n_samples) % len(series)
    return series[rows][:, np.arange(length) * series.shape[1] // length]


@dataclass(frozen=True)
class Workload:
    """One kind of data with the architecture it is trained with."""

    name: str
    # Of SKCAE_DATA; None: digits are what is wanted.
    source: str | None
    kind: callable
    size: int
    n_samples: int
    params: dict = field(default_factory=dict)
    epochs: int = 3

    @property
    def stages(self):
        """Number of filters of each stage."""
        return self.params["n_filters"]

    @property
    def channel_axis(self):
        """Axis of a sample that holds channels, None without one."""
        return self.params.get("channel_axis")

    def samples(self, quick=False):
        """Return the samples, of SKCAE_DATA where that is set; a few if in a hurry."""
        n_samples = 256 if quick else self.n_samples
        split = load(self.source) if self.source and not quick else None
        X = self.kind(split[0] if split else None, n_samples, self.size)
        return X[:n_samples].astype(np.float32, order="C")

    def make_cae(self, **params):
        """Return the transformer, set up like its rivals."""
        return ConvAutoencoderTransformer(
            **self.params | params,
            recipe="tutorial",
            kernel_size=3,
            lr=LR,
            batch_size=BATCH_SIZE,
            random_state=0,
            tol=0,
        )


_TWO_STAGES = {"n_filters": (16, 32), "pool_size": 2}
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("8x8", None, as_images, 8, 1500, _TWO_STAGES, epochs=20),
        Workload("28x28", "mnist", as_images, 28, 20_000, _TWO_STAGES, epochs=2),
        Workload(
            "32x32x3",
            "cifar10_jpeg",
            as_photographs,
            32,
            10_000,
            {"n_filters": (32, 64, 128), "stride": 2}
            | {"pool_size": 1, "channel_axis": -1},
            epochs=2,
        ),
        Workload(
            "500", "ucr_electricdevices", as_series, 500, 5000, _TWO_STAGES, epochs=4
        ),
    )
}


def chosen_workloads(arguments, names=tuple(WORKLOADS)):
    """Yield the workloads that `--only` asks for, and their samples."""
    for name in names:
        if arguments.only in (None, name):
            yield WORKLOADS[name], WORKLOADS[name].samples(arguments.quick)
