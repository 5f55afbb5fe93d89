"""One random_state decides everything; nothing of the caller's is touched."""

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed

from ..conftest import assert_same_weights, make_small

CONFIGURATIONS = [
    {},
    {"corruption": "gaussian", "early_stopping": True},
    {"n_components": 4},
    {"n_components": 4, "sparsity": "winner_take_all", "pooling": "avg", "power": 0.5},
    {"n_filters": (4, 8), "tied_weights": True, "loss": "huber"},
]


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_same_seed_same_bits(params, small_digits):
    first = make_small(**params).fit(small_digits)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    np.random.rand(3)  # noqa: NPY002
    torch.rand(3)
    assert_same_weights(first, make_small(**params).fit(small_digits))


@pytest.mark.parametrize("params", CONFIGURATIONS)
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_same_bits_in_other_workers(backend, params, small_digits):
    here = make_small(**params).fit(small_digits)
    there = Parallel(n_jobs=2, backend=backend)(
        delayed(make_small(**params).fit)(small_digits) for _ in range(3)
    )
    for cae in there:
        assert_same_weights(here, cae)
        np.testing.assert_array_equal(
            here.transform(small_digits), cae.transform(small_digits)
        )


def test_other_seed_other_filters(small_digits):
    first, second = (make_small(random_state=s).fit(small_digits) for s in (0, 1))
    assert (first.filters_ != second.filters_).all()


def test_random_state_none_differs_and_instance_advances(small_digits):
    first, second = (make_small(random_state=None).fit(small_digits) for _ in "ab")
    assert (first.filters_ != second.filters_).any()
    rng = np.random.RandomState(0)  # noqa: NPY002
    first, second = (make_small(random_state=rng).fit(small_digits) for _ in "ab")
    assert (first.filters_ != second.filters_).any()


def test_resumed_training_does_not_depend_on_global_seeds(small_digits):
    runs = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        cae = make_small(corruption="mask")
        runs.append(cae.partial_fit(small_digits).partial_fit(small_digits))
    assert_same_weights(*runs)


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_global_state_is_left_alone(params, small_digits):
    torch_state = torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    threads, grad = torch.get_num_threads(), torch.is_grad_enabled()
    deterministic = torch.are_deterministic_algorithms_enabled()
    cae = make_small(**params).fit(small_digits)
    cae.inverse_transform(cae.transform(small_digits))
    cae.score(small_digits)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled() == grad
    assert torch.are_deterministic_algorithms_enabled() == deterministic


def test_number_of_threads_is_restored_after_a_failure(small_digits):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="finite"):
            make_small(optimizer="sgd", lr=1e9, activation="identity").fit(small_digits)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_number_of_threads_does_not_change_a_small_fit(params, small_digits):
    before, fits = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            fits.append(make_small(**params).fit(small_digits))
    finally:
        torch.set_num_threads(before)
    assert_same_weights(*fits)
