"""Batches that several ranks share, here threads in place of processes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from skcae.nn.winner_take_all import random_crops, winner_take_all_loss
from skcae.runtime.shared_batch import SharedBatch

every_size = pytest.mark.parametrize("size", [2, 3, 5])
every_number = pytest.mark.parametrize("n_samples", [1, 2, 4, 7, 10])


class ThreadRanks:
    """What threads tell each other, as ranks would."""

    def __init__(self, rank, size, values, barrier):
        self.rank, self.size = rank, size
        self.values, self.barrier = values, barrier

    def gather(self, x):
        self.barrier.wait(20)
        self.values[self.rank] = x.clone()
        self.barrier.wait(20)
        return list(self.values)

    def reduce(self, x, operation):
        assert operation == torch.distributed.ReduceOp.MAX
        x.copy_(torch.stack(self.gather(x)).amax(0))


def on_ranks(size, n_samples, work):
    """Return what `work` makes of a shared batch, on each rank."""
    values, barrier = [None] * size, threading.Barrier(size)
    batches = [
        SharedBatch(ThreadRanks(rank, size, values, barrier), n_samples)
        for rank in range(size)
    ]
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(work, batches))


def local(batch, x):
    """Return those samples that a rank computes."""
    return x[batch.local_part(slice(0, len(x)))]


@every_size
@every_number
def test_parts_make_a_whole(size, n_samples):
    rows, part = np.arange(100), slice(20, 20 + n_samples)

    def work(batch):
        batch.begin(n_samples)
        here = rows[batch.local_part(part)]
        assert len(here) == batch.n_local >= 1
        return batch.weight, here[: batch.n_counted].tolist()

    weights, taken = zip(*on_ranks(size, 0, work), strict=True)
    assert sum(weights) == pytest.approx(1)
    assert sorted(sum(taken, [])) == rows[part].tolist()


@every_size
@every_number
def test_rows_of_all_ranks(size, n_samples):
    x = -1 - torch.rand(n_samples, 3)  # no filling of zeros may pass for a sample

    def work(batch):
        found = batch.gather(local(batch, x))
        places = batch.local_rows(torch.arange(n_samples))
        here = places[places >= 0]
        return torch.equal(found, x), local(batch, x)[here].equal(x[places >= 0])

    assert on_ranks(size, n_samples, work) == [(True, True)] * size


@every_size
@every_number
def test_each_rank_draws_its_rows_of_one_draw(size, n_samples):
    expected = torch.rand(n_samples, 2, generator=torch.Generator().manual_seed(0))

    def work(batch):
        generator = torch.Generator().manual_seed(0)
        drawn = batch.draw(torch.rand, (batch.n_local, 2), generator=generator)
        return torch.equal(drawn, local(batch, expected))

    assert all(on_ranks(size, n_samples, work))


def test_extremes_of_all_ranks():
    x = torch.tensor([[3.0, -1.0], [5.0, 2.0], [4.0, -7.0]])

    def work(batch):
        here = local(batch, x)
        return [value.tolist() for value in batch.extremes(here.amin(0), here.amax(0))]

    assert on_ranks(3, 3, work) == [[[3, -7], [5, 2]]] * 3


def test_first_samples_of_a_shared_batch():
    x = torch.arange(7)

    def work(batch):
        here, first = batch.first(local(batch, x), 4)
        assert first.size(here) == 4
        assert batch.size(here) == 7
        return here.tolist()

    assert on_ranks(3, 7, work) == [[0, 3], [1], [2]]


@every_size
@every_number
def test_crops_are_those_of_the_whole_batch(size, n_samples):
    x = torch.rand(n_samples, 1, 9)
    generator = torch.Generator().manual_seed(0)
    expected = random_crops(x, (4,), generator)

    def work(batch):
        generator = torch.Generator().manual_seed(0)
        return random_crops(local(batch, x), (4,), generator, batch)

    for rank, found in enumerate(on_ranks(size, n_samples, work)):
        here = expected[min(rank, n_samples - 1) :: size]
        assert torch.equal(found, here)


def gradients(x, parameters, share, **context):
    """Return the loss of winners, and its gradients."""
    parameters = [values.clone().requires_grad_() for values in parameters]
    loss = winner_take_all_loss(x, *parameters, share=share, **context)
    return [loss.detach(), *torch.autograd.grad(loss, parameters)]


def assert_ranks_find_the_same(size, x, parameters, share):
    def work(batch):
        found = gradients(local(batch, x), parameters, share, context=batch)
        return [batch.weight * value for value in found]

    parts = zip(*on_ranks(size, len(x), work), strict=True)
    expected = gradients(x, parameters, share)
    for found, value in zip(parts, expected, strict=True):
        torch.testing.assert_close(sum(found), value)


@every_size
@every_number
@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_winners_are_those_of_the_whole_batch(size, n_samples, share):
    generator = torch.Generator().manual_seed(n_samples)
    x = torch.rand(n_samples, 1, 6, 6, generator=generator)
    # All responses are negative: rows that fill up the parts of ranks would win.
    weight = -torch.rand(3, 1, 3, 3, generator=generator)
    bias = torch.full((3,), 10.0)
    assert_ranks_find_the_same(size, x, (weight, bias), share)


@pytest.mark.parametrize("n_filters", [17, 35])
def test_winners_of_filters_that_are_computed_in_several_turns(n_filters):
    """Each turn may leave another number of winners on a rank."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(5, 1, 280, 280, generator=generator)
    weight = torch.randn(n_filters, 1, 3, 3, generator=generator)
    assert_ranks_find_the_same(2, x, (weight, torch.full((n_filters,), 10.0)), 0.4)
