"""Frames, HTML, and routed metadata."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_html_repr

from ..conftest import make_small
from .conftest import make_classifier

# What comes out


@pytest.mark.parametrize(
    ("container", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"n_components": 3},
        {"n_components": 3, "pooling": "avg", "power": 0.5, "layerwise": True},
        {"pooling": "max"},
    ],
)
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
