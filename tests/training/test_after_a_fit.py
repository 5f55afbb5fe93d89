"""What a fit leaves behind."""

import gc
import types
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skcae.data.samples import Samples

from ..conftest import make_small
from .conftest import BatchRecorder, InterruptBatch

# From these everything can be reached.
_NOT_HELD = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def held_by(net):
    """Return every object that can be reached from a net."""
    seen, queue = {}, [net]
    while queue:
        here = queue.pop()
        if id(here) in seen or isinstance(here, _NOT_HELD):
            continue
        seen[id(here)] = here
        queue.extend(gc.get_referents(here))
    return list(seen.values())


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True},
        {"corruption": "mask", "n_components": 3},
        {"verbose": 1, "callbacks": [BatchRecorder()]},
        {"max_epochs": 0},
    ],
)
def test_net_keeps_no_data(digits, params):
    X, X_val = digits[:120].copy(), digits[120:160].copy()
    cae = make_small(**params).fit(X, X_val=X_val)
    assert cae.net_.train_split is None
    names = {name for name, _ in cae.net_.callbacks_}
    assert not names & {"early_stopping", "epoch_bar", "task_reports"}
    held = held_by(cae.net_)
    assert cae.module_.encoder[0].convolution.weight.shape == (4, 1, 3, 3)
    assert any(item is cae.module_ for item in held)
    assert not [item for item in held if isinstance(item, Samples)]
    assert not [item for item in held if item is X or item is X_val]
    largest = max(item.numel() for item in held if isinstance(item, torch.Tensor))
    assert largest < X.size / 10


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_data_are_freed_after_the_fit(digits, method):
    X = digits[:120].copy()
    gone = weakref.ref(X)
    cae = make_small(verbose=1, early_stopping=True)
    getattr(cae, method)(X)
    del X
    gc.collect()
    assert gone() is None


def test_data_are_freed_after_an_interrupt(digits):
    X = digits[:120].copy()
    gone = weakref.ref(X)
    cae = make_small(verbose=1, callbacks=[InterruptBatch("on_batch_begin")])
    with pytest.raises(KeyboardInterrupt):
        cae.fit(X)
    del X
    gc.collect()
    assert gone() is None
    assert not hasattr(cae, "_callback_fit_ctx")


def test_fit_leaves_torch_as_it_was(small_digits):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    make_small(corruption="mask", n_components=2).fit_transform(small_digits)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.is_grad_enabled()
