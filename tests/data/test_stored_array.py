"""Arrays on disk: the same results as with the same array in memory."""

import subprocess
import sys
import warnings
from pathlib import Path

import dask.array
import h5py
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ReconstructionDisplay,
)
from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.data.stored_array import StoredArray, is_stored_array
from skcae.training.batches import Batches

from ..conftest import make_small

RNG = np.random.default_rng(0)


class Sliceable:
    """The least that an array on disk may be: a shape, a dtype and slices."""

    def __init__(self, X):
        self.X, self.shape, self.dtype = X, X.shape, X.dtype
        self.n_read = 0

    def __getitem__(self, part):
        assert isinstance(part, slice)
        rows = self.X[part].copy()
        self.n_read += len(rows)
        return rows


def in_zarr(X, folder, rows=7):
    array = zarr.create_array(
        folder / f"{len(list(folder.iterdir()))}.zarr",
        shape=X.shape,
        chunks=(rows, *X.shape[1:]),
        dtype=X.dtype,
    )
    array[:] = X
    return array


def in_shards(X, folder):
    array = zarr.create_array(
        folder / f"{len(list(folder.iterdir()))}.zarr",
        shape=X.shape,
        chunks=(5, *X.shape[1:]),
        shards=(20, *X.shape[1:]),
        dtype=X.dtype,
    )
    array[:] = X
    return array


def in_hdf5(X, folder, **storage):
    file = h5py.File(folder / f"{len(list(folder.iterdir()))}.h5", "w")
    return file.create_dataset("X", data=X, **storage)


STORES = {
    "zarr": in_zarr,
    "zarr, shards": in_shards,
    "h5py, contiguous": in_hdf5,
    "h5py, gzip": lambda X, folder: in_hdf5(X, folder, compression="gzip"),
    "h5py, rows": lambda X, folder: in_hdf5(X, folder, chunks=(1, *X.shape[1:])),
    "sliceable": lambda X, folder: Sliceable(X),
}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return lambda X: STORES[request.param](X, tmp_path)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a chunk each, and a buffer for few of them."""

    def set_sizes(buffer):
        monkeypatch.setattr("skcae.data.stored_array._MIN_BLOCK_BYTES", 1)
        monkeypatch.setattr("skcae.data.stored_array._BUFFER_BYTES", buffer)

    return set_sizes


def same_results(one, other, X, stored):
    assert_array_equal(other.filters_, one.filters_)
    assert_array_equal(other.transform(stored), one.transform(X))
    assert_array_equal(other.score_samples(stored), one.score_samples(X))
    assert other.score(stored) == one.score(X)


# The estimators


def test_a_fit_is_the_same_as_in_memory(store, small_digits):
    # The buffer holds all of them, so that the order is the same.
    cae = make_small(early_stopping=True, init="kmeans", whiten=0.1)
    other = clone(cae).fit(store(small_digits))
    same_results(cae.fit(small_digits), other, small_digits, store(small_digits))
    assert other.history_[-1]["valid_loss"] == cae.history_[-1]["valid_loss"]
    assert other.n_features_in_ == 64
    assert other.input_shape_ == (8, 8)


def test_partial_fit_and_validation_samples(store, small_digits):
    X, X_val = small_digits[:80], small_digits[80:]
    cae, other = make_small(), make_small()
    same_results(cae.fit(X, X_val=X_val), other.fit(store(X), X_val=store(X_val)), X, X)
    for _ in range(2):
        cae.partial_fit(X_val)
        other.partial_fit(store(X_val))
    same_results(cae, other, X, store(X))
    assert_array_equal(other.mean_, cae.mean_)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", ">f4", "i2", "?"])
def test_flat_rows_of_any_number(store, small_digits, dtype):
    rows = (small_digits.reshape(len(small_digits), -1) / 3).astype(dtype)
    cae = make_small(input_shape=(8, 8)).fit(rows)
    other = clone(cae).fit(store(rows))
    same_results(cae, other, rows, store(rows))
    assert other.inverse_transform(other.transform(store(rows))).shape == rows.shape


def test_channels_and_signals(store, photographs, signals):
    for X, axis in ((photographs, -1), (signals, None)):
        cae = make_small(channel_axis=axis).fit(X)
        same_results(cae, clone(cae).fit(store(X)), X, store(X))


def test_what_is_built_on_the_transformer(store, small_digits, digit_labels):
    y = digit_labels[: len(small_digits)]
    for model in (
        ConvAutoencoderClassifier(make_small(), max_epochs=2, random_state=0),
        ConvAutoencoderOutlierDetector(make_small()),
    ):
        expected = clone(model).fit(small_digits, y).predict(small_digits)
        stored = store(small_digits)
        assert_array_equal(model.fit(stored, y).predict(stored), expected)
    errors = model.error_map(small_digits)
    assert_array_equal(model.error_map(store(small_digits)), errors)
    display = ReconstructionDisplay.from_estimator(model.autoencoder_, stored)
    assert_array_equal(display.inputs[0], small_digits[0])


def test_checkpoints_know_the_data(store, small_digits, tmp_path):
    cae = make_small(checkpoint=tmp_path / "checkpoint").fit(store(small_digits))
    again = clone(cae).fit(store(small_digits))
    assert again.history_ == cae.history_
    with pytest.raises(ValueError, match="expected one with X=an array"):
        clone(cae).fit(store(small_digits[::-1]))


def test_fitted_estimators_hold_no_file(tmp_path, small_digits):
    stored = in_hdf5(small_digits, tmp_path)
    cae = make_small().fit(stored)
    expected = cae.transform(stored)
    stored.file.close()
    assert_array_equal(cae.transform(small_digits), expected)
    with pytest.raises(ValueError, match="that cannot be read .* an open file"):
        cae.transform(stored)


# The order


def batches_of(samples, size=10):
    return [
        x.numpy()[:, 0, 0].astype(int)
        for x, _ in Batches(samples, size, shuffle=True, seed=0)
    ]


@pytest.mark.parametrize("subset", [False, True])
def test_a_pass_reads_each_block_about_once(small_blocks, subset):
    array = Sliceable(np.repeat(np.arange(1000.0)[:, None], 4, axis=1))
    array.chunks = (20, 4)
    small_blocks(buffer=10 * 20 * 32)  # ten blocks of fifty
    stored = StoredArray(array)
    rows = np.sort(RNG.permutation(1000)[:800]) if subset else np.arange(1000)
    batches = batches_of(Samples(stored, Layout((4,)), rows))
    assert sorted(np.concatenate(batches)) == rows.tolist()
    assert array.n_read <= 1.2 * 1000
    # Not as they are stored, nor block by block.
    n_blocks = [len(np.unique(batch // 20)) for batch in batches]
    assert np.mean(n_blocks) > 5


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_a_few_samples_of_many_blocks_take_few_reads(small_blocks, rng):
    array = Sliceable(np.arange(4000.0)[:, None])
    array.chunks = (10, 1)
    small_blocks(buffer=20 * 10 * 8)
    samples = Samples(StoredArray(array), Layout((1,))).subset(np.arange(0, 4000, 2))
    few = samples.evenly_spaced(40) if rng is None else samples.draw(40, rng)
    found = few[:].ravel()
    assert array.n_read <= 32 * 10
    assert len(np.unique(found)) == 40
    assert (found % 2 == 0).all()
    # They come from all over the array.
    assert np.histogram(found, bins=4, range=(0, 4000))[0].min() > 3
    # Where nearly all are wanted, they come from nearly all blocks.
    assert len(samples.draw(1500, np.random.default_rng(0))) == 1500


def test_orders_differ_from_pass_to_pass_and_follow_the_seed(small_blocks):
    array = Sliceable(np.arange(1000.0)[:, None])
    array.chunks = (20, 1)
    small_blocks(buffer=10 * 20 * 8)
    samples = Samples(StoredArray(array), Layout((1,)))
    rng = np.random.default_rng(3)
    first, second = samples.shuffled(rng), samples.shuffled(rng)
    assert (first != second).mean() > 0.9
    assert_array_equal(samples.shuffled(np.random.default_rng(3)), first)


def test_blocks_of_one_row_are_shuffled_freely(small_blocks):
    small_blocks(buffer=80)
    stored = StoredArray(Sliceable(np.arange(1000.0)[:, None]))
    expected = np.random.default_rng(3).permutation(1000)
    order = stored.shuffled(np.arange(1000), np.random.default_rng(3))
    assert_array_equal(order, expected)


@pytest.mark.parametrize("buffer", [1, 2000, 4000, 10**6])
@pytest.mark.parametrize("kind", STORES)
def test_any_rows_with_any_buffer(kind, buffer, small_blocks, tmp_path):
    small_blocks(buffer)
    X = RNG.random((103, 6, 6)).astype(np.float32)
    stored = StoredArray(STORES[kind](X, tmp_path))
    for _ in range(6):
        rows = RNG.integers(0, 103, size=RNG.integers(1, 150))
        read = stored[rows]
        assert_array_equal(read, X[rows])
        read[:] = 0  # it is nobody else's
        start, stop = np.sort(RNG.integers(0, 104, size=2))
        assert_array_equal(stored[start:stop], X[start:stop])


def test_training_in_groups_is_as_good(small_blocks, digits, digit_labels, tmp_path):
    # Sorted by class, and no more than an eighth of all in the buffer.
    X = digits[np.argsort(digit_labels, kind="stable")]
    small_blocks(buffer=X.nbytes // 8)
    stored = in_zarr(X, tmp_path, rows=30)
    cae = make_small(n_filters=8, max_epochs=5)
    in_groups = clone(cae).fit(stored)
    assert_array_equal(in_groups.transform(stored), in_groups.transform(X))
    assert abs(in_groups.score(X) - cae.fit(X).score(X)) < 0.03


def test_large_chunks_are_read_in_parts_and_warned_of(small_blocks, tmp_path):
    X = RNG.random((100, 64)).astype(np.float32)
    small_blocks(buffer=4 * 10 * 256)
    stored = in_zarr(X, tmp_path, rows=50)
    with pytest.warns(UserWarning, match="chunks of 50 samples .* at most 10 samples"):
        cae = make_small(input_shape=(8, 8)).fit(stored)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(cae.transform(stored), cae.transform(X))


# What is refused


def test_bad_values_are_found_wherever_they_are(store):
    X = RNG.random((500, 40))
    X[444, 7] = np.nan
    with pytest.raises(ValueError, match="contains NaN .* samples .*; expected finite"):
        make_small().fit(store(X))


@pytest.mark.parametrize("dtype", ["c8", "S3", "M8[s]"])
def test_other_types(dtype, digits):
    X = Sliceable(digits[:9].astype("i8").astype(dtype))
    kind = ValueError if dtype == "c8" else TypeError
    with pytest.raises(kind, match=r"Got X of dtype .*; expected real numbers"):
        make_small().fit(X)


def test_other_shapes(store, fitted, small_digits):
    with pytest.raises(ValueError, match=r"shape \(7, 8\), but .* shape \(8, 8\)"):
        fitted.transform(store(small_digits[:, :7]))
    with pytest.raises(ValueError, match=r"\(64 values\) but X has 63 features"):
        make_small(input_shape=(8, 8)).fit(store(small_digits.reshape(-1, 64)[:, :63]))
    with pytest.raises(ValueError, match="expected at least 2"):
        make_small().fit(store(small_digits[:1]))


def test_masked_values():
    X = np.ma.masked_less(RNG.random((20, 30)), 0.01)
    masked = Sliceable(np.ma.asarray(X))
    with pytest.raises(ValueError, match="masked values among samples 0 to 19; exp"):
        make_small().fit(masked)


def test_slices_that_are_not_what_the_array_says(small_digits):
    array = Sliceable(small_digits)
    array.dtype = np.dtype("f4")
    with pytest.raises(TypeError, match="dtype float64 .*; expected .* float32"):
        make_small().fit(array)


def test_what_numpy_has_arrays_for_is_read_by_numpy(small_digits):
    blocks = dask.array.from_array(small_digits, chunks=(50, 8, 8))
    assert not is_stored_array(blocks)
    cae = make_small().fit(blocks)
    same_results(make_small().fit(small_digits), cae, small_digits, blocks)


# Searches


def test_searches_index_some_of_them(small_digits, tmp_path):
    # As the guide says: sorted folds of HDF5 come into memory, zarr has to be sliced.
    search = GridSearchCV(make_small(), {"lr": [0.01]}, cv=2, refit=False)
    expected = search.fit(small_digits).cv_results_["mean_test_score"]
    found = search.fit(in_hdf5(small_digits, tmp_path)).cv_results_
    assert_array_equal(found["mean_test_score"], expected)
    with pytest.raises(ValueError, match="truth value|fits failed"):
        search.fit(in_zarr(small_digits, tmp_path))


# Memory

GROWTH = """
import sys
from pathlib import Path
import h5py, numpy as np, zarr
from skcae import ConvAutoencoderTransformer
from skcae.data import stored_array

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(l.split()[1] for l in lines if l.startswith("VmHWM")))

def write(path, n):
    block = np.random.default_rng(0).normal(size=(500, 64, 64)).astype("f4")
    options = {"shape": (n, 64, 64), "chunks": (100, 64, 64), "dtype": "f4"}
    if sys.argv[2] == "zarr":
        X = zarr.create_array(path / "X.zarr", **options)
    else:
        X = h5py.File(path / "X.h5", "w").create_dataset("X", **options)
    for start in range(0, n, 500):
        X[start : start + 500] = block
    return X

stored_array._BUFFER_BYTES = 2**23
X = write(Path(sys.argv[1]), 6000)  # 98 MB
cae = ConvAutoencoderTransformer(recipe="tutorial", n_filters=2, kernel_size=8,
                                 stride=8, pool_size=1, max_epochs=1, random_state=0,
                                 max_samples=2000)
cae.fit(X[:500])
cae.score(X[:500])
before = peak()
cae.fit(X).score(X)
print((peak() - before) / 1e3)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.parametrize("kind", ["zarr", "h5"])
def test_memory_does_not_grow_with_the_array(kind, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, tmp_path, kind],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 45  # MB, with a buffer of 8 for 98
