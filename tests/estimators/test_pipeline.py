"""The transformer in scikit-learn: pipelines, searches, output, routing, callbacks."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_html_repr
from skorch.callbacks import EarlyStopping, LRScheduler

from ..conftest import make_small


@pytest.fixture(scope="module")
def rows(small_digits):
    """`small_digits`, flattened."""
    return small_digits.reshape(len(small_digits), -1)


@pytest.fixture(scope="module")
def labels(digit_labels):
    """Labels of `small_digits`."""
    return digit_labels[:120]


def make_classifier(**params):
    return make_pipeline(
        make_small(**params), LogisticRegression(max_iter=500, tol=0.01)
    )


def explained_variance(estimator, X, y=None):
    return estimator.score(X)


# Pipelines and searches


def test_pipeline_classifies_digits(digits, digit_labels):
    classifier = make_classifier(max_epochs=3).fit(digits[:800], digit_labels[:800])
    assert classifier.score(digits[800:], digit_labels[800:]) > 0.85


def test_cross_validation(digits, digit_labels):
    scores = cross_val_score(make_classifier(), digits[:400], digit_labels[:400], cv=3)
    assert scores.min() > 0.7
    again = cross_val_score(make_classifier(), digits[:400], digit_labels[:400], cv=3)
    assert_array_equal(scores, again)


def test_cross_validation_without_labels(small_digits):
    scores = cross_val_score(make_small(max_epochs=15, n_filters=8), small_digits, cv=3)
    assert scores.min() > 0.1
    assert scores.max() < 1


def test_search_gives_the_same_scores_in_every_process(small_digits, labels):
    grid = {
        "convautoencodertransformer__n_filters": [3, (4, 2)],
        "convautoencodertransformer__n_components": [4],
        "convautoencodertransformer__lr": [0.001, 0.02],
        "convautoencodertransformer__corruption": ["mask"],
        "logisticregression__C": [1.0],
    }
    serial, parallel = (
        GridSearchCV(make_classifier(), grid, cv=2, n_jobs=n_jobs, error_score="raise")
        for n_jobs in (1, 2)
    )
    serial.fit(small_digits, labels)
    parallel.fit(small_digits, labels)
    scores = serial.cv_results_["mean_test_score"]
    assert_array_equal(parallel.cv_results_["mean_test_score"], scores)
    assert len(set(scores)) > 1
    assert_array_equal(
        parallel.predict_proba(small_digits), serial.predict_proba(small_digits)
    )


def test_search_without_labels_prefers_the_better_trained(small_digits):
    search = GridSearchCV(make_small(), {"max_epochs": [0, 20, 1]}, cv=2)
    search.fit(small_digits)
    assert search.best_params_ == {"max_epochs": 20}
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] > scores[2] > scores[0]
    assert search.score(small_digits) == search.best_estimator_.score(small_digits)
    assert search.transform(small_digits).shape == (120, 64)


def test_feature_union_with_pca(rows):
    cae, pca = make_small(input_shape=(8, 8)), PCA(5, random_state=0)
    union = FeatureUnion([("cae", cae), ("pca", pca)])
    features = union.fit_transform(rows)
    assert_array_equal(features[:, :64], clone(cae).fit_transform(rows))
    assert_allclose(features[:, 64:], clone(pca).fit_transform(rows), atol=1e-6)
    names = union.get_feature_names_out()
    assert names[0] == "cae__convautoencodertransformer0"
    assert names[63:65].tolist() == ["cae__convautoencodertransformer63", "pca__pca0"]


def test_column_transformer_takes_the_pixels_of_a_table(rows, labels):
    pixels = [f"pixel{i}" for i in range(64)]
    table = pd.DataFrame(rows, columns=pixels).assign(age=labels)
    columns = ColumnTransformer(
        [
            ("image", make_small(input_shape=(8, 8)), pixels),
            ("rest", "passthrough", ["age"]),
        ]
    )
    features = columns.fit_transform(table)
    assert_array_equal(
        features[:, :64], make_small(input_shape=(8, 8)).fit_transform(rows)
    )
    assert_array_equal(features[:, 64], labels)
    assert columns.get_feature_names_out()[-2:].tolist() == [
        "image__convautoencodertransformer63",
        "rest__age",
    ]
    assert columns.named_transformers_["image"].feature_names_in_.tolist() == pixels
    assert_array_equal(columns.transform(table[[*pixels[::-1], "age"]]), features)


def test_clone_is_unfitted_and_equal(fitted, small_digits):
    copy = clone(fitted)
    assert not copy.__sklearn_is_fitted__()
    assert not [name for name in vars(copy) if name.endswith("_")]
    assert copy.get_params() == fitted.get_params()
    assert_array_equal(
        copy.fit(small_digits).transform(small_digits), fitted.transform(small_digits)
    )


def test_pipeline_memory_trains_once(small_digits, labels, tmp_path):
    pipeline = make_classifier().set_params(memory=str(tmp_path))
    first = pipeline.fit(small_digits, labels).predict_proba(small_digits)
    pipeline.set_params(logisticregression__C=1e-3).fit(small_digits, labels)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    assert np.abs(pipeline.predict_proba(small_digits) - first).max() > 0.1
    pipeline.set_params(logisticregression__C=1.0).fit(small_digits, labels)
    assert_array_equal(pipeline.predict_proba(small_digits), first)
    pipeline.set_params(convautoencodertransformer__lr=0.01).fit(small_digits, labels)
    assert len(list(tmp_path.rglob("output.pkl"))) == 2


def test_frozen_transformer_is_not_fitted_again(fitted, digits, digit_labels):
    weights = fitted.filters_
    pipeline = make_pipeline(
        FrozenEstimator(fitted), LogisticRegression(max_iter=500, tol=0.01)
    )
    pipeline.fit(digits[200:500], digit_labels[200:500])
    assert_array_equal(fitted.filters_, weights)
    assert_array_equal(
        pipeline[:-1].transform(digits[:9]), fitted.transform(digits[:9])
    )
    assert pipeline.score(digits[500:], digit_labels[500:]) > 0.7


# What comes out


@pytest.mark.parametrize(
    ("container", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
@pytest.mark.parametrize("params", [{}, {"n_components": 3}, {"pooling": "max"}])
def test_set_output(small_digits, container, frame, params):
    cae = make_small(**params)
    plain = cae.fit_transform(small_digits)
    cae.set_output(transform=container)
    for features in (cae.transform(small_digits), cae.fit_transform(small_digits)):
        assert isinstance(features, frame)
        assert list(features.columns) == [
            f"convautoencodertransformer{i}" for i in range(plain.shape[1])
        ]
        assert_array_equal(features.to_numpy(), plain)


def test_frame_output_keeps_the_index(rows):
    index = [f"patient{i}" for i in range(len(rows))]
    frame = pd.DataFrame(rows, index=index).rename(columns="pixel{}".format)
    cae = make_small(input_shape=(8, 8)).set_output(transform="pandas")
    features = cae.fit_transform(frame)
    assert features.index.tolist() == index
    assert set(features.dtypes) == {np.dtype("float32")}


def test_frame_output_inside_a_pipeline(small_digits, labels):
    pipeline = make_classifier().set_output(transform="pandas")
    pipeline.fit(small_digits, labels)
    assert pipeline[-1].feature_names_in_[0] == "convautoencodertransformer0"
    assert pipeline[:-1].get_feature_names_out()[-1] == "convautoencodertransformer63"


def test_html_shows_whether_it_is_fitted(fitted):
    unfitted = clone(fitted)
    for estimator, state in ((unfitted, "Not fitted"), (fitted, "Fitted")):
        html = estimator._repr_html_()
        assert "ConvAutoencoderTransformer" in html
        assert f"<span>{state}</span>" in html
    assert "n_filters" in estimator_html_repr(make_pipeline(unfitted, PCA()))


# Metadata routing


def test_validation_samples_are_routed_through_a_pipeline(
    small_digits, digits, digit_labels, labels
):
    X_val = digits[120:160]
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = Pipeline(
            [
                ("root", FunctionTransformer(np.sqrt)),
                ("cae", make_small().set_fit_request(X_val=True)),
                ("classify", LogisticRegression(max_iter=500, tol=0.01)),
            ],
            transform_input=["X_val"],
        )
        pipeline.fit(small_digits, labels, X_val=X_val)
        direct = make_small().fit(np.sqrt(small_digits), X_val=np.sqrt(X_val))
    losses = [row["valid_loss"] for row in pipeline["cae"].history_]
    assert losses == [row["valid_loss"] for row in direct.history_]
    raw = make_small().fit(np.sqrt(small_digits), X_val=X_val)
    assert losses != [row["valid_loss"] for row in raw.history_]


def test_validation_samples_are_routed_by_a_search(small_digits, digits):
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            make_small().set_fit_request(X_val=True), {"lr": [0.001, 0.01]}, cv=2
        ).fit(small_digits, X_val=digits[120:160])
    assert all("valid_loss" in row for row in search.best_estimator_.history_)


def test_validation_samples_that_nobody_asked_for_are_refused(small_digits):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(make_small(), PCA(2))
        with pytest.raises(UnsetMetadataPassedError, match="X_val"):
            pipeline.fit(small_digits, X_val=small_digits)


# Callbacks of scikit-learn


def epoch_scores(monitor):
    """Return the scores of every fit's epochs, in the order of the epochs."""
    fits = {}
    for row in monitor.get_logs().data:
        if row["task_name"] == "epoch":
            fits.setdefault(row["parent_task_id_path"], []).append(row["score"])
    return list(fits.values())


def make_monitor():
    return ScoringMonitor(scoring={"score": explained_variance})


def test_scoring_monitor_logs_every_epoch(small_digits, labels, fitted):
    monitor = make_monitor()
    cae = make_small().set_callbacks(monitor).fit(small_digits, labels)
    # Looking does not change what is trained.
    assert_array_equal(cae.transform(small_digits), fitted.transform(small_digits))
    cae.set_params(max_epochs=8).fit(small_digits, labels)
    (scores,) = epoch_scores(monitor)
    assert len(scores) == 8
    assert np.all(np.diff(scores) > 0)
    assert scores[-1] == cae.score(small_digits)


def test_scoring_monitor_in_a_pipeline(small_digits, labels):
    monitor = make_monitor()
    pipeline = make_classifier(max_epochs=4)
    pipeline[0].set_callbacks(monitor)
    pipeline.fit(small_digits, labels)
    (scores,) = epoch_scores(monitor)
    assert len(scores) == 4
    assert np.all(np.diff(scores) > 0)


def test_scoring_monitor_in_a_search(small_digits, labels):
    monitor = make_monitor()
    cae = make_small(max_epochs=3).set_callbacks(monitor)
    GridSearchCV(cae, {"lr": [0.005, 0.01]}, cv=2).fit(small_digits, labels)
    fits = epoch_scores(monitor)
    assert [len(scores) for scores in fits] == [3] * 5  # 2 candidates, 2 folds, refit
    assert all(np.all(np.diff(scores) > 0) for scores in fits)


def test_progress_bar(small_digits, labels, capsys):
    make_small().set_callbacks(ProgressBar()).fit(small_digits)
    out = capsys.readouterr().out
    assert "ConvAutoencoderTrans" in out  # cut where the terminal is narrow
    assert "100%" in out


def test_progress_bar_of_meta_estimators(small_digits, labels, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    bar = ProgressBar(max_propagation_depth=None)
    make_classifier().set_callbacks(bar).fit(small_digits, labels)
    out = capsys.readouterr().out
    assert "Pipeline - fit" in out
    assert "ConvAutoencoderTrans" in out  # cut where the terminal is narrow
    search = GridSearchCV(make_small(), {"lr": [0.001, 0.01]}, cv=2)
    search.set_callbacks(bar).fit(small_digits)
    out = capsys.readouterr().out
    assert out.count("candidate-split-evaluation | ConvAutoencoderTransformer") >= 4


class StopAfter:
    """A callback of scikit-learn that ends the fit after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        return context.task_name == "epoch" and context.task_id + 1 == self.n_epochs


def test_callback_stops_the_fit(small_digits):
    stop = StopAfter(2)
    cae = make_small(max_epochs=9).set_callbacks(stop).fit(small_digits)
    assert cae.n_iter_ == 2
    assert_array_equal(
        cae.transform(small_digits), make_small().fit_transform(small_digits)
    )
    epoch = ["begin epoch", "end epoch"]
    assert stop.events == ["setup", "begin fit", *epoch * 2, "end fit", "teardown"]


@pytest.mark.parametrize(
    "params",
    [
        {"tol": 1e3, "n_iter_no_change": 2},
        {"tol": 1e3, "n_iter_no_change": 2, "early_stopping": True},
        {"callbacks": [EarlyStopping("train_loss", patience=2, threshold=1e3)]},
    ],
)
def test_callback_hears_the_end_of_the_last_epoch(small_digits, params):
    stop = StopAfter(9)
    cae = make_small(max_epochs=9, **params).set_callbacks(stop).fit(small_digits)
    assert cae.n_iter_ == 3
    assert stop.events.count("begin epoch") == 3
    assert stop.events.count("end epoch") == 3


def test_callback_that_stops_does_not_hide_the_best_epoch(small_digits, digits):
    X_val = digits[120:160]
    cae = make_small(max_epochs=9, early_stopping=True).set_callbacks(StopAfter(3))
    cae.fit(small_digits, X_val=X_val)
    assert cae.n_iter_ == 3
    losses = [row["valid_loss"] for row in cae.history_]
    assert losses == sorted(losses, reverse=True)
    three = make_small(max_epochs=3).fit(small_digits)
    assert_array_equal(cae.transform(X_val), three.transform(X_val))


def test_callback_is_torn_down_after_an_error(small_digits):
    stop = StopAfter(2)
    cae = make_small(lr=1e30, optimizer="sgd").set_callbacks(stop)
    with pytest.raises(ValueError, match="finite loss"):
        cae.fit(small_digits)
    assert stop.events[-1] == "teardown"


def test_works_without_callbacks_of_scikit_learn():
    code = """
        import sys
        import sklearn.decomposition
        from sklearn.datasets import load_digits
        from sklearn.pipeline import make_pipeline
        from sklearn.model_selection import train_test_split

        sys.modules["sklearn.callback"] = None  # as before scikit-learn 1.9
        from skcae import ConvAutoencoderTransformer

        X = load_digits().images[:100]
        cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=2, early_stopping=True)
        assert make_pipeline(cae).fit_transform(X).shape == (100, 32)
        assert cae.n_iter_ == 2
        assert not hasattr(cae, "set_callbacks")
        print("worked")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "worked", done.stderr


# set_params

# Another value of every parameter, and what has to be set for it to have an effect.
CHANGES = {
    "input_shape": ((4, 16), {"input_shape": (8, 8)}),
    "channel_axis": (0, {"input_shape": (8, 8)}),
    "n_filters": ((2, 3), {}),
    "kernel_size": (2, {}),
    "stride": (2, {}),
    "pool_size": (1, {}),
    "pool_mode": ("avg", {}),
    "depthwise": (True, {"channel_axis": 0, "input_shape": (2, 32)}),
    "padding": ("full", {}),
    "whiten": (0.1, {}),
    "threshold": (0.1, {"activation": "soft_threshold"}),
    "activation": ("abs", {}),
    "output_activation": ("sigmoid", {}),
    "tied_weights": (True, {}),
    "n_components": (3, {}),
    "loss": ("absolute_error", {}),
    "corruption": ("mask", {}),
    "corruption_level": (0.7, {"corruption": "mask"}),
    "sparsity": ("winner_take_all", {}),
    "sparsity_level": (0.9, {"sparsity": "l1"}),
    "init": ("kmeans", {}),
    "layerwise": (True, {"n_filters": (2, 3)}),
    "pooling": ("avg", {}),
    "pool_grid": (3, {"pooling": "max"}),
    "feature_stages": ("all", {"pooling": "max", "n_filters": (2, 3)}),
    "power": (0.5, {"pooling": "max"}),
    "optimizer": ("sgd", {}),
    "lr": (0.05, {}),
    "weight_decay": (0.1, {}),
    "batch_size": (30, {}),
    "max_epochs": (3, {}),
    "max_samples": (40, {}),
    "crop_size": (4, {"sparsity": "winner_take_all", "input_shape": (8, 8)}),
    "early_stopping": (True, {}),
    "validation_fraction": (0.4, {"early_stopping": True}),
    "n_iter_no_change": (1, {"tol": 1e3, "max_epochs": 3}),
    "tol": (1e3, {"n_iter_no_change": 1, "max_epochs": 3}),
    "warm_start": (True, {}),
    "random_state": (1, {}),
    "callbacks": ([LRScheduler(policy="StepLR", step_size=1, gamma=0.1)], {}),
    "net_params": ({"optimizer__betas": (0.5, 0.6)}, {}),
    "precision": ("bfloat16", {}),
}
# Those that decide where, how and how loudly the same thing is computed.
SAME_RESULT = {"device": "cpu", "verbose": 1}


def fingerprint(cae, X):
    losses = [row["train_loss"] for row in cae.history_]
    return [cae.transform(X).tobytes(), cae.n_iter_, cae.n_samples_seen_, *losses]


@pytest.mark.parametrize("name", CHANGES)
def test_every_parameter_changes_a_refit(rows, name):
    value, others = CHANGES[name]
    cae = make_small(**others).fit(rows)
    before = fingerprint(cae, rows)
    cae.set_params(**{name: value}).fit(rows)
    assert fingerprint(cae, rows) != before
    fresh = make_small(**others | {name: value}).fit(rows)
    if name == "warm_start":
        fresh.fit(rows)
    assert fingerprint(cae, rows) == fingerprint(fresh, rows)


@pytest.mark.parametrize("name", SAME_RESULT)
def test_parameters_that_change_no_result(rows, name):
    cae = make_small().fit(rows)
    before = fingerprint(cae, rows)
    cae.set_params(**{name: SAME_RESULT[name]}).fit(rows)
    assert fingerprint(cae, rows) == before


def test_no_parameter_is_forgotten_above():
    elsewhere = {"checkpoint", "compile"}  # have tests of their own
    assert set(make_small().get_params()) == {*CHANGES, *SAME_RESULT, *elsewhere}
