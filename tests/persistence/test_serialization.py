"""Values come back from what loads without running code."""

import pickle

import numpy as np
import pytest

from skcae.persistence.serialization import SerializationError, deserialize, serialize


@pytest.mark.parametrize(
    "value",
    [
        [1, (2.5, None), {"a": {True, "b"}}],
        {(1, "b"): np.arange(6, dtype=np.uint16).reshape(2, 3)},
        np.float32(0.1),
        np.array(3.0),
        float("inf"),
    ],
)
def test_plain_values_come_back(value):
    back = deserialize(serialize(value))
    assert type(back) is type(value)
    assert pickle.dumps(back) == pickle.dumps(value)


@pytest.mark.parametrize("value", [print, object(), [open], np.array(["a"]), dict])
def test_other_values_are_not_plain(value):
    with pytest.raises(SerializationError):
        serialize(value)
