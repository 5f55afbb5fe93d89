"""Whole pipelines become one graph, whatever the autoencoder is beside or inside."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import skl2onnx
from skl2onnx.common.exceptions import MissingShapeCalculator
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.tree import DecisionTreeClassifier

import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderClassifier

from ..conftest import make_small
from .conftest import outputs_of

TOLERANCE = 1e-5


def classify(*steps):
    """Return a pipeline that classifies by what some steps make of samples."""
    return make_pipeline(*steps, StandardScaler(), LogisticRegression(max_iter=500))


def assert_same_probabilities(classifier, X):
    onnx_model = skl2onnx.to_onnx(classifier, X[:1], options={"zipmap": False})
    outputs = outputs_of(onnx_model, X)
    assert set(outputs) == {"label", "probabilities"}
    np.testing.assert_array_equal(outputs["label"], classifier.predict(X))
    np.testing.assert_allclose(
        outputs["probabilities"], classifier.predict_proba(X), atol=TOLERANCE
    )


@pytest.fixture(scope="module", params=["images", "rows"])
def pipeline(request, digits, digit_labels):
    """A fitted pipeline, samples that it was not fitted on."""
    X = digits if request.param == "images" else load_digits().data
    cae = make_small(input_shape=(8, 8) if request.param == "rows" else None)
    return classify(cae).fit(X[:1000], digit_labels[:1000]), X[1000:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_pipeline_in_one_graph(pipeline, dtype):
    pipeline, X = pipeline
    assert_same_probabilities(pipeline, X.astype(dtype))


def test_probabilities_as_dicts(pipeline):
    pipeline, X = pipeline
    outputs = outputs_of(skl2onnx.to_onnx(pipeline, X[:1]), X[:3])
    for row, expected in zip(
        outputs["output_probability"], pipeline.predict_proba(X[:3]), strict=True
    ):
        np.testing.assert_allclose(list(row.values()), expected, atol=TOLERANCE)


@pytest.fixture(scope="module")
def rows(digit_labels):
    """Digits as rows, float32, and their labels."""
    return load_digits().data[:500].astype(np.float32), digit_labels[:500]


@pytest.fixture(scope="module")
def on_rows(rows):
    """A transformer fitted on `rows`; do not fit it again."""
    return make_small(input_shape=(8, 8)).fit(rows[0])


def test_frozen_transformer(fitted, digits, digit_labels):
    X, y = digits[:500].astype(np.float32), digit_labels[:500]
    assert_same_probabilities(classify(FrozenEstimator(fitted)).fit(X, y), X)


def test_frozen_classifiers(on_rows, rows):
    X, y = rows
    classifier = classify(on_rows).fit(X, y)
    assert_same_probabilities(FrozenEstimator(classifier), X)


def test_frozen_estimators_of_others_are_left_to_skl2onnx(on_rows, rows):
    """Without `skcae.onnx` the same error comes."""
    X, y = rows
    frozen = FrozenEstimator(LogisticRegression(max_iter=500).fit(X, y))
    script = f"""
import pickle, skl2onnx, numpy
frozen, X = pickle.loads({pickle.dumps((frozen, X[:1]))!r})
skl2onnx.to_onnx(frozen, X)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    with pytest.raises(MissingShapeCalculator) as caught:
        skl2onnx.to_onnx(frozen, X[:1])
    assert str(caught.value).strip() in run.stderr
    behind = make_pipeline(on_rows, FrozenEstimator(StandardScaler().fit(X)))
    with pytest.raises(MissingShapeCalculator):
        skl2onnx.to_onnx(behind, X[:1])


# What a user may register for frozen estimators. It runs in a process of its own, since
# skl2onnx keeps it as long as the process lives.
USER_REGISTERS = """
import numpy as np
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import StandardScaler

X = np.eye(4, 3, dtype=np.float32)

def shape(operator):
    operator.outputs[0].type = FloatTensorType([None, 3])

def convert(scope, operator, container):
    name = scope.get_unique_operator_name("user")
    x, out = operator.inputs[0].full_name, operator.outputs[0].full_name
    container.add_node("Neg", x, out, name=name)

def parse(scope, model, inputs, custom_parsers=None):
    operator = scope.declare_local_operator("User", model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("user", FloatTensorType()))
    return operator.outputs

def convert_frozen():
    skl2onnx.update_registered_converter(FrozenEstimator, "User", shape, convert)
"""
USES = """
model = skl2onnx.to_onnx(FrozenEstimator(StandardScaler().fit(X)), X[:1])
print([node.op_type for node in model.graph.node if node.op_type != "Identity"])
print([out.name for out in model.graph.output])
"""


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        (["convert_frozen()", "import skcae.onnx"], "variable"),
        (["import skcae.onnx", "convert_frozen()"], "variable"),
        (
            [
                "convert_frozen()",
                "skl2onnx.update_registered_parser(FrozenEstimator, parse)",
                "import skcae.onnx",
            ],
            "user",
        ),
    ],
    ids=["converter_before", "converter_after", "parser_before"],
)
def test_what_a_user_registers_for_frozen_estimators_is_used(steps, output):
    script = "\n".join([USER_REGISTERS, *steps, USES])
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == ["['Neg']", f"['{output}']"]


def test_classifier_within_an_ensemble(rows):
    X, y = rows
    net = ConvAutoencoderClassifier(make_small(input_shape=(8, 8)), max_epochs=1)
    classifiers = [("net", net), ("tree", DecisionTreeClassifier(max_depth=5))]
    for voting in ("soft", "hard"):
        ensemble = VotingClassifier(
            classifiers, voting=voting, flatten_transform=False
        ).fit(X, y)
        onnx_model = skl2onnx.to_onnx(ensemble, X[:1], options={"zipmap": False})
        label, *_ = outputs_of(onnx_model, X).values()
        assert (label == ensemble.predict(X)).mean() > 0.99


def test_search(on_rows, rows):
    X, y = rows
    params = {"logisticregression__C": [0.1, 1.0]}
    search = GridSearchCV(classify(FrozenEstimator(on_rows)), params, cv=2)
    assert_same_probabilities(search.fit(X, y), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_beside_others(dtype, on_rows, rows):
    X, y = rows[0].astype(dtype), rows[1]
    narrow = make_small(input_shape=(8, 8), n_components=3)
    union = make_union(FrozenEstimator(on_rows), narrow, PCA(5))
    assert_same_probabilities(classify(union).fit(X, y), X)


@pytest.mark.parametrize("columns", [slice(0, 64), list(range(64))])
def test_on_some_columns(columns, rows):
    X, y = rows
    wide = np.concatenate([X, X[:, 20:23]], axis=1)
    cae = make_small(input_shape=(8, 8))
    chosen = make_column_transformer((cae, columns), (StandardScaler(), [64, 65, 66]))
    assert_same_probabilities(classify(chosen).fit(wide, y), wide)


def test_features_as_frames(rows):
    X, y = rows
    pipeline = classify(make_small(input_shape=(8, 8))).set_output(transform="pandas")
    assert_same_probabilities(pipeline.fit(X, y), X)


def test_detector_of_scikit_learn_behind(rows):
    X, _ = rows
    narrow = make_small(input_shape=(8, 8), n_components=4)
    detector = make_pipeline(narrow, StandardScaler(), OneClassSVM()).fit(X)
    scores = outputs_of(skl2onnx.to_onnx(detector, X[:1]), X)["scores"]
    expected = detector.decision_function(X)
    np.testing.assert_allclose(scores[:, 0], expected, rtol=1e-4, atol=1e-4)
