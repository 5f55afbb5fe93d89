import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.params.scaling import resolve_scale
from skcae.training.batches import Batches

RNG = np.random.default_rng(0)
LAYOUTS = [
    Layout((7,)),
    Layout((4, 5)),
    Layout((4, 5, 3), -1),
    Layout((3, 4, 5), 0),
    Layout((2, 3, 4, 5), 1),
    Layout((2, 3, 4)),
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_there_and_back(layout):
    X = RNG.normal(size=(6, *layout.shape))
    first = layout.to_channels_first(X)
    assert first.shape == (6, layout.n_channels, *layout.spatial)
    np.testing.assert_array_equal(layout.from_channels_first(first), X)
    assert layout.n_features == X[0].size


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u1", "i8", "f2", "f4", "f8", ">f4", "?"])
def test_batches_are_fresh_float32(layout, dtype):
    X = (10 * RNG.random(size=(9, *layout.shape))).astype(dtype)
    samples = Samples(X, layout)
    expected = layout.to_channels_first(X.astype(np.float32)).copy()
    for index in (slice(2, 5), np.array([3, 0, 3])):
        batch = samples[index]
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, expected[index])
        batch[:] = 0
    np.testing.assert_array_equal(
        X.astype(np.float32), layout.from_channels_first(expected)
    )


def test_channels_last_stay_in_memory_order():
    # What torch calls channels_last costs no copy from an array that has it.
    samples = Samples(RNG.random((5, 4, 6, 3)), Layout((4, 6, 3), -1))
    batch = samples[slice(0, 2)]
    assert batch.strides == (4 * 72, 4, 4 * 18, 4 * 3)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_only_the_batch_is_copied(dtype, order):
    X = np.asarray(RNG.random((2000, 8, 8)), dtype=dtype, order=order)
    samples = Samples(X, Layout((8, 8)))
    tracemalloc.start()
    for index in (slice(3, 19), np.arange(16) * 100):
        samples[index]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 16 * 64 * 8


def test_subsets_of_subsets():
    X = np.arange(20.0)[:, None]
    part = Samples(X, Layout((1,))).subset(np.arange(1, 20, 2))
    for once_more in (part.subset(np.array([8, 0, 3])), part.subset(slice(2, 5))):
        assert once_more[:].ravel().tolist() in ([17, 1, 7], [5, 7, 9])
    assert part.evenly_spaced(3)[:].ravel().tolist() == [1, 9, 19]
    drawn = part.draw(6, np.random.default_rng(0))
    assert len(drawn) == 6
    assert set(drawn[:].ravel()) <= set(part[:].ravel())
    assert (np.diff(drawn[:].ravel()) > 0).all()
    assert len(part.draw(11, np.random.default_rng(0))) == 10


def test_subset_of_rows():
    X = np.arange(12.0).reshape(6, 2)
    part = Samples(X, Layout((2,))).subset(np.array([1, 4, 5]))
    assert len(part) == 3
    np.testing.assert_array_equal(part[slice(1, 3)][:, 0], X[4:])
    np.testing.assert_array_equal(part[np.array([2, 0])][:, 0], X[[5, 1]])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_moments(layout, offset, monkeypatch):
    monkeypatch.setattr("skcae.data.samples._CHUNK_BYTES", 400)
    X = RNG.normal(size=(50, *layout.shape)) * 3 + offset
    samples = Samples(X, layout)
    assert samples.chunk_size < 50
    moments = samples.moments()
    first = layout.to_channels_first(X)
    rows = np.moveaxis(first, 1, 0).reshape(layout.n_channels, -1)
    tolerance = {"rtol": 1e-6, "atol": 1e-3}
    np.testing.assert_allclose(moments["mean"], first.mean(axis=0), **tolerance)
    np.testing.assert_allclose(moments["channel_mean"], rows.mean(axis=1), **tolerance)
    np.testing.assert_allclose(moments["channel_std"], rows.std(axis=1), rtol=1e-3)
    np.testing.assert_allclose(moments["channel_min"], rows.min(axis=1), **tolerance)
    np.testing.assert_allclose(moments["channel_max"], rows.max(axis=1), **tolerance)
    assert samples.moments() is moments


@pytest.mark.parametrize(
    ("output_activation", "low", "high"),
    [("relu", 0, None), ("sigmoid", 0, 1), ("tanh", -1, 1), ("abs", 0, None)],
)
def test_scale_reaches_the_range_of_the_output(output_activation, low, high):
    X = RNG.normal(size=(30, 4, 4, 2)) * [5, 0.1] + [100, -3]
    moments = Samples(X, Layout((4, 4, 2), -1)).moments()
    mean, scale = resolve_scale(output_activation, moments)
    scaled = (X - mean) / scale
    np.testing.assert_allclose(scaled.min(axis=(0, 1, 2)), low, atol=1e-4)
    if high is not None:
        np.testing.assert_allclose(scaled.max(axis=(0, 1, 2)), high, atol=1e-4)


def test_constant_channel_is_left_alone():
    X = RNG.normal(size=(30, 4, 4, 2))
    X[..., 1] = 7
    mean, scale = resolve_scale("identity", Samples(X, Layout((4, 4, 2), -1)).moments())
    assert scale[1] == 1
    assert mean[1] == 7


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_one_bad_value_anywhere_is_found(bad, monkeypatch):
    monkeypatch.setattr("skcae.data.samples._CHUNK_BYTES", 400)
    for row in (0, 17, 49):
        X = RNG.normal(size=(50, 4, 5))
        X[row, 2, 2] = bad
        with pytest.raises(ValueError, match="NaN" if np.isnan(bad) else "infinity"):
            Samples(X, Layout((4, 5))).check_values()


def test_large_finite_values_are_fine():
    Samples(np.full((50, 40), 9e29), Layout((40,))).check_values()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, np.uint64, bool])
def test_values_out_of_the_range_of_their_channel(dtype):
    X = np.ones((5, 3, 2), dtype=dtype)
    samples = Samples(X, Layout((3, 2), channel_axis=1))
    low = np.array([-1e20, -1e20])
    samples.check_values("X", (low, np.array([1.0, 1e20])))
    with pytest.raises(ValueError, match="too large .* samples 0 to 4, such as 1; exp"):
        samples.check_values("X", (low, np.array([1e20, 0.5])))


def test_batches_visit_every_sample_once_per_pass():
    samples = Samples(np.arange(23.0)[:, None], Layout((1,)))
    batches = Batches(samples, 5, shuffle=True, seed=0)
    passes = [np.concatenate([x.numpy().ravel() for x, _ in batches]) for _ in "ab"]
    for seen in passes:
        assert sorted(seen) == list(range(23))
    assert (passes[0] != passes[1]).any()
    assert [len(x) for x, _ in batches] == [5, 5, 5, 5, 3]
    assert len(batches) == 5
    again = Batches(samples, 5, shuffle=True, seed=0)
    np.testing.assert_array_equal(
        np.concatenate([x.numpy().ravel() for x, _ in again]), passes[0]
    )


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_reading_a_memory_map_loses_nothing(mode, tmp_path):
    X = RNG.random((200, 32, 32)).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    if mode != "r":
        X[5], mapped[5] = 7, 7  # in memory alone, so far
    samples = Samples(mapped[::2], Layout((32, 32)))
    rows = RNG.permutation(100)
    for _ in range(2):
        np.testing.assert_array_equal(samples[rows][:, 0], X[::2][rows])
        np.testing.assert_array_equal(samples[slice(1, 9)][:, 0], X[::2][1:9])
    np.testing.assert_array_equal(mapped, X)
    assert (mapped[5] == X[5]).all()


def resident_file_pages():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_memory_does_not_grow_with_a_memory_map(tmp_path):
    X = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(8000, 64, 64)
    )
    X[:] = np.arange(8000)[:, None, None]
    X.flush()
    del X
    samples = Samples(np.load(tmp_path / "X.npy", mmap_mode="r"), Layout((64, 64)))
    before = resident_file_pages()
    samples.moments()
    rows = RNG.permutation(8000)
    for start in range(0, 8000, 500):
        samples[rows[start : start + 500]]
    assert resident_file_pages() < before + 40_000  # kB, of 131,000
