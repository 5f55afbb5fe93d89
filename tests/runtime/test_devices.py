"""What serves a GPU, tried out on the CPU: samples there, its memory, its name."""

import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

from skcae.data.samples import Layout, Samples
from skcae.runtime import devices, inference, transfer
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
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
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


def test_memory_nobody_knows_of_is_none():
    assert devices.free_memory("cpu") == 0


class FakeBackend:
    """A device's part of torch."""

    def __init__(self, free):
        self.free = free

    def mem_get_info(self, device):
        if self.free is None:
            raise RuntimeError("The device does not support this")
        return self.free, 10**10


@pytest.mark.parametrize(("free", "expected"), [(5, 5), (None, 0)])
def test_free_memory(free, expected, monkeypatch):
    monkeypatch.setattr(torch, "xpu", FakeBackend(free))
    assert devices.free_memory("xpu:0") == expected


# transform on a device


@pytest.fixture
def as_on_a_device(monkeypatch):
    """Let inference take the CPU for another device."""
    monkeypatch.setattr(inference, "is_cpu", lambda device: False)


@pytest.mark.parametrize(
    "params",
    [{}, {"n_components": 3}, {"pooling": "avg"}, {"max_epochs": 0}],
    ids=str,
)
def test_inference_as_on_a_device(params, digits, request, monkeypatch):
    X = digits.astype(np.uint8)
    cae = make_small(**params).fit(X)
    expected, score = cae.transform(X), cae.score(X)
    request.getfixturevalue("as_on_a_device")
    monkeypatch.setattr(inference, "_DEVICE_VALUES", 2**18)
    runner = inference.BatchRunner(cae.net_, len(X))
    assert runner.batch_size == 2**18 // 256
    features = cae.transform(X)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert cae.score(X) == pytest.approx(score)
    order = np.random.default_rng(0).permutation(len(X))[:100]
    np.testing.assert_array_equal(cae.transform(X[order]), features[order])
    np.testing.assert_array_equal(cae.transform(X[:1]), features[:1])
    if cae.pooling is None:
        rebuilt = cae.inverse_transform(features)
        np.testing.assert_array_equal(cae.inverse_transform(features[:3]), rebuilt[:3])


def test_batches_of_a_device_are_larger(fitted, as_on_a_device):
    assert inference.BatchRunner(fitted.net_, 1).batch_size == 4096
    large = inference.BatchRunner(fitted.net_, 1, (2048, 2048))
    assert large.batch_size == 2


def test_channels_last_as_on_a_device(digits, as_on_a_device):
    X = np.stack([digits, -digits, digits**2], axis=-1)[:200]
    cae = make_small(channel_axis=-1).fit(X)
    assert cae.transform(X).shape == (200, 64)
    assert np.isfinite(cae.score(X))


# Memory that runs out


OUT_OF_MEMORY = [
    torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity "
        "of 79.15 GiB of which 3.06 MiB is free. Process 7 has 70.00 GiB memory in use."
    ),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported"),
]
METHODS = ["fit", "partial_fit", "transform", "score", "inverse_transform"]
MESSAGE = (
    r"Got no more memory on the device \(CUDA .*\); expected room .*\. Lower "
    r"batch_size, .* the same GPU \(such as those of n_jobs\), or set device='cpu'\.$"
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["torch", "cublas", "cuda"])
def test_out_of_memory(method, error, small_digits, monkeypatch):
    cae = make_small().fit(small_digits)
    features = cae.transform(small_digits)

    def fail(self, x, *args):
        raise error

    for name in ("encode_standardised", "decode_standardised"):
        monkeypatch.setattr(type(cae.module_), name, fail)
    X = features if method == "inverse_transform" else small_digits
    with pytest.raises(MemoryError, match=MESSAGE) as info:
        getattr(cae, method)(X)
    # Nothing that was on the device hangs on this error.
    assert info.value.__context__ is None
    assert cae.__sklearn_is_fitted__() == (method != "fit")


def test_message_says_how_much_was_missing():
    message = devices._explain(OUT_OF_MEMORY[0])
    assert "20.00 MiB" in message
    assert "3.06 MiB is free" in message
    assert "Process" not in message


def test_no_memory_for_the_weights(small_digits, monkeypatch):
    def fail(self, *args, **kwargs):
        raise OUT_OF_MEMORY[0]

    monkeypatch.setattr(
        "skcae.training.autoencoder_net.AutoencoderNet.initialize_module", fail
    )
    with pytest.raises(MemoryError, match=MESSAGE):
        make_small(net_params={"optimizer__eps": 1e-7}).fit(small_digits)


def test_other_errors_of_torch_stay_as_they_are(small_digits, fitted, monkeypatch):
    def fail(self, x, *args):
        raise RuntimeError("something else")

    monkeypatch.setattr(type(fitted.module_), "encode_standardised", fail)
    with pytest.raises(RuntimeError, match="something else"):
        fitted.transform(small_digits)


# Names of devices


@pytest.fixture
def full_gpu(monkeypatch):
    """A GPU that others have filled up."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_what_fails", lambda device: OUT_OF_MEMORY[2])


def test_auto_falls_back_to_the_cpu(small_digits, full_gpu):
    with pytest.warns(UserWarning, match=r"\(CUDA error: out of memory\).*n_jobs") as w:
        cae = make_small().fit(small_digits)
    assert w[0].filename == __file__
    assert cae.net_.device == "cpu"


def test_full_gpu_that_was_asked_for(small_digits, full_gpu):
    with pytest.raises(MemoryError, match=MESSAGE):
        make_small(device="cuda").fit(small_digits)


def test_auto_takes_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_what_fails", lambda device: None)
    assert devices.resolve_device("auto") == "cuda"


def test_any_device_of_torch_works(small_digits):
    cae = make_small(device="cpu:0").fit(small_digits)
    assert cae.module_.scaler.mean.device.type == "cpu"
    assert pickle.loads(pickle.dumps(cae)).transform(small_digits).shape == (120, 64)


@needs_gpu
@pytest.mark.parametrize("precision", ["auto", "float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("compile", [False, True])
def test_gpu(precision, compile, digits):
    X = digits.astype(np.uint8)
    params = {"max_epochs": 5, "compile": compile}
    expected = make_small(device="cpu", max_epochs=5).fit(X)
    before = torch.cuda.memory_allocated()
    cae = make_small(device="cuda", precision=precision, **params).fit(X)
    assert cae.history_[-1]["train_loss"] == pytest.approx(
        expected.history_[-1]["train_loss"], rel=0.02
    )
    features = cae.transform(X)
    np.testing.assert_array_equal(cae.transform(X[:3]), features[:3])
    loaded = pickle.loads(pickle.dumps(cae)).set_params(device="cpu")
    np.testing.assert_allclose(loaded.transform(X), features, atol=0.02)
    del cae
    gc.collect()
    assert torch.cuda.memory_allocated() <= before + 2**20


@needs_gpu
def test_file_from_the_cpu_on_a_gpu(small_digits):
    cae = make_small(device="cpu").fit(small_digits)
    loaded = pickle.loads(pickle.dumps(cae)).set_params(device="cuda")
    features = loaded.transform(small_digits)
    assert loaded.module_.scaler.mean.device.type == "cuda"
    np.testing.assert_allclose(features, cae.transform(small_digits), atol=0.02)
