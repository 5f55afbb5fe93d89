"""onnxruntime computes what transformers and detectors do, for any architecture."""

from itertools import combinations

import numpy as np
import onnx
import pytest
import skl2onnx

import skcae
import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderOutlierDetector
from skcae.estimators.mahalanobis import squared_distances
from skcae.params.activations import ACTIVATIONS

from ..conftest import make_small
from .conftest import outputs_of

TOLERANCE = 1e-5
# Of networks of two stages. Any two choices meet in some test.
CHOICES = {
    "data": ["signals", "images", "volumes", "channels_first", "channels_last"],
    # Depthwise stages refuse "triangle".
    "activation": [
        ("triangle", "relu") if name == "triangle" else name for name in ACTIVATIONS
    ],
    "depthwise": [False, (False, True)],
    "filters": [
        {"kernel_size": 3},
        {"kernel_size": 4},
        {"kernel_size": 2, "padding": "valid"},
        {"kernel_size": 3, "padding": "full"},
        {"kernel_size": (5, 3), "stride": 2},
        {"kernel_size": 2, "stride": 3},
        {"kernel_size": 4, "stride": (1, 2), "padding": "full"},
    ],
    "windows": [
        {"pool_size": 1},
        {"pool_size": 2},
        {"pool_size": (3, 2), "pool_mode": "avg"},
        {"pool_size": (2, 9)},
        {"pool_size": (1, 9), "pool_mode": "avg"},
    ],
    "features": [
        {},
        {"pooling": "max", "pool_grid": 3},
        {"pooling": "max", "pool_grid": (7, 2), "feature_stages": "all"},
        {"pooling": "avg", "pool_grid": 3, "feature_stages": "all"},
        {"pooling": "avg", "power": 0.5},
        {"n_components": 3},
        {"n_components": 3, "pooling": "avg", "pool_grid": 3},
        {"n_components": 2, "pooling": "max", "pool_grid": 2},
        {"n_components": 3, "layerwise": True},
        {"n_components": 3, "pooling": "avg", "feature_stages": "all", "power": 0.5},
        {"n_components": 2, "pooling": "max", "power": 2.0, "layerwise": True},
    ],
    "decoder": [
        {},
        {"tied_weights": True},
        {"whiten": 0.1},
        {"whiten": 0.1, "tied_weights": True},
        {"output_activation": "sigmoid", "loss": "log_loss"},
        {"output_activation": "tanh", "tied_weights": True},
        {"output_activation": "relu"},
        {"output_activation": "abs"},
    ],
}


def pairs_of(row):
    """Return which two choices meet in a row, one number per question."""
    return set(combinations(enumerate(row), 2))


def covering_rows(sizes, n_drawn=100):
    """Return rows of choices in which any two of different questions meet."""
    rng = np.random.default_rng(0)
    everything = [[(i, j) for j in range(size)] for i, size in enumerate(sizes)]
    missing = {
        (one, other)
        for ones, others in combinations(everything, 2)
        for one in ones
        for other in others
    }
    rows = []
    while missing:
        drawn = rng.integers(sizes, size=(n_drawn, len(sizes))).tolist()
        rows.append(max(drawn, key=lambda row: len(pairs_of(row) & missing)))
        missing -= pairs_of(rows[-1])
    return rows


ROWS = covering_rows([len(choices) for choices in CHOICES.values()])


def params_of(row):
    """Return the data and the parameters that a row of choices means."""
    params = {"n_filters": (3, 2), "max_epochs": 1}
    for (name, choices), number in zip(CHOICES.items(), row, strict=True):
        choice = choices[number]
        params |= choice if isinstance(choice, dict) else {name: choice}
    data = params.pop("data")
    axis = {"channels_first": 0, "channels_last": -1}.get(data)
    return data, params | {"channel_axis": axis}


@pytest.fixture(scope="module")
def data(signals, digits, volumes):
    """Arrays of 40 samples whose sides are no multiples of anything, by their kind."""
    wide = np.concatenate([digits[:40], digits[40:80]], axis=2)[:, :7, 3:13]
    colours = np.stack([wide, wide[:, ::-1], wide**2], axis=1)
    return {
        "signals": signals[:40, :37],
        "images": wide.astype(np.float32),
        "volumes": volumes[:, :, :7],
        "channels_first": colours.astype(np.float32),
        "channels_last": np.moveaxis(colours, 1, -1),
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "".join(map(str, row)))
@pytest.mark.filterwarnings("ignore:.*units of the code are constant")
def test_architectures(row, data):
    kind, params = params_of(row)
    X, cae = data[kind], make_small(**params)
    features = assert_same_features(cae.fit(X), X)
    assert_same_errors(cae, X)
    assert_same_distances(cae, X, features)


@pytest.mark.parametrize("activation", ["relu", "two_sided"])
@pytest.mark.parametrize("depthwise", [True, (True, False)])
@pytest.mark.parametrize("tied_weights", [True, False])
def test_depthwise_from_the_first_stage(activation, depthwise, tied_weights, data):
    cae = make_small(
        n_filters=(3, 2),
        activation=activation,
        depthwise=depthwise,
        tied_weights=tied_weights,
        channel_axis=0,
    )
    assert_same_features(cae.fit(data["channels_first"]), data["channels_first"])
    assert_same_errors(cae, data["channels_first"])


def graph_of(estimator, X, options=None):
    """Return the graph of an estimator, made from one sample and checked by ONNX."""
    onnx_model = skl2onnx.to_onnx(estimator, X[:1], options=options)
    onnx.checker.check_model(onnx_model, full_check=True)
    return onnx_model


def assert_same_features(cae, X):
    """Assert it for a graph made from one sample; return the features of its runs."""
    onnx_model = graph_of(cae, X)
    alone = outputs_of(onnx_model, X[:1])["features"]
    features = outputs_of(onnx_model, X)["features"]
    assert features.dtype == np.float32
    expected = cae.transform(X)
    power = cae.params_["power"] if cae.n_components is None else 1
    assert_close(alone, expected[:1], power)
    assert_close(features, expected, power)
    return features


def assert_close(features, expected, power=1):
    """Assert that features agree where roots have not enlarged what is next to 0."""
    features, expected = (
        np.abs(rows) ** (1 / power) * np.sign(rows) for rows in (features, expected)
    )
    np.testing.assert_allclose(features, expected, rtol=TOLERANCE, atol=TOLERANCE)


def scores_of(detector, X):
    """Return what onnxruntime computes as `score_samples`."""
    onnx_model = graph_of(detector, X, {"score_samples": True})
    return outputs_of(onnx_model, X)["score_samples"][:, 0]


def assert_same_errors(cae, X):
    detector = ConvAutoencoderOutlierDetector(cae, criterion="reconstruction").fit(X)
    expected = detector.score_samples(X)
    # Large weights of few samples enlarge what features differ by.
    rtol = TOLERANCE if cae.params_["pooling"] is None else 2 * TOLERANCE
    np.testing.assert_allclose(scores_of(detector, X), expected, rtol=rtol)


def assert_same_distances(cae, X, features):
    """Assert it for distances of the features that onnxruntime has computed.

    Where features hardly vary, those of features that differ by 1e-7 differ, too.
    """
    detector = ConvAutoencoderOutlierDetector(cae).fit(X)
    expected = -squared_distances(detector.pca_, features)
    np.testing.assert_allclose(scores_of(detector, X), expected, rtol=TOLERANCE)


@pytest.mark.parametrize("name", ["grey", "small", "textbook_stacked"])
def test_recipes(name, digits):
    params = skcae.recipes[name] | {"n_filters": 4}
    if name != "small":
        params["n_filters"] = (4,) * (2 if name == "grey" else 3)
    cae = make_small(**params | {"max_epochs": 1, "kernel_size": 3})
    assert_same_features(cae.fit(digits[:200]), digits[:200])


def test_dense_code_of_many_values(digits):
    """Sums of thousands of values, large next to their result."""
    X = digits[:1000].reshape(20, -1)
    cae = make_small(n_components=3, n_filters=16, activation="abs").fit(X)
    features = outputs_of(graph_of(cae, X), X)["features"]
    np.testing.assert_allclose(features, cae.transform(X), rtol=0, atol=TOLERANCE / 2)


def test_pooled_features_of_another_size(digits):
    for pooling in ("max", "avg"):
        cae = make_small(pooling=pooling, pool_grid=3).fit(digits[:100])
        assert_same_features(cae, np.tile(digits[:10], (1, 2, 1)))
