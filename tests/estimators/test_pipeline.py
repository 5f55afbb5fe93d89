"""The transformer in pipelines and searches of scikit-learn."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline

from ..conftest import make_small
from .conftest import make_classifier


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
