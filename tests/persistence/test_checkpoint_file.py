"""Where checkpoints lie, and who writes them: fits, warm starts and searches."""

import copy
import os
import pickle
import shutil
import stat
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from ..conftest import assert_same_weights, make_small
from .conftest import (
    OTHER,
    Interrupt,
    assert_same_fit,
    fit_interrupted,
    make,
    without_seconds,
)

pytestmark = pytest.mark.usefixtures("uninterrupted")


def test_file_that_cannot_be_written_is_found_at_once(small_digits, tmp_path):
    path = tmp_path / ("x" * 250)  # no room for a longer name next to it
    with pytest.raises(ValueError, match=r"which cannot be written \(.*\); expected"):
        make(checkpoint=path).fit(small_digits)
    assert Interrupt.n_epochs == 0


def test_fit_survives_a_disk_that_fails_later(small_digits, tmp_path):
    class Remove(Callback):
        def on_epoch_end(self, net, **kwargs):
            shutil.rmtree(tmp_path / "disk", ignore_errors=True)

    (tmp_path / "disk").mkdir()
    cae = make(callbacks=[Remove()], checkpoint=tmp_path / "disk" / "fit")
    with pytest.warns(UserWarning, match="could not be written .* The fit goes on"):
        cae.fit(small_digits)
    assert_same_fit(cae, make().fit(small_digits))


def test_links_are_followed(small_digits, path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    make(checkpoint=tmp_path / "link").fit(small_digits)
    assert path.is_file()
    assert (tmp_path / "link").is_symlink()


class Wait(Callback):
    """Wait for each other where a fit begins, after it has looked for a file."""

    barrier = None

    def on_train_begin(self, net, **kwargs):
        self.barrier.wait(60)


@pytest.mark.parametrize("random_state", [0, None])
def test_two_fits_that_begin_at_once(random_state, small_digits, path):
    """One has the file for itself, the other is refused; equal ones may share it."""
    Wait.barrier = threading.Barrier(2)
    errors, fitted = [], []

    def fit(lr):
        params = {"lr": lr, "callbacks": [Wait()], "random_state": random_state}
        try:
            cae = make_small(checkpoint=path, **params).fit(small_digits)
            fitted.append((params, cae))
        except ValueError as error:
            errors.append(str(error))

    rates = [0.001, 0.002] if random_state == 0 else [0.001, 0.001]
    threads = [threading.Thread(target=fit, args=(lr,)) for lr in rates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (error,) = errors
    assert "in which another fit has begun to write" in error
    ((params, cae),) = fitted
    Wait.barrier = threading.Barrier(1)
    again = make_small(checkpoint=path, **params).fit(small_digits)
    assert_same_fit(again, cae)
    assert os.listdir(path.parent) == ["fit"]


def test_equal_fits_may_begin_at_once(small_digits, path):
    Wait.barrier = threading.Barrier(2)
    models = [make_small(checkpoint=path, callbacks=[Wait()]) for _ in range(2)]
    threads = [
        threading.Thread(target=model.fit, args=(small_digits,)) for model in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_same_fit(*models)


def test_file_of_another_fit_is_not_replaced(small_digits, path, tmp_path):
    other = tmp_path / "other"
    make(checkpoint=other, lr=0.1).fit(small_digits)

    class PutInPlace(Callback):
        def on_epoch_end(self, net, **kwargs):
            shutil.copy(other, path)

    cae = make(callbacks=[PutInPlace()], checkpoint=path)
    with pytest.warns(UserWarning, match="could not be written .*another fit.* goes"):
        cae.fit(small_digits)
    assert path.read_bytes() == other.read_bytes()
    assert_same_fit(cae, make().fit(small_digits))


@pytest.mark.skipif(os.name == "nt", reason="has no such permissions")
@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_permissions_are_kept(mode, small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 1)
    path.chmod(mode)
    make(checkpoint=path).fit(small_digits)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_file_system_without_links(small_digits, path, monkeypatch):
    def link(source, target):
        raise PermissionError("not on this file system")

    monkeypatch.setattr(os, "link", link)
    cae = make(checkpoint=path).fit(small_digits)
    assert_same_fit(make(checkpoint=path).fit(small_digits), cae)
    assert os.listdir(path.parent) == ["fit"]


def test_no_other_method_writes(small_digits, path):
    cae = make(checkpoint=path).partial_fit(small_digits)
    cae.transform(small_digits)
    assert not path.exists()
    make().fit(small_digits)
    assert not list(path.parent.iterdir())


def test_it_is_a_parameter_like_others(small_digits, path):
    for value in (path, str(path)):
        cae = make_small(checkpoint=value)
        assert cae.get_params()["checkpoint"] is value
        assert clone(cae).checkpoint == value
        assert copy.deepcopy(cae).checkpoint == value
    loaded = pickle.loads(pickle.dumps(cae.fit(small_digits)))
    path.unlink()  # a fitted model does not need it
    np.testing.assert_array_equal(
        loaded.transform(small_digits), cae.transform(small_digits)
    )


def test_warm_start_with_a_file_for_each_fit(small_digits, tmp_path):
    paths = [tmp_path / "first", tmp_path / "second"]
    expected = make(warm_start=True).fit(small_digits).fit(small_digits)
    cae = make(warm_start=True, checkpoint=paths[0]).fit(small_digits)
    fit_interrupted(cae.set_params(checkpoint=paths[1]), small_digits, 2)
    # The same script again.
    cae = make(warm_start=True, checkpoint=paths[0]).fit(small_digits)
    assert Interrupt.n_epochs == 0
    cae.set_params(checkpoint=paths[1]).fit(small_digits)
    assert Interrupt.n_epochs == 2
    assert_same_weights(cae, expected)
    assert without_seconds(cae.history_) == without_seconds(expected.history_)
    # One file for both would lose the first.
    before = cae.transform(small_digits)
    with pytest.raises(
        ValueError, match=OTHER.format("start=from").replace("fit'", "")
    ):
        cae.fit(small_digits)
    np.testing.assert_array_equal(cae.transform(small_digits), before)


def test_search_with_a_folder(small_digits, tmp_path):
    def search(folder):
        grid = {"lr": [0.001, 0.01], "corruption": [None, "mask"]}
        cae = make(checkpoint=folder, max_epochs=2)
        return GridSearchCV(cae, grid, cv=2, error_score="raise").fit(small_digits)

    expected = search(None)
    Interrupt.epoch, Interrupt.n_epochs = 8, 0
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path)
    Interrupt.epoch, Interrupt.n_epochs = None, 0
    found = search(tmp_path)
    assert Interrupt.n_epochs == (4 * 2 + 1) * 2 - 7
    assert len(list(tmp_path.iterdir())) == 4 * 2 + 1
    for name in ("mean_test_score", "params"):
        np.testing.assert_array_equal(
            found.cv_results_[name], expected.cv_results_[name]
        )
    assert_same_fit(found.best_estimator_, expected.best_estimator_)


def test_search_with_a_file_is_refused(small_digits, path):
    search = GridSearchCV(
        make(checkpoint=path), {"lr": [0.001, 0.01]}, cv=2, error_score="raise"
    )
    with pytest.raises(ValueError, match=OTHER.format("X=an array")):
        search.fit(small_digits)
