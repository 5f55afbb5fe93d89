"""Searches and features on a Dask cluster whose workers are processes of their own."""

import itertools
import os
import pickle
import signal
import threading
import time

import dask
import dask.array
import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster, WorkerPlugin
from numpy.testing import assert_array_equal
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import Callback

from skcae import ProgressLines

from ..conftest import make_small

KERNELS = "convautoencodertransformer__kernel_size"
ALPHAS = "ridgeclassifier__alpha"


class Meter(WorkerPlugin):
    """Count the bytes that come and go through the sockets of a worker."""

    name = "meter"

    def setup(self, worker):
        from distributed.comm import tcp

        read, write = tcp.read_bytes_rw, tcp.TCP.write
        worker.n_bytes = {"in": 0, "out": 0}

        async def counting_read(stream, size):
            worker.n_bytes["in"] += size
            return await read(stream, size)

        async def counting_write(comm, *args, **kwargs):
            size = await write(comm, *args, **kwargs)
            worker.n_bytes["out"] += size
            return size

        tcp.read_bytes_rw, tcp.TCP.write = counting_read, counting_write


def start_cluster():
    return LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    )


@pytest.fixture(scope="module")
def client():
    """Two workers with a `Meter` each."""
    with start_cluster() as cluster, Client(cluster) as client:
        client.register_plugin(Meter())
        yield client


@pytest.fixture(scope="module")
def large(digits):
    """Digits sixteen times as large, (600, 32, 32) float64: 5 MB."""
    return np.tile(digits[:600], (1, 4, 4))


@pytest.fixture(scope="module")
def labels(digit_labels):
    """Labels of `large`."""
    return digit_labels[:600]


@pytest.fixture(scope="module")
def quick():
    """A pipeline that fits `large` in a moment."""
    return make_classifier(max_epochs=1, max_samples=50, stride=3)


def make_classifier(**params):
    return make_pipeline(make_small(**params), StandardScaler(), RidgeClassifier())


def n_bytes(client, way):
    """Return the bytes that each worker has read ("in") or written ("out") so far."""
    counts = client.run(lambda dask_worker: dask_worker.n_bytes)
    return np.array([count[way] for count in counts.values()])


def assert_same_results(first, second):
    assert first.keys() == second.keys()
    for key in first:
        if not key.endswith("_time"):
            assert_array_equal(first[key], second[key], err_msg=key)


# Searches


def test_search_gives_the_same_results(client, digits, digit_labels):
    X, y = digits[:600], digit_labels[:600]
    grid = {KERNELS: [3, 5], ALPHAS: [0.1, 100.0]}
    search = GridSearchCV(make_classifier(), grid, cv=2, return_train_score=True)
    here = search.fit(X, y).cv_results_
    predicted = search.predict(digits)
    before = n_bytes(client, "in")
    with joblib.parallel_config(backend="dask"):
        search.fit(X, y)
    assert np.all(n_bytes(client, "in") - before > X.nbytes)  # both took part
    assert_same_results(search.cv_results_, here)
    assert_array_equal(search.predict(digits), predicted)


def bytes_of_search(client, X, y, pipeline, n_candidates, scatter):
    """Search through a number of candidates; return what came to each worker."""
    grid = {ALPHAS: np.logspace(-2, 2, n_candidates)}
    search = GridSearchCV(pipeline, grid, cv=2, refit=False)
    before = n_bytes(client, "in")
    with joblib.parallel_config(backend="dask", scatter=[X, y] if scatter else None):
        search.fit(X, y)
    return n_bytes(client, "in") - before


@pytest.mark.parametrize("scatter", [False, True])
def test_data_are_sent_to_workers_not_with_candidates(
    client, large, labels, quick, scatter
):
    # Eight candidates in two folds each: 79 MB, were each sent its own data.
    for n_candidates in (2, 8):
        sent = bytes_of_search(client, large, labels, quick, n_candidates, scatter)
        assert large.nbytes < sent.sum() < 2.1 * large.nbytes


def test_map_is_sent_like_an_array(client, large, labels, quick, tmp_path):
    np.save(tmp_path / "large.npy", large)
    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")
    sent = bytes_of_search(client, mapped, labels, quick, 2, scatter=False)
    assert large.nbytes < sent.sum() < 2.1 * large.nbytes


def test_map_is_opened_by_the_workers(client, large, labels, quick, tmp_path):
    path = tmp_path / "large.npy"
    np.save(path, large)
    by_number = make_pipeline(
        FunctionTransformer(read_rows, kw_args={"path": path}), *quick
    )
    numbers = np.arange(len(large))
    sent = bytes_of_search(client, numbers, labels, by_number, 4, scatter=True)
    assert sent.sum() < 0.05 * large.nbytes
    with joblib.parallel_config(backend="dask"):
        there = cross_validate(by_number, numbers, labels, cv=2)
    here = cross_validate(quick, large, labels, cv=2)
    assert_array_equal(there["test_score"], here["test_score"])


def read_rows(numbers, path):
    return np.load(path, mmap_mode="r")[numbers]


def test_results_come_back_without_the_data(client, large, labels, quick):
    before = n_bytes(client, "out")
    with joblib.parallel_config(backend="dask", scatter=[large, labels]):
        results = cross_validate(quick, large, labels, return_estimator=True)
        fails = quick.set_params(convautoencodertransformer__lr=-1.0)
        with pytest.raises(ValueError, match=r"-1\.0"):
            cross_validate(fails, large, labels, error_score="raise")
    quick.set_params(convautoencodertransformer__lr=0.005)
    # A worker may hand the data on to the other.
    assert (n_bytes(client, "out") - before).sum() < 1.05 * large.nbytes
    for fitted in results["estimator"]:
        assert len(pickle.dumps(fitted)) < 0.01 * large.nbytes


def test_progress_is_printed_here(client, digits, digit_labels, capsys):
    pytest.importorskip("sklearn.callback")  # since scikit-learn 1.9
    search = GridSearchCV(make_classifier(max_epochs=1), {ALPHAS: [0.1, 1.0]}, cv=2)
    search.set_callbacks(ProgressLines())
    with joblib.parallel_config(backend="dask"):
        search.fit(digits[:200], digit_labels[:200])
    lines = sorted(capsys.readouterr().out.splitlines())
    assert len(lines) == 6
    for number, line in enumerate(lines[:4], start=1):
        assert line.startswith(f"GridSearchCV {number} of 4: ")


class ParallelSession(Callback):
    """Let some fits pass, and the others wait in the middle until a worker is dead."""

    def __init__(self, folder, n_passing):
        self.folder = folder
        self.n_passing = n_passing

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 1:
            place = len(list(self.folder.iterdir()))
            (self.folder / f"{time.time_ns()} {os.getpid()}").touch()
            while place >= self.n_passing and not (self.folder / "killed").exists():
                time.sleep(0.01)


def kill_when_waiting(folder, n_begun):
    """Kill the worker of the last of so many fits that have begun."""
    while len(begun := sorted(path.name for path in folder.iterdir())) < n_begun:
        time.sleep(0.01)
    time.sleep(
        5
    )  # Dask's memory manager looks for superfluous copies every two seconds
    os.kill(int(begun[-1].split()[1]), signal.SIGKILL)
    (folder / "killed").touch()


@pytest.mark.slow
def test_search_survives_a_killed_worker(digits, digit_labels, tmp_path):
    X, y = digits[:600], digit_labels[:600]
    folds = list(StratifiedKFold(3).split(X, y))
    grid = {KERNELS: [3, 5], ALPHAS: [0.1, 100.0]}
    here = GridSearchCV(make_classifier(), grid, cv=folds).fit(X, y).cv_results_
    meeting = ParallelSession(tmp_path, n_passing=4)
    search = GridSearchCV(make_classifier(callbacks=[meeting]), grid, cv=folds)
    killer = threading.Thread(target=kill_when_waiting, args=(tmp_path, 6), daemon=True)
    with start_cluster() as cluster, Client(cluster) as client:
        client.amm.stop()
        killer.start()
        shared = [X, y, *itertools.chain.from_iterable(folds)]
        with joblib.parallel_config(backend="dask", scatter=shared):
            search.fit(X, y)
        killer.join()
    assert_same_results(search.cv_results_, here)
    # Twelve fits, the one that was killed, the final one, and the mark of the killing.
    assert len(list(tmp_path.iterdir())) >= 15


# Features of blocks


@pytest.fixture(scope="module")
def dense(digits):
    """A fitted transformer of some size: 0.4 MB."""
    cae = make_small(n_filters=64, kernel_size=5, n_components=50, max_epochs=1)
    return cae.fit(digits[:200])


def features_of(blocks, cae):
    """Return the features of an array of blocks, as the user guide does."""
    return blocks.map_blocks(
        lambda block, cae: cae.transform(block),
        dask.delayed(cae),
        meta=np.empty((0, 0), np.float32),
        chunks=(blocks.chunks[0], len(cae.get_feature_names_out())),
        drop_axis=range(2, blocks.ndim),
    )


def test_features_of_blocks(client, digits, dense):
    blocks = dask.array.from_array(digits, chunks=(100, -1, -1))
    features = features_of(blocks, dense)
    assert features.shape == (1797, 50)
    assert features.chunks == ((100,) * 17 + (97,), (50,))
    assert features.dtype == np.float32
    assert_array_equal(features.compute(), dense.transform(digits))
    assert_array_equal(features[-3:].compute(), dense.transform(digits[-3:]))


def test_features_of_blocks_of_rows(client, digits):
    rows = digits.reshape(len(digits), -1)
    cae = make_small(input_shape=(8, 8), pooling="max").fit(rows[:100])
    blocks = dask.array.from_array(rows, chunks=(500, -1))
    features = features_of(blocks, cae)
    assert features.chunks == ((500, 500, 500, 297), (16,))
    assert_array_equal(features.compute(), cae.transform(rows))


def test_blocks_are_not_read_before_they_are_asked_for(client, digits, dense, tmp_path):
    def make_block(start):
        (tmp_path / f"{start} {os.getpid()}").touch()
        return digits[start : start + 100]

    starts = range(0, 400, 100)
    blocks = dask.array.concatenate(
        [
            dask.array.from_delayed(
                dask.delayed(make_block)(start), (100, 8, 8), digits.dtype
            )
            for start in starts
        ]
    )
    features = features_of(blocks, dense)
    assert not list(tmp_path.iterdir())
    mean = features.mean(axis=0).compute()
    assert mean == pytest.approx(dense.transform(digits[:400]).mean(axis=0), abs=1e-5)
    readers = {int(path.name.split()[1]) for path in tmp_path.iterdir()}
    assert readers <= set(client.run(os.getpid).values())


def test_transformer_is_sent_once_to_each_worker(client, digits, dense):
    size = len(pickle.dumps(dense))
    blocks = dask.array.from_array(digits, chunks=(100, -1, -1))
    before = n_bytes(client, "in")
    features_of(blocks, dense).compute()
    sent = (n_bytes(client, "in") - before).sum()
    # Blocks may be handed on; eighteen times the size, were it sent with each of them.
    assert sent < 2 * digits.nbytes + 3 * size


def test_transform_of_a_dask_array_is_an_array(digits, dense):
    blocks = dask.array.from_array(digits, chunks=(100, -1, -1))
    features = dense.transform(blocks)
    assert type(features) is np.ndarray
    assert_array_equal(features, dense.transform(digits))
