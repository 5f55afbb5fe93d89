"""Transformers as graphs: what may come in, who may run them, what is refused."""

import importlib
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)

from ..conftest import make_small
from .conftest import outputs_of

TOLERANCE = 1e-5


def assert_same_features(cae, X):
    features = outputs_of(skl2onnx.to_onnx(cae, X[:1]), X)["features"]
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, cae.transform(X), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_channel_axis(channel_axis, volumes):
    cae = make_small(channel_axis=channel_axis, activation="two_sided", depthwise=True)
    assert_same_features(cae.fit(volumes), volumes)
    rows = volumes.reshape(len(volumes), -1)
    cae.set_params(input_shape=volumes.shape[1:])
    assert_same_features(cae.fit(rows), rows)


@pytest.mark.parametrize(
    "dtype",
    ["float16", "float32", "float64", "uint8", "int16", "uint16", "int64", "bool"],
)
def test_numbers_of_any_type(dtype, digits):
    X = (digits[:100] * (1 if dtype != "bool" else digits[:100] > 8)).astype(dtype)
    assert_same_features(make_small().fit(X), X)


def test_the_number_of_samples_is_free(fitted, small_digits):
    onnx_model = skl2onnx.to_onnx(fitted, small_digits[:1])
    (put_in,), (out,) = onnx_model.graph.input, onnx_model.graph.output
    sizes = [[d.dim_value for d in x.type.tensor_type.shape.dim] for x in (put_in, out)]
    assert sizes == [[0, 8, 8], [0, 64]]  # 0: any
    assert outputs_of(onnx_model, small_digits[:0])["features"].shape == (0, 64)


def test_frame_becomes_one_input_per_column():
    frame = load_digits(as_frame=True).data[:50]
    cae = make_small(input_shape=(8, 8)).fit(frame)
    onnx_model = skl2onnx.to_onnx(cae, frame[:1])
    session = onnxruntime.InferenceSession(onnx_model.SerializeToString())
    columns = {name: frame[[name]].to_numpy() for name in frame}
    (features,) = session.run(None, columns)
    np.testing.assert_allclose(features, cae.transform(frame), atol=TOLERANCE)


@pytest.mark.parametrize("target_opset", [11, 13, 17, 21])
def test_older_opsets(target_opset, small_digits):
    cae = make_small(activation="triangle", power=0.5, whiten=0.1, pooling="avg")
    cae.fit(small_digits)
    onnx_model = skl2onnx.to_onnx(cae, small_digits[:1], target_opset=target_opset)
    assert onnx_model.opset_import[0].version <= target_opset
    features = outputs_of(onnx_model, small_digits)["features"]
    np.testing.assert_allclose(features, cae.transform(small_digits), atol=TOLERANCE)


def test_several_threads(small_digits):
    cae = make_small(n_filters=(16, 32), n_components=8).fit(small_digits)
    content = skl2onnx.to_onnx(cae, small_digits[:1]).SerializeToString()
    expected = cae.transform(small_digits)
    for n_threads in (1, 4):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        session = onnxruntime.InferenceSession(content, options)

        def run(X, session=session):
            return session.run(None, {"X": X})[0]

        with ThreadPoolExecutor(4) as pool:
            for features in pool.map(run, [small_digits] * 8):
                np.testing.assert_allclose(features, expected, atol=TOLERANCE)


def test_loaded_model(fitted, small_digits):
    assert_same_features(pickle.loads(pickle.dumps(fitted)), small_digits)


def test_samples_of_another_shape(fitted, small_digits):
    with pytest.raises(ValueError, match=r"samples of shape \(4, 4\)"):
        skl2onnx.to_onnx(fitted, small_digits[:1, :4, :4])


@pytest.mark.parametrize(
    "estimator",
    [
        ConvAutoencoderTransformer(),
        ConvAutoencoderClassifier(),
        ConvAutoencoderOutlierDetector(),
        FrozenEstimator(ConvAutoencoderTransformer()),
    ],
)
def test_unfitted(estimator, small_digits):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        skl2onnx.to_onnx(estimator, small_digits[:1])


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    for name in list(sys.modules):
        if name == "skcae.onnx" or name.startswith("skcae.export"):
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"pip install skcae\[onnx\]"):
        importlib.import_module("skcae.onnx")
