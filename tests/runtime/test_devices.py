"""What serves a GPU, tried out on the CPU: its memory and its name."""

import gc
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from skcae.runtime import devices

from ..conftest import make_small

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


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


@pytest.mark.parametrize("kind", devices.ACCELERATORS)
def test_kind_of_device_has_what_is_asked_of_it(kind):
    assert callable(getattr(torch, kind).empty_cache)
    assert torch.device(kind).type == kind
    assert not torch.is_autocast_enabled(kind)


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

    for name in ("maps", "decode_stage"):
        monkeypatch.setattr(type(cae.module_), name, fail)
    X = features if method == "inverse_transform" else small_digits
    with pytest.raises(MemoryError, match=MESSAGE) as info:
        getattr(cae, method)(X)
    # Nothing that was on the device hangs on this error.
    assert info.value.__context__ is None
    # The estimator is as it was before.
    monkeypatch.undo()
    np.testing.assert_array_equal(cae.transform(small_digits), features)


@pytest.mark.skipif(sys.platform != "linux", reason="limits address space")
@pytest.mark.parametrize("params", [{}, {"init": "kmeans", "max_epochs": 0}])
def test_out_of_memory_on_a_cpu(params):
    script = f"""
import resource
from pathlib import Path
import numpy as np
from skcae import ConvAutoencoderTransformer

X = np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32)
cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=1).fit(X)
used = 4096 * int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 10**8,) * 2)
cae.set_params(n_filters=1000, pool_size=1, **{params}).fit(X)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    *_, message = run.stderr.strip().splitlines()
    expected = (
        r"MemoryError: Got no more memory \(.*\d+\.? .*\); expected .* Lower batch"
    )
    assert re.match(expected, message), run.stderr


def test_errors_of_numpy_are_explained():
    @devices.explains_out_of_memory
    def fail():
        raise MemoryError("Unable to allocate 114. MiB for an array with shape (9,)")

    message = r"Got no more memory \(Unable to allocate 114. MiB for an .* Lower"
    with pytest.raises(MemoryError, match=message):
        fail()


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


def test_device_may_be_one_of_torch(small_digits):
    cae = make_small(device=torch.device("cpu")).fit(small_digits)
    assert cae.net_.device == "cpu"
    np.testing.assert_array_equal(
        cae.transform(small_digits), make_small().fit_transform(small_digits)
    )
    data = pickle.dumps(cae)
    assert b"torch" not in data
    loaded = pickle.loads(data)
    assert loaded.device == loaded.params_["device"] == "cpu"
