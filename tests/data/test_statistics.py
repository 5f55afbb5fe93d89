"""Statistics of all samples from those of parts."""

from types import SimpleNamespace

import numpy as np
import pytest

from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.data.statistics import merge_moments, own_part


def test_moments_of_parts_are_those_of_all():
    X = np.random.default_rng(0).normal(1e3, [[1], [10]], size=(50, 2, 30))
    samples = Samples(X.astype(np.float32), Layout((2, 30), channel_axis=0))
    parts = [slice(0, 1), slice(1, 20), slice(20, 50)]
    found = merge_moments(
        [(part.stop - part.start, samples.moments(part)) for part in parts]
    )
    for name, expected in samples.moments().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("n_samples", [0, 1, 2, 4, 7, 10])
def test_parts_of_a_pass_make_a_whole(size, n_samples):
    ranks = [SimpleNamespace(rank=rank, size=size) for rank in range(size)]
    parts = [np.arange(100)[own_part(n_samples, rank)] for rank in ranks]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(n_samples))
    assert max(map(len, parts)) <= min(map(len, parts)) + 1
