"""Which arrays are views of files."""

import numpy as np
import pytest

from skcae.data.memory_map import find_mmap


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "X.npy", np.arange(60.0).reshape(10, 6))
    return lambda mode: np.load(tmp_path / "X.npy", mmap_mode=mode)


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_views_of_a_file(mapped, mode):
    X = mapped(mode)
    found = find_mmap(X)
    assert found is not None
    for view in (X[::2], np.asarray(X), np.asarray(X)[3:], X.T, X.reshape(6, 10)):
        assert find_mmap(view) is found


def test_other_arrays(mapped):
    # What is changed in a copy-on-write map is in no file.
    for X in (mapped("c"), mapped("c")[2:], mapped("r") + 1, np.ones(3), [1, 2]):
        assert find_mmap(X) is None
