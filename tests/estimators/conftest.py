"""Rows of calls that must be refused, and what several tests fit and score."""

import re
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import skorch
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skcae

from ..conftest import make_small

IMAGES = np.random.default_rng(0).normal(size=(12, 8, 8)).astype(np.float32)
FLAT = IMAGES.reshape(12, 64)
COLOURS = np.stack([IMAGES, -IMAGES, IMAGES**2], axis=-1)
FRAME = pd.DataFrame(FLAT, columns=[f"pixel {i}" for i in range(64)])
PACKAGE = Path(skcae.__file__).parent
LIBRARIES = [Path(library.__file__).parent for library in (torch, skorch)]


class Row(NamedTuple):
    """A call, and the error that it must end in."""

    name: str
    method: str
    args: tuple
    params: dict
    message: str
    kind: type = ValueError
    fitted_on: Any = None
    changes: dict = {}
    kwargs: dict = {}


def refuses(name, X, message, kind=ValueError, **params):
    """A row for `fit` of a new estimator."""
    return Row(name, "fit", (X,), params, message, kind)


def spoiled(value, dtype=np.float64):
    """Return images of which one value is another."""
    X = IMAGES.astype(dtype)
    X[7, 2, 3] = value
    return X


FINITE = "contains {} or a value too large .* samples 0 to 11; expected finite"
NUMBERS = "Got X that is no array of numbers .*{}.* expected real numbers"
DTYPE = "Got X of dtype .*{}.* expected real numbers"
SHAPE = r"with samples of shape \({}\), but .* fitted on samples of shape \({}\)"


KERNEL = (
    r"stage {} puts a filter of kernel_size={} on maps of shape \({}\) with "
    "padding='valid'; expected filters no larger"
)


def global_state():
    """Return what torch keeps for the whole process."""
    cudnn = torch.backends.cudnn
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "defaults": (torch.get_default_dtype(), torch.get_default_device()),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "anomaly": torch.is_anomaly_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "cudnn": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        "tf32": (cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32),
        "random": torch.get_rng_state().tolist(),
    }


def passed_through(error):
    """Return the files that an error came through, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [Path(frame.filename) for frame in frames]


def assert_explained(error):
    """Assert that an error is ours or scikit-learn's, and in three parts if ours."""
    assert isinstance(error, (ValueError, TypeError))
    assert not isinstance(error, (RuntimeError, AssertionError))
    files = passed_through(error)
    for library in LIBRARIES:
        assert not any(library in file.parents for file in files), files
    if PACKAGE in files[-1].parents:
        message = str(error)
        assert re.match("Got |Input X|Found array |X has |X_val has ", message)
        assert re.search("expected |expecting |is required|; pass the shape", message)
        assert re.search(r"[.;] (?!expected)\w[^;]+[.?]$", message)


def assert_refused(row):
    """Assert that a call ends in its error before any training."""
    small = {"n_filters": 2, "max_epochs": 1, "activation": "identity"}
    cae = make_small(**small | row.params)
    if row.fitted_on is not None:
        cae.fit(row.fitted_on).set_params(**row.changes)
    history = getattr(cae, "history_", None)
    before = global_state()

    with pytest.raises(row.kind, match=row.message) as info:
        getattr(cae, row.method)(*row.args, **row.kwargs)

    assert_explained(info.value)
    assert global_state() == before
    # No training has begun.
    assert getattr(cae, "history_", None) is history
    assert cae.__sklearn_is_fitted__() == (row.fitted_on is not None)


def assert_unique(rows):
    """Assert that no two calls have one name."""
    names = [row.name for row in rows]
    assert len(names) == len(set(names))


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
