"""Warnings point at the line of the user that led to them, whatever lies between."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector
from skcae.utils.user_warnings import warn

from ..conftest import make_small

LAYOUT = "Samples of shape .* are taken for volumes"
MISSING_GPU = "The fitted model runs on the CPU"
X = np.random.default_rng(0).normal(size=(24, 4, 4, 3)).astype(np.float32)
Y = np.arange(24) % 2


def model(**params):
    return make_small(n_filters=2, max_epochs=0, **params)


@pytest.fixture(scope="module")
def fitted():
    return model(channel_axis=-1).fit(X)


@pytest.fixture
def loaded(fitted):
    if torch.xpu.is_available():
        pytest.skip("this device is there")
    copy = pickle.loads(pickle.dumps(fitted)).set_params(device="xpu")
    return pickle.loads(pickle.dumps(copy))


def search(cae):
    return GridSearchCV(cae, {"lr": [0.1, 0.2]}, cv=2)


def same(X):
    return X


CALLS = {
    "fit": lambda: model().fit(X),
    "fit_transform": lambda: model().fit_transform(X),
    "partial_fit": lambda: model().partial_fit(X),
    "set_output": lambda: model().set_output(transform="pandas").fit_transform(X),
    "pipeline": lambda: make_pipeline(FunctionTransformer(same), model()).fit(X),
    "fit_transform of a pipeline": lambda: make_pipeline(model()).fit_transform(X),
    "search": lambda: search(model()).fit(X),
    "classifier": lambda: ConvAutoencoderClassifier(
        model(), max_epochs=0, head_init="zeros"
    ).fit(X, Y),
    "detector": lambda: ConvAutoencoderOutlierDetector(model()).fit(X),
}


@pytest.mark.parametrize("call", CALLS)
def test_warnings_about_samples(call):
    with pytest.warns(UserWarning, match=LAYOUT) as caught:
        CALLS[call]()
    assert {record.filename for record in caught} == {__file__}


@pytest.mark.parametrize(
    "call",
    [
        lambda cae: cae.transform(X),
        lambda cae: cae.set_output(transform="pandas").transform(X),
        lambda cae: cae.score(X),
        lambda cae: make_pipeline(FrozenEstimator(cae)).transform(X),
        lambda cae: cae.net_,
        lambda cae: ConvAutoencoderOutlierDetector(cae).fit(X),
    ],
)
def test_warnings_of_loaded_models(call, loaded):
    with pytest.warns(UserWarning, match=MISSING_GPU) as caught:
        call(loaded)
    assert {record.filename for record in caught} == {__file__}


def test_it_is_the_line_of_the_call():
    with pytest.warns(UserWarning, match=LAYOUT) as caught:
        model().fit(X)  # this one
    line = Path(__file__).read_text().splitlines()[caught[0].lineno - 1]
    assert line.endswith("# this one")


def test_without_a_line_of_the_user():
    with warnings.catch_warnings(record=True) as caught, ThreadPoolExecutor(1) as pool:
        warnings.simplefilter("always")
        pool.submit(warn, "from a thread", FutureWarning).result()
    assert caught[0].category is FutureWarning
    assert "threading" in caught[0].filename
