"""What is done with a batch, by one process."""

import pytest
import torch

from skcae.distributed.single_process import SINGLE_PROCESS
from skcae.nn.batch_context import BatchContext
from skcae.runtime.steps import EagerSteps, make_steps


@pytest.fixture
def weight():
    """What is trained: the loss is its product with the mean sample."""
    return torch.nn.Parameter(torch.tensor(2.0))


@pytest.fixture
def steps(weight):
    """Steps of one process; what happens behind each of them is to count it."""

    def loss(context, x, scale):
        assert isinstance(context, BatchContext)
        return scale * weight * x.mean(), x

    steps = make_steps(
        SINGLE_PROCESS,
        loss,
        torch.optim.SGD([weight], lr=0.5),
        after_step=lambda: steps.after.append(weight.item()),
        device="cpu",
        parameters=[weight],
    )
    steps.after = []
    steps.begin_epoch()
    return steps


def batch(*values, scale=1.0):
    return torch.tensor(values), torch.tensor(scale)


def test_one_process_takes_eager_steps(steps):
    assert type(steps) is EagerSteps
    assert steps.share is None
    assert steps.any(True)
    assert not steps.any(False)
    assert steps.n_local(7) == 7


def test_steps_of_a_training(steps, weight):
    steps.train(batch(1.0, 3.0))
    assert weight.item() == 2 - 0.5 * 2
    steps.train(batch(1.0, 3.0))  # gradients of the step before are gone
    assert weight.item() == 2 - 2 * 0.5 * 2
    assert steps.after == [1, 0]


def test_a_validation_changes_nothing(steps, weight):
    with torch.no_grad():
        steps.evaluate(batch(1.0, 3.0))
    assert weight.item() == 2
    assert weight.grad is None
    assert steps.after == []
    assert steps.epoch_loss() == 4


def test_every_sample_counts_alike_in_the_loss_of_an_epoch(steps):
    for values in ((1.0, 3.0, 5.0), (7.0,)):
        steps.evaluate(batch(*values))
    assert steps.epoch_loss() == 2 * (1 + 3 + 5 + 7) / 4
    steps.begin_epoch()
    steps.evaluate(batch(1.0))
    assert steps.epoch_loss() == 2


def test_losses_hold_no_graph(steps):
    steps.train(batch(1.0))
    assert not steps.total.requires_grad


def test_parameters_of_a_callback_are_reset_too(steps):
    other = torch.nn.Parameter(torch.zeros(()))
    other.grad = torch.ones(())
    steps.optimizer.add_param_group({"params": [other]})
    steps.begin_epoch()
    steps.train(batch(1.0))
    assert other.grad is None
    assert other.item() == 0


def test_batches_of_several_parts_go_to_the_device(steps):
    steps.device = "meta"
    x, (codes, weights) = steps.prepare(
        (torch.zeros(2), (torch.zeros(2), torch.ones(2)))
    )
    assert {x.device.type, codes.device.type, weights.device.type} == {"meta"}
