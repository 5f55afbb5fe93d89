"""What is set in torch around a call changes nothing, and is as before afterwards."""

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch.overrides import TorchFunctionMode

from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    FeatureMapDisplay,
    FilterDisplay,
    ReconstructionDisplay,
)
from skcae.runtime.precision import MULTIPLICATION
from skcae.runtime.torch_settings import with_torch_defaults

from ..conftest import make_small


class Doubled(TorchFunctionMode):
    """Double what convolutions and products return."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **kwargs or {})
        name = getattr(function, "__name__", "")
        return 2 * result if name in ("conv2d", "linear", "sub") else result


@contextmanager
def set_and_set_back(write, value, default):
    write(value)
    try:
        yield
    finally:
        write(default)


def autocast_by_hand():
    def write(enabled):
        torch.set_autocast_enabled("cpu", enabled)

    return set_and_set_back(write, True, False)


SETTINGS = {
    "float64": lambda: set_and_set_back(
        torch.set_default_dtype, torch.float64, torch.float32
    ),
    "float16": lambda: set_and_set_back(
        torch.set_default_dtype, torch.float16, torch.float32
    ),
    "meta": lambda: torch.device("meta"),
    "default device": lambda: set_and_set_back(torch.set_default_device, "meta", None),
    "no_grad": torch.no_grad,
    "set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast by hand": autocast_by_hand,
    "deterministic": lambda: set_and_set_back(
        torch.use_deterministic_algorithms, True, False
    ),
    "flush_denormal": lambda: set_and_set_back(torch.set_flush_denormal, True, False),
    "function mode": Doubled,
    "matmul precision": lambda: set_and_set_back(
        torch.set_float32_matmul_precision, "medium", "highest"
    ),
    "threads": lambda: set_and_set_back(torch.set_num_threads, 2, 1),
}


def switches():
    """Return all that is set in torch."""
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")],
        "autocast dtype": torch.get_autocast_dtype("cpu"),
        "cache": torch.is_autocast_cache_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "flushes": float(np.float32(1e-40) * np.float32(1)) == 0,
        "precision": torch.get_float32_matmul_precision(),
        "threads": torch.get_num_threads(),
        "random numbers": torch.get_rng_state().tolist(),
        "random numbers of numpy": pickle.dumps(np.random.get_state()),  # noqa: NPY002
        "modes": torch.overrides.has_torch_function((None,)),
    }


@contextmanager
def set_to(name):
    """Set something, and look whether calls inside leave it alone."""
    with SETTINGS[name]():
        before = switches()
        yield
        assert switches() == before


CONFIGURATIONS = {
    "plain": {},
    "dense": {"n_components": 3, "corruption": "gaussian", "precision": "bfloat16"},
    "winners": {
        "sparsity": "winner_take_all",
        "init": "kmeans",
        "whiten": 0.1,
        "activation": "triangle",
    },
    "stack": {
        "n_filters": (4, 3),
        "layerwise": True,
        "early_stopping": True,
        "optimizer": "sgd",
    },
}


def results_of_transformer(X, params, around):
    """Call all public methods of a transformer in a context; return their results."""
    with around():
        cae = make_small(**params).fit(X)
    with around():
        cae.partial_fit(X[:50])
    # What was trained in a context is of use outside of it.
    cae.partial_fit(X[50:])
    with around():
        features = cae.transform(X)
        results = [
            features,
            cae.inverse_transform(features),
            cae.score(X),
            cae.score_samples(X),
            cae.filters_,
            cae.mean_,
            cae.reconstruction_err_,
        ]
        warm = copy.deepcopy(cae).set_params(warm_start=True).fit(X)
        results.append(warm.transform(X))
    with around():
        loaded = pickle.loads(pickle.dumps(cae))
        results.append(loaded.transform(X))
        loaded.partial_fit(X)
    results.append(loaded.partial_fit(X).transform(X))
    return results


def results_of_others(X, y, around):
    """Call the methods of classifier and detector in a context."""
    params = {"max_epochs": 2, "random_state": 0, "frozen_epochs": 1}
    with around():
        classifier = ConvAutoencoderClassifier(make_small(), shift=1, **params)
        classifier.fit(X, y)
        detector = ConvAutoencoderOutlierDetector(make_small(n_components=2)).fit(X)
    with around():
        return [
            classifier.predict_proba(X),
            classifier.predict(X),
            copy.deepcopy(classifier).predict_proba(X),
            detector.decision_function(X),
            detector.predict(X),
            detector.error_map(X),
            pickle.loads(pickle.dumps(detector)).score_samples(X),
        ]


def assert_same(results, expected):
    for here, there in zip(results, expected, strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def expected(request, small_digits):
    params = CONFIGURATIONS[request.param]
    return params, results_of_transformer(small_digits, params, nullcontext)


@pytest.mark.parametrize("name", SETTINGS)
def test_transformer(name, expected, small_digits):
    params, results = expected
    found = results_of_transformer(small_digits, params, lambda: set_to(name))
    assert_same(found, results)


@pytest.fixture(scope="module")
def expected_of_others(small_digits, digit_labels):
    return results_of_others(small_digits, digit_labels[:120], nullcontext)


@pytest.mark.parametrize("name", SETTINGS)
def test_classifier_and_detector(name, expected_of_others, small_digits, digit_labels):
    y = digit_labels[:120]
    found = results_of_others(small_digits, y, lambda: set_to(name))
    assert_same(found, expected_of_others)


@pytest.mark.parametrize("name", SETTINGS)
def test_checkpoint(name, small_digits, tmp_path):
    fits = []
    for number, around in enumerate((nullcontext, lambda: set_to(name))):
        path = tmp_path / str(number)
        with around():
            make_small(checkpoint=path).fit(small_digits)
            recovered = make_small(checkpoint=path).fit(small_digits)
        fits.append(recovered.partial_fit(small_digits).transform(small_digits))
    assert_same(fits[:1], fits[1:])


def pictures(cae, X):
    """Return the images that displays draw."""
    displays = (
        FilterDisplay.from_estimator(cae),
        ReconstructionDisplay.from_estimator(cae, X),
        FeatureMapDisplay.from_estimator(cae, X[:1]),
    )
    axes = [axis for display in displays for axis in display.plot().figure_.axes]
    images = [np.asarray(image.get_array()) for axis in axes for image in axis.images]
    sys.modules["matplotlib.pyplot"].close("all")
    return images


def test_displays(fitted, small_digits):
    expected = pictures(fitted, small_digits)
    assert expected
    for name in ("float64", "meta", "autocast", "inference_mode", "function mode"):
        with set_to(name):
            found = pictures(fitted, small_digits)
        assert_same(found, expected)


@pytest.mark.parametrize("name", SETTINGS)
def test_skops(name, fitted, small_digits):
    skops = pytest.importorskip("skops.io")
    with set_to(name):
        dumped = skops.dumps(fitted)
        trusted = skops.get_untrusted_types(data=dumped)
        features = skops.loads(dumped, trusted=trusted).transform(small_digits)
    np.testing.assert_array_equal(features, fitted.transform(small_digits))


@pytest.mark.parametrize("name", SETTINGS)
def test_onnx(name, small_digits):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    import skcae.onnx  # noqa: F401

    cae = make_small(pooling="avg", n_components=2, whiten=0.1).fit(small_digits)
    X = small_digits[:2].astype(np.float32)
    without = to_onnx(cae, X).SerializeToString()
    with set_to(name):
        assert to_onnx(cae, X).SerializeToString() == without


@pytest.mark.parametrize("name", ["meta", "float64", "function mode"])
def test_dataset_with_workers(name, small_digits):
    data = torch.utils.data.TensorDataset(torch.from_numpy(small_digits.copy()))
    params = {"net_params": {"iterator_train__num_workers": 1}}
    expected = make_small(**params).fit(data).transform(data)
    with set_to(name):
        found = make_small(**params).fit(data).transform(data)
    np.testing.assert_array_equal(found, expected)


class Asking(Callback):
    """Ask torch what is set while a net is trained."""

    asked = []

    def on_epoch_end(self, net, **kwargs):
        self.asked.append(
            (torch.get_default_dtype(), torch.get_float32_matmul_precision())
        )


def test_products_are_exact_on_the_cpu(small_digits):
    Asking.asked.clear()
    with set_to("matmul precision"):
        make_small(callbacks=[Asking()]).fit(small_digits)
    assert Asking.asked == [(torch.float32, "highest")] * 2


def test_threads_share_the_default_dtype(small_digits):
    Asking.asked.clear()

    def fit(number):
        cae = make_small(callbacks=[Asking()], max_epochs=1 + number)
        return cae.fit(small_digits).transform(small_digits)

    expected = [fit(number) for number in range(4)]
    with set_to("float64"), ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fit, range(4)))
    assert_same(found, expected)
    assert {dtype for dtype, _ in Asking.asked} == {torch.float32}


def test_errors_pass_and_all_is_set_back():
    @with_torch_defaults
    def fail():
        torch.set_grad_enabled(False)
        torch.autocast("cpu", torch.bfloat16).__enter__()
        torch.inference_mode().__enter__()
        MULTIPLICATION.set_to(True).__enter__()
        torch.set_num_threads(torch.get_num_threads() + 1)
        raise ZeroDivisionError

    for name in SETTINGS:
        with set_to(name), pytest.raises(ZeroDivisionError):
            fail()
