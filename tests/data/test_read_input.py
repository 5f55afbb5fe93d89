"""Samples of any memory layout, dtype and container are read alike."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skcae import ConvAutoencoderClassifier

from ..conftest import KINDS, assert_same_weights, make_small

MULTICHANNEL = [kind for kind, axis in KINDS.items() if axis is not None]


# However the array lies in memory


def memory_mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def read_only(X, folder):
    X = X.copy()
    X.setflags(write=False)
    return X


def behind_others(X, folder):
    wide = np.full((2 * len(X), *X.shape[1:-1], X.shape[-1] + 3), np.nan, X.dtype)
    wide[::2, ..., 2:-1] = X
    return wide[::2, ..., 2:-1]


MEMORY = {
    "read-only": read_only,
    "Fortran": lambda X, folder: np.asfortranarray(X),
    "negative strides": lambda X, folder: np.flip(np.flip(X).copy()),
    "non-contiguous": behind_others,
    "memory-mapped": memory_mapped,
    "list": lambda X, folder: X.tolist(),
    "list of arrays": lambda X, folder: list(X),
    "swapped bytes": lambda X, folder: X.astype(X.dtype.newbyteorder()),
    "tensor": lambda X, folder: torch.from_numpy(X.copy()),
    "tensor with gradient": lambda X, folder: torch.from_numpy(
        X.copy()
    ).requires_grad_(),
    "strided tensor": lambda X, folder: torch.from_numpy(
        np.ascontiguousarray(X.T)
    ).permute(*range(X.ndim)[::-1]),
}


@pytest.mark.parametrize("memory", MEMORY)
def test_memory_layout_does_not_matter(case, memory, tmp_path):
    X, fitted = case
    stored = MEMORY[memory](np.ascontiguousarray(X), tmp_path)
    again = clone(fitted).fit(stored)
    assert_same_weights(fitted, again)
    assert_array_equal(again.transform(stored), fitted.transform(X))
    assert again.score(stored) == fitted.score(X)


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.uint8, np.int8, np.int64, np.longdouble]
)
@pytest.mark.parametrize("kind", ["images", "images of 3 channels", "volumes"])
def test_dtype_does_not_matter(data_of, kind, dtype):
    X = data_of[kind]  # integers from 0 to 16: every dtype holds them exactly
    cae = make_small(channel_axis=KINDS[kind]).fit(X)
    again = clone(cae).fit(X.astype(dtype))
    assert_same_weights(cae, again)
    features = again.transform(X.astype(dtype))
    assert features.dtype == np.float32
    assert_array_equal(features, cae.transform(X))
    assert again.score(X.astype(dtype)) == cae.score(X)


def test_booleans_are_zeros_and_ones(small_digits):
    X = small_digits > 8
    cae, again = make_small().fit(X), make_small().fit(X.astype(float))
    assert_array_equal(cae.transform(X), again.transform(X.astype(float)))
    assert cae.score(X) == again.score(X)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.uint8])
def test_tensors_of_small_dtypes(small_digits, dtype):
    X = torch.from_numpy(small_digits.copy()).to(dtype)
    cae = make_small().fit(X)
    assert_array_equal(cae.transform(X), make_small().fit_transform(small_digits))
    assert_array_equal(
        cae.inverse_transform(torch.from_numpy(cae.transform(X)).to(torch.float64)),
        cae.inverse_transform(cae.transform(X)),
    )


# Flat rows


def as_pandas(rows):
    return pd.DataFrame(rows, columns=[f"pixel{i}" for i in range(rows.shape[1])])


def as_polars(rows):
    return pl.DataFrame(rows, schema=[f"pixel{i}" for i in range(rows.shape[1])])


@pytest.mark.parametrize("kind", KINDS)
def test_flat_rows_are_the_same_samples(data_of, kind):
    X = data_of[kind]
    rows = X.reshape(len(X), -1)
    cae = make_small(channel_axis=KINDS[kind]).fit(X)
    flat = clone(cae).set_params(input_shape=X.shape[1:]).fit(rows)
    assert_same_weights(cae, flat)
    assert flat.input_shape_ == cae.input_shape_
    assert flat.n_features_in_ == cae.n_features_in_
    features = cae.transform(X)
    assert_array_equal(flat.transform(rows), features)
    assert flat.score(rows) == cae.score(X)
    assert_array_equal(flat.score_samples(rows), cae.score_samples(X))
    assert_array_equal(
        flat.inverse_transform(features),
        cae.inverse_transform(features).reshape(rows.shape),
    )


def test_the_other_layout_of_fitted_samples_is_understood(small_digits):
    rows = small_digits.reshape(len(small_digits), -1)
    cae = make_small().fit(small_digits)
    assert_array_equal(cae.transform(rows), cae.transform(small_digits))
    flat = make_small(input_shape=(8, 8)).fit(rows)
    assert_array_equal(flat.transform(small_digits), flat.transform(rows))


@pytest.mark.parametrize("to_frame", [as_pandas, as_polars])
def test_frames_hold_flat_rows(small_digits, to_frame):
    rows = small_digits.reshape(len(small_digits), -1)
    frame = to_frame(rows)
    cae = make_small(input_shape=(8, 8)).fit(frame)
    array = make_small(input_shape=(8, 8)).fit(rows)
    assert cae.feature_names_in_.tolist() == [f"pixel{i}" for i in range(64)]
    assert not hasattr(array, "feature_names_in_")
    assert_array_equal(cae.transform(frame), array.transform(rows))
    assert cae.score(frame) == array.score(rows)
    with pytest.raises(ValueError, match="feature names should match"):
        cae.transform(frame[frame.columns[::-1]])


@pytest.mark.parametrize("dtype", ["uint8", "float32", "Int64", "boolean"])
def test_frames_of_any_numeric_dtype(small_digits, dtype):
    rows = small_digits.reshape(len(small_digits), -1)
    rows = rows > 8 if dtype == "boolean" else rows
    frame = as_pandas(rows).astype(dtype)
    assert_array_equal(
        make_small(input_shape=(8, 8)).fit_transform(frame),
        make_small(input_shape=(8, 8)).fit_transform(rows),
    )


# Where the channels are


@pytest.mark.parametrize("kind", MULTICHANNEL)
def test_channels_first_and_last_are_the_same_samples(data_of, kind):
    X = data_of[kind]
    first = np.moveaxis(X, -1, 1)
    for params in ({}, {"n_components": 4}, {"pooling": "avg"}):
        behind = make_small(channel_axis=-1, **params).fit(X)
        ahead = make_small(channel_axis=0, **params).fit(first)
        assert_allclose(ahead.transform(first), behind.transform(X), atol=1e-5)
        assert_allclose(ahead.score(first), behind.score(X), atol=1e-6)
        assert_allclose(np.moveaxis(ahead.mean_, 0, -1), behind.mean_, atol=1e-6)
        assert_array_equal(ahead.filters_.shape, behind.filters_.shape)


def test_negative_and_positive_channel_axes_agree(data_of):
    X = data_of["images of 3 channels"]
    behind = make_small(channel_axis=-1).fit_transform(X)
    assert_array_equal(make_small(channel_axis=2).fit_transform(X), behind)
    first = np.moveaxis(X, -1, 1)
    ahead = make_small(channel_axis=0).fit_transform(first)
    assert_array_equal(make_small(channel_axis=-3).fit_transform(first), ahead)


def test_one_channel_is_like_none(small_digits):
    features = make_small().fit_transform(small_digits)
    last = make_small(channel_axis=-1).fit_transform(small_digits[..., None])
    first = make_small(channel_axis=0).fit_transform(small_digits[:, None])
    assert_allclose(last, features, atol=1e-5)
    assert_allclose(first, features, atol=1e-5)


def test_each_channel_has_its_own_scale(data_of):
    X = data_of["images of 3 channels"]
    units = X * [1, 1000, 1e-3] + [0, 50, 7]
    cae = make_small(channel_axis=-1)
    assert_allclose(cae.fit_transform(units), cae.fit_transform(X), atol=1e-2)


def test_offset_that_float32_cannot_hold(small_digits):
    with pytest.warns(UserWarning, match="Subtract a constant from X first"):
        make_small().fit(small_digits * 0.1 + 1e7)


def test_last_axis_that_looks_like_channels(small_digits):
    images = np.repeat(small_digits[..., None], 3, axis=-1)
    with pytest.warns(UserWarning, match="channel_axis=-1") as record:
        make_small(max_epochs=0).fit(images)
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_small(max_epochs=0, channel_axis=-1).fit(images)


class Samples(torch.utils.data.Dataset):
    """Rows with a length, which never raise IndexError."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, number):
        return self.rows[number % len(self)]


def test_features_may_be_a_dataset_of_rows(fitted, small_digits):
    features = fitted.transform(small_digits)
    np.testing.assert_array_equal(
        fitted.inverse_transform(Samples(features)), fitted.inverse_transform(features)
    )


def test_labels_and_weights_may_be_datasets(small_digits, digit_labels):
    y = digit_labels[: len(small_digits)]
    weights = np.linspace(1.0, 2.0, len(y))
    classifier = ConvAutoencoderClassifier(make_small(), max_epochs=1, random_state=0)
    expected = classifier.fit(small_digits, y, weights).predict_proba(small_digits)
    classifier.fit(small_digits, Samples(y), Samples(weights))
    np.testing.assert_array_equal(classifier.predict_proba(small_digits), expected)


def test_integers_of_more_than_64_bits(small_digits):
    X = (small_digits[:10].astype(int).astype(object) * 2**70).tolist()
    expected = make_small().fit_transform(small_digits[:10])
    np.testing.assert_allclose(make_small().fit_transform(X), expected, atol=1e-5)
