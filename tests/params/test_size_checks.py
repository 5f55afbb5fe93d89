"""Sizes that no memory can hold are refused when parameters are read."""

import numpy as np
import pytest

from skcae import ConvAutoencoderTransformer
from skcae.utils.memory import total_memory

X = np.random.default_rng(0).normal(size=(4, 64, 64))


@pytest.mark.skipif(total_memory() is None, reason="nobody knows how much there is")
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"n_filters": 10**9}, r"n_filters=1000000000 .*stage 1 .* of weights"),
        ({"kernel_size": 100_001}, r"kernel_size=100001 .* GB of weights"),
        ({"n_filters": (4, 10**9)}, r"n_filters=1000000000 .*stage 2"),
        (
            {"n_filters": 10**7, "kernel_size": 1, "depthwise": True, "pool_size": 1},
            r"n_filters=10000000 .* of maps of each sample",
        ),
        ({"n_components": 10**9}, r"n_components=1000000000 for 65536 values"),
        (
            {"n_components": 10**10, "pooling": "avg", "pool_grid": 3},
            r"n_components=10000000000 for 576 values",
        ),
    ],
)
def test_what_no_memory_can_hold(params, expected):
    cae = ConvAutoencoderTransformer(recipe="tutorial", max_epochs=0, **params)
    with pytest.raises(ValueError, match=rf"Got .*{expected}.*; expected .* Lower"):
        cae.fit(X)


def test_memory_of_this_machine():
    memory = total_memory()
    assert memory is None or 10**8 < memory < 10**14
