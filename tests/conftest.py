"""Real data of three dimensions, and fitted estimators that tests only read."""

import os
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from sklearn.datasets import load_digits, load_sample_images

from skcae import ConvAutoencoderTransformer

# Without it scikit-learn leaves out its check of array API inputs.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples in every run, unless SKCAE_EXAMPLES asks for others, and how many.
_N_EXAMPLES = os.environ.get("SKCAE_EXAMPLES")
settings.register_profile(
    "skcae",
    max_examples=int(_N_EXAMPLES or 40),
    derandomize=_N_EXAMPLES is None,
    deadline=None,  # the first example imports PyTorch
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
    print_blob=True,
)
settings.load_profile("skcae")


@pytest.fixture(autouse=True)
def _close_figures():
    """Close what a test has drawn."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture(scope="session")
def digits():
    """Images of scikit-learn's digits, (1797, 8, 8) float64, read-only."""
    images = load_digits().images
    images.setflags(write=False)
    return images


@pytest.fixture(scope="session")
def digit_labels():
    """Labels of `digits`."""
    return load_digits().target


@pytest.fixture(scope="session")
def small_digits(digits):
    """The first 120 images of `digits`."""
    return digits[:120]


@pytest.fixture(scope="session")
def signals():
    """Noisy sine waves, (60, 40) float32."""
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 2 * np.pi, size=(60, 1))
    waves = np.sin(np.linspace(0, 12, 40) + phase)
    return (waves + 0.1 * rng.normal(size=waves.shape)).astype(np.float32)


@pytest.fixture(scope="session")
def volumes(digits):
    """Stacks of six digits, (40, 6, 8, 8)."""
    return digits[:240].reshape(40, 6, 8, 8)


@pytest.fixture(scope="session")
def fitted(small_digits):
    """A transformer fitted on `small_digits`; do not fit it again."""
    return make_small().fit(small_digits)


@pytest.fixture(scope="session")
def photographs():
    """Pieces of a photograph, (60, 8, 8, 3) uint8."""
    photograph = load_sample_images().images[1][40:88, 240:320]
    pieces = photograph.reshape(6, 8, 10, 8, 3).swapaxes(1, 2)
    return pieces.reshape(60, 8, 8, 3)


@pytest.fixture(scope="session")
def on_photographs(photographs):
    """A transformer fitted on `photographs`; do not fit it again."""
    return make_small(channel_axis=-1).fit(photographs)


@pytest.fixture(scope="session")
def on_signals(signals):
    """Two stages, trained one by one on `signals`; do not fit it again."""
    cae = make_small(n_filters=(6, 5), layerwise=True, early_stopping=True)
    return cae.fit(signals)


@pytest.fixture(scope="session")
def on_volumes(volumes):
    """A transformer fitted on `volumes`; do not fit it again."""
    return make_small(n_filters=(3, 2)).fit(volumes)


@pytest.fixture(scope="session")
def whitened(small_digits):
    """A whitening transformer with pooled features; do not fit it again."""
    return make_small(n_filters=(4, 3), whiten=0.1, pooling="avg").fit(small_digits)


def make_small(**params):
    """Return a transformer that trains in a moment."""
    defaults = {"n_filters": 4, "kernel_size": 3, "max_epochs": 2, "random_state": 0}
    defaults["recipe"] = "tutorial"
    return ConvAutoencoderTransformer(**defaults | params)


KINDS = {
    "signals": None,
    "signals of 4 channels": -1,
    "images": None,
    "images of 3 channels": -1,
    "volumes": None,
    "volumes of 2 channels": -1,
}


@pytest.fixture(scope="module")
def data_of(digits, signals, volumes):
    """Return samples of a kind by its name, channels last."""
    return {
        "signals": signals,
        "signals of 4 channels": signals.reshape(60, 10, 4),
        "images": digits[:70],
        "images of 3 channels": digits[:210].reshape(70, 3, 8, 8).transpose(0, 2, 3, 1),
        "volumes": volumes,
        "volumes of 2 channels": volumes.reshape(40, 2, 3, 8, 8).transpose(
            0, 2, 3, 4, 1
        ),
    }


@pytest.fixture(scope="module", params=KINDS)
def case(request, data_of):
    """Samples of each kind, and a transformer fitted on them that nobody refits."""
    X = data_of[request.param]
    return X, make_small(channel_axis=KINDS[request.param]).fit(X)


def weights_of(estimator):
    """Return a copy of all weights of a fitted estimator."""
    weights = estimator.module_.state_dict()
    return {name: tensor.clone() for name, tensor in weights.items()}


def assert_same_weights(first, second):
    """Assert that two fitted estimators have the same weights, bit for bit."""
    here, there = weights_of(first), weights_of(second)
    assert here.keys() == there.keys()
    for name in here:
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)


def as_tensor(X):
    """Return images as a float32 tensor of one channel."""
    return torch.from_numpy(X[:, None].astype(np.float32))
