"""What scikit-learn checks on 2-D data, for signals, images and volumes of N axes."""

import hashlib
import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skcae import ConvAutoencoderTransformer

from ..conftest import make_small

KINDS = {
    "signals": None,
    "signals of 4 channels": -1,
    "images": None,
    "images of 3 channels": -1,
    "volumes": None,
    "volumes of 2 channels": -1,
}
MULTICHANNEL = [kind for kind, axis in KINDS.items() if axis is not None]
# What decides how a result is summed up: threads, batches and kernels.
ARCHITECTURES = [
    {},
    {"n_components": 5},
    {"pooling": "avg", "n_components": 3},
    {"pooling": "max"},
    {"n_filters": (4, 6), "tied_weights": True, "activation": "abs"},
    {"stride": 2, "pool_size": 1, "corruption": "gaussian"},
]


@pytest.fixture(scope="module")
def data_of(digits, signals, volumes):
    """Return samples of a kind by its name, channels last."""
    return {
        "signals": signals,
        "signals of 4 channels": signals.reshape(60, 10, 4),
        "images": digits[:70],
        "images of 3 channels": digits[:210].reshape(70, 3, 8, 8).transpose(0, 2, 3, 1),
        "volumes": volumes,
        "volumes of 2 channels": volumes.reshape(40, 2, 3, 8, 8).transpose(
            0, 2, 3, 4, 1
        ),
    }


@pytest.fixture(scope="module", params=KINDS)
def case(request, data_of):
    """Samples of each kind, and a transformer fitted on them that nobody refits."""
    X = data_of[request.param]
    return X, make_small(channel_axis=KINDS[request.param]).fit(X)


def checksum(X):
    return hashlib.sha256(np.ascontiguousarray(X).tobytes()).hexdigest()


def same_net(first, second):
    return all(
        torch.equal(here, there)
        for here, there in zip(
            first.module_.state_dict().values(),
            second.module_.state_dict().values(),
            strict=True,
        )
    )


# What scikit-learn asks of every estimator


def test_fitting_twice_gives_the_same_estimator(case):
    X, fitted = case
    again = clone(fitted).fit(X)
    assert same_net(fitted, again)
    before = again.transform(X)
    again.fit(X)
    assert_array_equal(again.transform(X), before)
    assert again.n_iter_ == len(again.history_) == 2


def test_transform_equals_fit_transform(case):
    X, fitted = case
    assert_array_equal(clone(fitted).fit_transform(X), fitted.transform(X))


def test_features_are_finite_float32_of_the_announced_width(case):
    X, fitted = case
    features = fitted.transform(X)
    assert features.dtype == np.float32
    assert features.shape == (len(X), len(fitted.get_feature_names_out()))
    assert np.isfinite(features).all()
    assert np.ptp(features, axis=0).max() > 0.1
    assert fitted.inverse_transform(features).dtype == np.float32


def test_shape_attributes(case):
    X, fitted = case
    assert fitted.n_features_in_ == np.prod(X.shape[1:])
    assert fitted.input_shape_ == X.shape[1:]
    assert fitted.mean_.shape == X.shape[1:]
    assert_allclose(fitted.mean_, X.mean(axis=0), atol=1e-5)
    n_channels = 1 if fitted.channel_axis is None else X.shape[-1]
    n_axes = X.ndim - 1 - (fitted.channel_axis is not None)
    assert fitted.filters_.shape == (4, n_channels) + (3,) * n_axes
    assert not hasattr(fitted, "feature_names_in_")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_does_not_depend_on_the_others(data_of, kind, architecture):
    X = data_of[kind][:34]
    cae = make_small(channel_axis=KINDS[kind], max_epochs=1, **architecture).fit(X)
    order = np.random.default_rng(0).permutation(len(X))
    for method in (cae.transform, cae.score_samples):
        together = method(X)
        assert_array_equal(method(X[order]), together[order])
        one_by_one = np.concatenate([method(X[i : i + 1]) for i in range(len(X))])
        assert_array_equal(one_by_one, together)
        for size in (2, 7):
            parts = [method(X[i : i + size]) for i in range(0, len(X), size)]
            assert_array_equal(np.concatenate(parts), together)
        assert_array_equal(method(np.concatenate([X] * 9))[: len(X)], together)


def test_a_reconstruction_does_not_depend_on_the_others(case):
    X, fitted = case
    features = fitted.transform(X)
    together = fitted.inverse_transform(features)
    assert_array_equal(fitted.inverse_transform(features[::-1]), together[::-1])
    one_by_one = [fitted.inverse_transform(row[None])[0] for row in features]
    assert_array_equal(np.array(one_by_one), together)


def test_batch_size_of_the_training_does_not_matter_to_transform(case):
    X, fitted = case
    before = fitted.transform(X)
    copy = pickle.loads(pickle.dumps(fitted)).set_params(batch_size=3)
    assert_array_equal(copy.transform(X), before)


@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
@pytest.mark.parametrize("kind", KINDS)
def test_fit_changes_neither_data_nor_parameters(data_of, kind, method):
    X = np.array(data_of[kind], dtype=np.float32)
    params = {
        "n_filters": [3, 2],
        "net_params": {"optimizer__betas": (0.8, 0.9)},
        "callbacks": [],
        "corruption": "mask",
        "output_activation": "sigmoid",
        "channel_axis": KINDS[kind],
    }
    cae = make_small(**params)
    before, given = checksum(X), deepcopy(cae.get_params())
    getattr(cae, method)(X)
    cae.score(X)
    cae.score_samples(X)
    features = cae.transform(X)
    kept = checksum(features)
    cae.inverse_transform(features)
    assert checksum(X) == before
    assert checksum(features) == kept
    assert cae.get_params() == given
    assert cae.n_filters is params["n_filters"]


def test_pickled_estimator_gives_the_same_results(case):
    X, fitted = case
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.transform(X), fitted.transform(X))
    assert copy.score(X) == fitted.score(X)
    assert copy.input_shape_ == fitted.input_shape_
    features = fitted.transform(X)
    assert_array_equal(
        copy.inverse_transform(features), fitted.inverse_transform(features)
    )


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
    assert same_net(fitted, again)
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
    assert same_net(cae, again)
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
    assert same_net(cae, flat)
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


# There and back


def make_samples(digits, shape):
    return np.resize(digits[:60], (10, *shape)) + np.arange(10).reshape(
        -1, *[1] * len(shape)
    )


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_reconstructions_have_the_shape_of_odd_samples(digits, n_axes, size):
    spatial = (size, 10 - size, size)[:n_axes]
    for channel_axis, shape in (
        (None, spatial),
        (-1, (*spatial, 2)),
        (0, (3, *spatial)),
    ):
        X = make_samples(digits, shape)
        for params in (
            {"n_filters": (3, 2), "stride": (2, 1), "pool_size": (1, 3)},
            {"padding": "full", "kernel_size": 4, "n_components": 2},
            {"tied_weights": True},
        ):
            cae = make_small(
                channel_axis=channel_axis, max_epochs=0, activation="abs", **params
            )
            cae.fit(X)
            back = cae.inverse_transform(cae.transform(X))
            assert back.shape == X.shape
            assert np.isfinite(back).all()
        cae.set_params(input_shape=shape)
        rows = X.reshape(len(X), -1)
        features = cae.fit_transform(rows)
        assert cae.inverse_transform(features).shape == rows.shape


@pytest.mark.parametrize("kind", KINDS)
def test_reconstructions_lie_where_the_samples_lie(data_of, kind):
    X = data_of[kind]
    cae = ConvAutoencoderTransformer(
        channel_axis=KINDS[kind],
        n_filters=12,
        kernel_size=3,
        pool_size=1,
        max_epochs=15,
        batch_size=16,
        random_state=0,
    ).fit(X)
    back = cae.inverse_transform(cae.transform(X))
    assert np.corrcoef(back.ravel(), X.ravel())[0, 1] > 0.9
    explained = 1 - np.square(back - X).sum() / np.square(X - X.mean(axis=0)).sum()
    assert explained == pytest.approx(cae.score(X), abs=1e-5)
    errors = np.square(back - X).reshape(len(X), -1).mean(axis=1)
    assert_allclose(cae.score_samples(X), -errors, rtol=1e-4)


# Units


@pytest.mark.parametrize("output_activation", ["identity", "relu", "sigmoid", "tanh"])
def test_units_do_not_matter(digits, output_activation):
    X = digits[:200] / 16
    cae = make_small(output_activation=output_activation, n_filters=8, max_epochs=5)
    score, filters = cae.fit(X).score(X), cae.filters_
    # 0 to 255, millivolts on an offset, far from zero, and near the ends of float32.
    for scale, offset in ((255, 0), (1e-3, 5), (1e6, -1e6), (1e-25, 0), (1e25, 0)):
        units = scale * X + offset
        cae.fit(units)
        assert cae.score(units) == pytest.approx(score, abs=1e-3)
        assert_allclose(cae.filters_, filters, atol=1e-2)
        back = cae.inverse_transform(cae.transform(units))
        assert np.abs(back.astype(float) - units).mean() < 0.4 * scale
