"""Samples on a device, tried out on the CPU."""

import gc
import weakref

import numpy as np
import pytest
import torch

from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.runtime import transfer
from skcae.runtime.transfer import OnDeviceSamples, StreamedSamples
from skcae.training import batches
from skcae.training.batches import Batches

from ..conftest import make_small

PLACES = [OnDeviceSamples, StreamedSamples]
DTYPES = [
    np.bool_,
    np.uint8,
    np.int8,
    np.uint16,
    np.int16,
    np.uint32,
    np.int32,
    np.uint64,
    np.int64,
    np.float16,
    np.float32,
    np.float64,
    np.longdouble,
    np.dtype(">i2"),
    np.dtype(">f4"),
    np.dtype(">f8"),
]


LAYOUTS = [
    Layout((5, 4)),
    Layout((5, 4, 3), -1),
    Layout((3, 5, 4), 0),
    Layout((5, 3, 4), 1),
    Layout((20,)),
]


def numbers(shape, dtype):
    rng = np.random.default_rng(0)
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype.newbyteorder("="))
        X = rng.integers(limits.min, limits.max, shape, limits.dtype, endpoint=True)
    else:
        X = rng.normal(scale=100, size=shape)
    return (X > 0) if dtype.kind == "b" else X.astype(dtype)


def assert_same_batches(place, samples):
    """Assert bits and memory order of whole passes, with shuffling and without."""
    for shuffle in (False, True):
        expected = Batches(samples, 7, shuffle)
        got = Batches(samples, 7, shuffle)
        got.on_device = place(samples, "cpu")
        for _ in range(2):
            pairs = list(zip(expected, got, strict=True))
            assert sum(len(x) for _, (x, _) in pairs) == len(samples)
            for (x, _), (y, target) in pairs:
                assert y is target
                assert y.dtype == torch.float32
                assert y.stride() == x.stride() or min(y.shape) == 1
                np.testing.assert_array_equal(y.numpy(), x.numpy(), strict=True)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_same_batches_for_every_dtype(place, dtype):
    X = numbers((30, 5, 4), dtype)
    samples = Samples(X, Layout((5, 4)))
    assert_same_batches(place, samples)
    assert_same_batches(place, samples.subset(np.arange(1, 30, 3)))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("order", ["rows", "C", "F", "map"])
def test_same_batches_for_every_layout(place, layout, order, tmp_path):
    X = numbers((30, *layout.shape), np.uint8)
    if order == "rows":
        X = X.reshape(30, -1)[::-1]
    elif order == "F":
        X = np.asfortranarray(X)
    elif order == "map":
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_same_batches(place, Samples(X, layout))
    assert_same_batches(place, Samples(X, layout, rows=np.arange(29, 2, -2)))


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        (np.bool_, torch.bool),
        (np.uint8, torch.uint8),
        (np.float16, torch.float16),
        (np.float32, torch.float32),
        (np.float64, torch.float32),
        (np.int64, torch.float32),
        (np.uint16, torch.float32),
        (">f4", torch.float32),
    ],
)
def test_device_holds_samples_as_stored_and_no_more(dtype, stored):
    X = numbers((2000, 30, 40), dtype)
    rows = np.arange(0, 2000, 2)
    resident = OnDeviceSamples(Samples(X, Layout((30, 40)), rows), "cpu")
    assert resident.rows.dtype == stored
    assert resident.rows.shape == (1000, 30, 40)


def test_batches_may_be_written_into():
    X = numbers((10, 4), np.float32)
    copy, samples = X.copy(), Samples(X, Layout((4,)))
    for place in PLACES:
        on_device = place(samples, "cpu")
        for order in (None, np.arange(10)[::-1].copy()):
            first = [
                x.mul_(0) for x in on_device.batches([slice(0, 10), slice(0, 4)], order)
            ]
            assert len(first) == 2
        again = next(on_device.batches([slice(0, 10)]))
        np.testing.assert_array_equal(again[:, 0].numpy(), copy)
    np.testing.assert_array_equal(X, copy)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "params",
    [{}, {"corruption": "mask"}, {"early_stopping": True}, {"n_components": 3}],
    ids=str,
)
def test_fit_from_a_device_gives_the_same_bits(
    place, params, small_digits, monkeypatch
):
    X = small_digits.astype(np.uint8)
    params = {"batch_size": 50, **params}
    expected = make_small(**params).fit(X)
    places = []

    def for_device(samples, device):
        places.append(weakref.ref(on_device := place(samples, device)))
        return on_device

    monkeypatch.setattr(batches, "for_device", for_device)
    cae = make_small(**params).fit(X)
    assert [row["train_loss"] for row in cae.history_] == [
        row["train_loss"] for row in expected.history_
    ]
    np.testing.assert_array_equal(cae.transform(X), expected.transform(X))
    # Training and validation samples were there, and are gone.
    gc.collect()
    assert len(places) == 1 + bool(params.get("early_stopping"))
    assert [on_device() for on_device in places] == [None] * len(places)


@pytest.mark.parametrize(
    ("free", "place"),
    [(0, StreamedSamples), (2 * 800 - 1, StreamedSamples), (2 * 800, OnDeviceSamples)],
)
def test_samples_are_resident_where_they_take_half_of_the_memory(
    free, place, monkeypatch
):
    monkeypatch.setattr(transfer, "is_cpu", lambda device: False)
    monkeypatch.setattr(transfer, "free_memory", lambda device: free)
    X = np.zeros((100, 20), np.uint8)
    samples = Samples(X, Layout((20,)), rows=np.arange(40))
    assert isinstance(transfer.for_device(samples, "cpu"), place)
    samples = Samples(X[:, :8], Layout((8,)))
    assert isinstance(transfer.for_device(samples, "cpu"), place)


def test_samples_stay_where_they_are_when_another_process_was_faster(monkeypatch):
    def fail(samples, device):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(transfer, "is_cpu", lambda device: False)
    monkeypatch.setattr(transfer, "free_memory", lambda device: 10**9)
    monkeypatch.setattr(transfer, "OnDeviceSamples", fail)
    samples = Samples(np.zeros((100, 20), np.uint8), Layout((20,)))
    assert isinstance(transfer.for_device(samples, "cpu"), StreamedSamples)


def test_cpu_needs_no_copies(small_digits):
    assert transfer.for_device(Samples(small_digits, Layout((8, 8))), "cpu") is None
