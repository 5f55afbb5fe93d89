"""Results do not depend on how samples lie in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector

from ..conftest import make_small

DTYPES = ["f4", "f4", "f4", "f2", "f8", ">f4", ">f8", "g", "?", "u1", "i2", ">i4", "u8"]
# Batches hold 256 of these samples: some of these numbers leave one over.
N_SAMPLES = st.sampled_from([1, 2, 5, 256, 257])


@st.composite
def views(draw, n_samples=N_SAMPLES):
    """Draw images, in any dtype and any order of memory."""
    n = draw(n_samples)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    X = rng.integers(0, 17, size=(n, 8, 8)).astype(draw(st.sampled_from(DTYPES)))
    axes = draw(st.permutations(range(3)))
    X = np.ascontiguousarray(X.transpose(axes)).transpose(np.argsort(axes))
    for axis in draw(st.sets(st.integers(0, 2))):  # every other value
        X = np.repeat(X, 2, axis=axis)[(slice(None),) * axis + (slice(None, None, 2),)]
    for axis in draw(st.sets(st.integers(0, 2))):  # backwards in memory
        X = np.flip(np.flip(X, axis).copy(), axis)
    if draw(st.booleans()):  # a field of records, not aligned
        records = np.zeros(n, dtype=[("number", "u1"), ("image", X.dtype, (8, 8))])
        records["image"] = X
        X = records["image"]
    for axis in draw(st.just(()) | st.sets(st.integers(0, 2))):  # one stands for all
        one = X[(slice(None),) * axis + (slice(0, 1),)]
        X = np.broadcast_to(one, X.shape)
    X = X[::-1] if draw(st.booleans()) else X
    if draw(st.booleans()):
        X.flags.writeable = False
    return X


@pytest.fixture(scope="module")
def estimators(digits, digit_labels):
    X, y = digits[:300], digit_labels[:300]
    autoencoder = make_small(n_filters=2).fit(X)
    return {
        "transform": autoencoder,
        "score_samples": autoencoder,
        "score": autoencoder,
        "predict_proba": ConvAutoencoderClassifier(autoencoder, max_epochs=1).fit(X, y),
        "decision_function": ConvAutoencoderOutlierDetector(autoencoder).fit(X),
        "error_map": ConvAutoencoderOutlierDetector(autoencoder).fit(X),
    }


@given(X=views(), method=st.sampled_from(["transform", "score_samples", "score"]))
def test_of_a_transformer(X, method, estimators):
    call = getattr(estimators[method], method)
    contiguous = np.array(X, dtype=np.float64, order="C")
    np.testing.assert_array_equal(call(X), call(contiguous))


@given(
    X=views(),
    method=st.sampled_from(["predict_proba", "decision_function", "error_map"]),
)
def test_of_estimators_with_an_autoencoder(X, method, estimators):
    call = getattr(estimators[method], method)
    contiguous = np.array(X, dtype=np.float64, order="C")
    np.testing.assert_array_equal(call(X), call(contiguous))


@given(X=views(st.sampled_from([9, 33])))
def test_of_a_fit(X):
    if X.min() == X.max():
        return
    cae = make_small(n_filters=2, batch_size=8)
    features = cae.fit_transform(X)
    contiguous = np.array(X, dtype=np.float64, order="C")
    np.testing.assert_array_equal(features, cae.fit_transform(contiguous))


@given(X=views(), backwards=st.booleans(), in_columns=st.booleans())
def test_of_features(X, backwards, in_columns, estimators):
    cae = estimators["transform"]
    features = cae.transform(X)
    out = np.empty_like(features, order="F" if in_columns else "C")
    out = out[::-1] if backwards else out
    assert cae.transform(X, out=out) is out
    np.testing.assert_array_equal(out, features)
    np.testing.assert_array_equal(
        cae.inverse_transform(out), cae.inverse_transform(features)
    )
