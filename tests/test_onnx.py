"""onnxruntime computes what the estimators compute, from one graph."""

import copy
import importlib
import pickle
import sys

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from conftest import make_small
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

import skcae
import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderClassifier

TOLERANCE = 1e-5
POOLED = {"pooling": "avg", "pool_grid": 3}
STACK = {"n_filters": (4, 6)}
# On images of 7 x 10 pixels, whose maps fill neither windows nor cells.
IMAGES = {
    "default": {},
    "three stages": {"n_filters": (4, 5, 6)},
    "valid": {"padding": "valid"} | STACK,
    "full": {"padding": "full", "pool_size": 1, "activation": "tanh"},
    "even kernel": {"kernel_size": 4},
    "strides": {"stride": 2, "kernel_size": (5, 3)} | STACK,
    "stride over kernel": {"stride": 3, "kernel_size": 2},
    "windows of 3": {"pool_size": 3},
    "windows larger than maps": {"pool_size": (2, 9)} | STACK,
    "means": {"pool_mode": "avg", "pool_size": 3},
    "means over large windows": {"pool_mode": "avg", "pool_size": (2, 9)} | STACK,
    "no pooling": {"pool_size": 1},
    "tied": {"tied_weights": True},
    "dense": {"n_components": 5},
    "dense of pooled maps": {"n_components": 5} | POOLED,
    "whiten": {"whiten": 0.1},
    "sigmoid": {"activation": "sigmoid"},
    "identity": {"activation": "identity", "pool_mode": "avg"},
    "abs": {"activation": "abs"},
    "two_sided": {"activation": "two_sided"},
    "two_sided, means": {"activation": "two_sided", "pool_mode": "avg"} | STACK,
    "soft_threshold": {"activation": "soft_threshold"},
    "triangle": {"activation": ("triangle", "relu")} | STACK,
    "depthwise": {"depthwise": (False, True)} | STACK,
    "depthwise first": {"depthwise": (True, False)} | STACK,
    "depthwise, two_sided": {"depthwise": True, "activation": "two_sided"} | STACK,
    "grid of maxima": {"pooling": "max", "pool_grid": 3},
    "grid of whole cells": {"pooling": "max", "pool_grid": 5, "pool_size": 1},
    "grid of means": POOLED,
    "grid finer than maps": {"pooling": "max", "pool_grid": 7},
    "all stages": {"feature_stages": "all", "pool_grid": (3, 2), "pooling": "max"}
    | STACK,
    "power": {"power": 0.5, "activation": "identity"} | POOLED,
    "standardised into [0, 1]": {"loss": "log_loss"},
}


def outputs_of(onnx_model, X):
    """Return what onnxruntime computes, by name."""
    session = onnxruntime.InferenceSession(
        onnx_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def assert_same_features(cae, X):
    """Assert it for a graph made from one sample, and batches of other sizes."""
    onnx_model = skl2onnx.to_onnx(cae, X[:1])
    expected = cae.transform(X)
    for batch in (X, X[:1]):
        features = outputs_of(onnx_model, batch)["features"]
        assert features.dtype == np.float32
        np.testing.assert_allclose(
            features, expected[: len(batch)], rtol=TOLERANCE, atol=TOLERANCE
        )


@pytest.fixture(scope="module")
def images(digits):
    """Images of 7 x 10 pixels, (60, 7, 10) float32."""
    wide = np.concatenate([digits[:60], digits[60:120]], axis=2)
    return wide[:, :7, 3:13].astype(np.float32)


@pytest.mark.parametrize("name", IMAGES)
def test_architectures(name, images):
    assert_same_features(make_small(**IMAGES[name]).fit(images), images)


@pytest.mark.parametrize(
    "params",
    [
        {"padding": "full"},
        {"whiten": 0.1, "kernel_size": 4, "stride": 2},
        {"depthwise": True, "activation": "two_sided"} | STACK,
        {"n_components": 3} | POOLED,
    ],
)
def test_signals_and_volumes(params, signals, volumes):
    assert_same_features(make_small(**params).fit(signals), signals)
    assert_same_features(make_small(**params).fit(volumes), volumes)


@pytest.mark.parametrize("pool_mode", ["max", "avg"])
@pytest.mark.parametrize("pooling", [None, "max", "avg"])
def test_pooling_of_signals_and_volumes(pooling, pool_mode, signals, volumes):
    cae = make_small(pooling=pooling, pool_mode=pool_mode, pool_size=3, pool_grid=2)
    for X in (signals, volumes):
        assert_same_features(cae.fit(X), X)


def test_dense_code_of_many_values(digits):
    """Sums of thousands of values, large next to their result."""
    X = digits[:1000].reshape(20, -1)
    cae = make_small(n_components=3, n_filters=16, activation="abs").fit(X)
    features = outputs_of(skl2onnx.to_onnx(cae, X[:1]), X)["features"]
    np.testing.assert_allclose(features, cae.transform(X), rtol=0, atol=TOLERANCE / 2)


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_channel_axis(channel_axis, volumes):
    cae = make_small(channel_axis=channel_axis, activation="two_sided", depthwise=True)
    assert_same_features(cae.fit(volumes), volumes)
    rows = volumes.reshape(len(volumes), -1)
    cae.set_params(input_shape=volumes.shape[1:])
    assert_same_features(cae.fit(rows), rows)


@pytest.mark.parametrize("name", ["grey", "small", "textbook_stacked"])
def test_recipes(name, digits):
    params = skcae.recipes[name] | {"n_filters": 4}
    if name != "small":
        params["n_filters"] = (4,) * (2 if name == "grey" else 3)
    cae = make_small(**params | {"max_epochs": 1, "kernel_size": 3})
    assert_same_features(cae.fit(digits[:200]), digits[:200])


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "bool"])
def test_numbers_of_any_type(dtype, digits):
    X = (digits[:100] * (1 if dtype != "bool" else digits[:100] > 8)).astype(dtype)
    assert_same_features(make_small().fit(X), X)


@pytest.fixture(scope="module", params=["images", "rows"])
def pipeline(request, digits, digit_labels):
    """A fitted pipeline, samples that it was not fitted on."""
    X = digits if request.param == "images" else load_digits().data
    cae = make_small(input_shape=(8, 8) if request.param == "rows" else None)
    pipeline = make_pipeline(cae, StandardScaler(), LogisticRegression(max_iter=500))
    return pipeline.fit(X[:1000], digit_labels[:1000]), X[1000:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pipeline_in_one_graph(pipeline, dtype):
    pipeline, X = pipeline
    X = X.astype(dtype)
    onnx_model = skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False})
    outputs = outputs_of(onnx_model, X)
    np.testing.assert_array_equal(outputs["label"], pipeline.predict(X))
    np.testing.assert_allclose(
        outputs["probabilities"], pipeline.predict_proba(X), atol=TOLERANCE
    )


def test_probabilities_as_dicts(pipeline):
    pipeline, X = pipeline
    outputs = outputs_of(skl2onnx.to_onnx(pipeline, X[:1]), X[:3])
    for row, expected in zip(
        outputs["output_probability"], pipeline.predict_proba(X[:3]), strict=True
    ):
        np.testing.assert_allclose(list(row.values()), expected, atol=TOLERANCE)


def test_the_number_of_samples_is_free(fitted, small_digits):
    onnx_model = skl2onnx.to_onnx(fitted, small_digits[:1])
    (put_in,), (out,) = onnx_model.graph.input, onnx_model.graph.output
    sizes = [[d.dim_value for d in x.type.tensor_type.shape.dim] for x in (put_in, out)]
    assert sizes == [[0, 8, 8], [0, 64]]  # 0: any
    assert outputs_of(onnx_model, small_digits[:0])["features"].shape == (0, 64)


def test_beside_another_transformer(digits):
    X = load_digits().data.astype(np.float32)
    union = make_union(make_small(input_shape=(8, 8)), PCA(5)).fit(X)
    (features,) = outputs_of(skl2onnx.to_onnx(union, X[:1]), X).values()
    np.testing.assert_allclose(features, union.transform(X), rtol=1e-4, atol=1e-4)


def test_frame_becomes_one_input_per_column():
    frame = load_digits(as_frame=True).data[:50]
    cae = make_small(input_shape=(8, 8)).fit(frame)
    onnx_model = skl2onnx.to_onnx(cae, frame[:1])
    session = onnxruntime.InferenceSession(onnx_model.SerializeToString())
    columns = {name: frame[[name]].to_numpy() for name in frame}
    (features,) = session.run(None, columns)
    np.testing.assert_allclose(features, cae.transform(frame), atol=TOLERANCE)


def test_pooled_features_of_another_size(digits):
    cae = make_small(**POOLED).fit(digits[:100])
    assert_same_features(cae, np.tile(digits[:10], (1, 2, 1)))


@pytest.mark.parametrize("target_opset", [11, 13, 17, 21])
def test_older_opsets(target_opset, images):
    cae = make_small(activation="triangle", power=0.5, whiten=0.1, **POOLED)
    cae.fit(images)
    onnx_model = skl2onnx.to_onnx(cae, images[:1], target_opset=target_opset)
    assert onnx_model.opset_import[0].version <= target_opset
    features = outputs_of(onnx_model, images)["features"]
    np.testing.assert_allclose(features, cae.transform(images), atol=TOLERANCE)


def test_loaded_model(fitted, small_digits):
    assert_same_features(pickle.loads(pickle.dumps(fitted)), small_digits)


def test_bad_input(fitted, small_digits):
    with pytest.raises(ValueError, match=r"samples of shape \(4, 4\)"):
        skl2onnx.to_onnx(fitted, small_digits[:1, :4, :4])
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(make_small(), small_digits[:1])


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.delitem(sys.modules, "skcae.onnx")
    with pytest.raises(ImportError, match=r"pip install skcae\[onnx\]"):
        importlib.import_module("skcae.onnx")


LABELS = {
    "int": np.arange(10),
    "strings": np.array(list("abcdefghij")),
    "floats": np.arange(10.0),
}


@pytest.fixture(scope="module", params=["images", "rows"])
def classifier(request, digits, digit_labels):
    """A fitted classifier without labels of its own, samples it was not fitted on."""
    X = digits if request.param == "images" else load_digits().data
    cae = make_small(input_shape=(8, 8) if request.param == "rows" else None)
    classifier = ConvAutoencoderClassifier(cae, max_epochs=2, random_state=0)
    return classifier.fit(X[:500], digit_labels[:500]), X[500:]


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_classifier(classifier, labels, dtype):
    classifier, X = copy.copy(classifier[0]), classifier[1].astype(dtype)
    classifier.classes_ = LABELS[labels]
    onnx_model = skl2onnx.to_onnx(classifier, X[:1], options={"zipmap": False})
    label, probabilities = outputs_of(onnx_model, X).values()
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)
    # Where two classes are level, rounding decides.
    first, second = np.sort(expected, axis=1)[:, :-3:-1].T
    clear = first - second > TOLERANCE
    np.testing.assert_array_equal(label[clear], classifier.predict(X)[clear])
    assert clear.mean() > 0.99


@pytest.mark.parametrize(
    ("zipmap", "dtype"),
    [(True, np.float32), (True, np.float64), ("columns", np.float32)],
)
def test_probabilities_of_the_classifier_by_class(classifier, zipmap, dtype):
    classifier, X = classifier[0], classifier[1][:3].astype(dtype)
    options = {id(classifier): {"zipmap": zipmap}}
    onnx_model = skl2onnx.to_onnx(classifier, X[:1], options=options)
    _, *columns = outputs_of(onnx_model, X).values()
    if zipmap is True:
        columns = np.array([list(row.values()) for row in columns[0]]).T
    expected = classifier.predict_proba(X).T
    np.testing.assert_allclose(np.array(columns), expected, atol=TOLERANCE)


def test_classes_that_onnx_has_not(classifier):
    classifier, X = copy.copy(classifier[0]), classifier[1]
    classifier.classes_ = classifier.classes_ + 0.5
    with pytest.raises(ValueError, match=r"0\.5.*whole numbers or strings"):
        skl2onnx.to_onnx(classifier, X[:1], options={"zipmap": False})
