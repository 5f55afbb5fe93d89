"""The classifier and the outlier detector as graphs."""

import copy

import numpy as np
import pytest
import skl2onnx
from sklearn.datasets import load_digits
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector

from ..conftest import make_small
from .conftest import outputs_of

TOLERANCE = 1e-5
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


CRITERIA = ("features", "reconstruction")


def assert_same_decisions(detector, X, dtype):
    """Assert it of scores, and of labels where scores are not next to 0."""
    onnx_model = skl2onnx.to_onnx(detector, X[:1])
    label, scores = outputs_of(onnx_model, X).values()
    assert scores.dtype == dtype
    expected, size = detector.decision_function(X), -detector.score_samples(X)
    # A score near 0 next to a large offset is rounded as the offset is.
    tolerance = TOLERANCE * size + np.spacing(np.abs(expected).astype(dtype))
    assert (np.abs(scores[:, 0] - expected) < tolerance).all()
    clear = np.abs(expected) > tolerance
    np.testing.assert_array_equal(label[clear, 0], detector.predict(X)[clear])
    assert clear.mean() > 0.98
    return set(label.ravel())


@pytest.mark.parametrize("criterion", CRITERIA)
def test_default_detector(criterion, digits, digit_labels):
    detector = ConvAutoencoderOutlierDetector(criterion=criterion, random_state=0)
    detector.fit(digits[digit_labels == 0])
    for dtype in (np.float32, np.float64):
        X = digits.astype(dtype)
        assert assert_same_decisions(detector, X, dtype) == {1, -1}
        assert_same_decisions(detector, X.reshape(len(X), -1), dtype)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_default_detector_of_signals_and_volumes(criterion, signals, volumes):
    for X in (signals, volumes):
        detector = ConvAutoencoderOutlierDetector(criterion=criterion, random_state=0)
        X = X.astype(np.float32)
        assert assert_same_decisions(detector.fit(X), X, np.float32) == {1, -1}


@pytest.mark.parametrize("criterion", CRITERIA)
def test_detector_of_channels(criterion, photographs):
    autoencoder = make_small(channel_axis=-1, n_components=6)
    detector = ConvAutoencoderOutlierDetector(autoencoder, criterion=criterion)
    assert_same_decisions(detector.fit(photographs), photographs, np.float32)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_large_values(criterion, small_digits):
    X = small_digits * 1e20
    autoencoder = make_small(n_components=4)
    detector = ConvAutoencoderOutlierDetector(autoencoder, criterion=criterion)
    assert_same_decisions(detector.fit(X), X, np.float64)


def test_outputs_are_those_of_detectors_of_scikit_learn(small_digits):
    X = small_digits.reshape(120, -1).astype(np.float32)
    options = {"score_samples": True}
    theirs, ours = (
        outputs_of(skl2onnx.to_onnx(detector.fit(X), X[:1], options=options), X)
        for detector in (
            LocalOutlierFactor(novelty=True),
            ConvAutoencoderOutlierDetector(make_small(input_shape=(8, 8))),
        )
    )
    assert list(ours) == list(theirs) == ["label", "scores", "score_samples"]
    for one, other in zip(ours.values(), theirs.values(), strict=True):
        assert one.shape == other.shape == (120, 1)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("target_opset", [11, 21])
def test_older_opsets(target_opset, criterion, small_digits):
    autoencoder = make_small(n_components=4, pooling="avg", whiten=0.1)
    detector = ConvAutoencoderOutlierDetector(autoencoder, criterion=criterion)
    detector.fit(small_digits)
    onnx_model = skl2onnx.to_onnx(detector, small_digits[:1], target_opset=target_opset)
    assert onnx_model.opset_import[0].version <= target_opset
    scores = outputs_of(onnx_model, small_digits)["scores"][:, 0]
    expected = detector.decision_function(small_digits)
    np.testing.assert_allclose(scores, expected, rtol=TOLERANCE, atol=1e-4)


def test_score_samples(small_digits):
    detector = ConvAutoencoderOutlierDetector(make_small()).fit(small_digits)
    options = {id(detector): {"score_samples": True}}
    onnx_model = skl2onnx.to_onnx(detector, small_digits[:1], options=options)
    scores = outputs_of(onnx_model, small_digits)["score_samples"]
    expected = detector.score_samples(small_digits)
    np.testing.assert_allclose(scores[:, 0], expected, rtol=TOLERANCE)


def test_detector_at_the_end_of_a_pipeline(small_digits):
    X = small_digits.reshape(120, -1)
    detector = ConvAutoencoderOutlierDetector(make_small(input_shape=(8, 8)))
    pipeline = make_pipeline(StandardScaler(), detector).fit(X)
    onnx_model = skl2onnx.to_onnx(pipeline, X[:1])
    scores = outputs_of(onnx_model, X)["scores"][:, 0]
    np.testing.assert_allclose(scores, pipeline.decision_function(X), atol=1e-4)
