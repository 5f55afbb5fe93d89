"""A batch of which all samples are here."""

import torch

from skcae.nn.batch_context import BatchContext


def test_a_whole_batch_answers_for_itself():
    x, context = torch.rand(5, 2, 3), BatchContext()
    assert not context.is_shared
    assert context.size(x) == 5
    assert context.gather(x) is x
    rows = torch.tensor([4, 0])
    assert torch.equal(context.local_rows(rows), rows)
    low, high = x.amin(0), x.amax(0)
    assert context.extremes(low, high) == (low, high)


def test_the_first_samples_of_a_whole_batch():
    x = torch.rand(5, 2, 3)
    first, context = BatchContext().first(x, 2)
    assert torch.equal(first, x[:2])
    assert context.size(first) == 2


def test_a_whole_batch_draws_what_is_asked_for():
    generator = torch.Generator().manual_seed(0)
    drawn = BatchContext().draw(
        torch.rand, (3, 2), generator=generator, dtype=torch.float64
    )
    expected = torch.rand(
        (3, 2), generator=generator.manual_seed(0), dtype=torch.float64
    )
    assert torch.equal(drawn, expected)
