"""Winner-take-all training from the winners alone, against all of autograd's maps."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from skcae.nn.filters import normalise_
from skcae.nn.winner_take_all import random_crops, winner_take_all_loss

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
SCATTER = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
SHAPES = {
    "signals": ((1, 15), (5,)),
    "signals, even": ((3, 16), (4,)),
    "images": ((1, 10, 12), (5, 5)),
    "images, even": ((3, 9, 10), (4, 4)),
    "images, oblong": ((2, 8, 9), (3, 4)),
    "images, filters as large": ((2, 5, 5), (5, 5)),
    "volumes": ((2, 6, 7, 5), (3, 3, 3)),
    "volumes, even": ((1, 6, 5, 4), (2, 2, 2)),
}


def dense_loss(x, weight, bias, decoder_weight, share):
    """Half the mean squared error, from sparse maps of the full size."""
    n_axes = x.ndim - 2
    pads = [
        zeros
        for side in reversed(weight.shape[2:])
        for zeros in ((side - 1) // 2, side // 2)
    ]
    maps = CONVOLVE[n_axes](F.pad(x, pads), weight, bias)
    flat = maps.flatten(2)
    peaks, places = flat.max(dim=2, keepdim=True)
    winners = peaks.topk(max(1, round(share * len(x))), dim=0).indices
    survives = torch.zeros_like(peaks).scatter_(0, winners, 1)
    survives = torch.zeros_like(flat).scatter_(2, places, survives).view_as(maps)
    activity = torch.relu(maps) * survives
    decoder = weight if decoder_weight is None else decoder_weight
    rebuilt = F.pad(SCATTER[n_axes](activity, decoder), [-zeros for zeros in pads])
    return 0.5 * (rebuilt - x).square().mean()


def make_problem(shape=(1, 10, 12), kernel=(5, 5), n_samples=20, n_filters=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n_samples, *shape, generator=generator)
    filters = torch.randn(2, n_filters, shape[0], *kernel, generator=generator)
    weight, decoder_weight = filters / math.sqrt(filters[0, 0].numel())
    bias = 0.1 * torch.randn(n_filters, generator=generator)
    return x, [p.clone().requires_grad_() for p in (weight, bias, decoder_weight)]


def gradients(loss, parameters):
    return torch.autograd.grad(loss, [p for p in parameters if p is not None])


def assert_same_as_dense(x, weight, bias, decoder_weight, share):
    parameters = (weight, bias, decoder_weight)
    expected = dense_loss(x, *parameters, share)
    loss = winner_take_all_loss(x, *parameters, share=share)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for ours, theirs in zip(
        gradients(loss, parameters), gradients(expected, parameters), strict=True
    ):
        assert ours.shape == theirs.shape
        assert theirs.abs().max() > 0
        assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 1.0])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_loss_and_gradients_are_those_of_the_dense_computation(
    name, share, with_bias, tied
):
    x, (weight, bias, decoder_weight) = make_problem(*SHAPES[name])
    bias = bias if with_bias else None
    decoder_weight = None if tied else decoder_weight
    assert_same_as_dense(x, weight, bias, decoder_weight, share)


def test_many_filters_are_computed_in_parts(monkeypatch):
    monkeypatch.setattr("skcae.nn.winner_take_all._MAX_BYTES", 1)
    x, (weight, bias, decoder_weight) = make_problem(n_filters=40)
    assert_same_as_dense(x, weight, bias, decoder_weight, 0.1)


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("side", [4, 5])
def test_any_memory_format(n_channels, side):
    x, parameters = make_problem((n_channels, 9, 9), (side, side))

    def channels_last(tensor):
        like = torch.empty_like(tensor, memory_format=torch.channels_last)
        return like.copy_(tensor.detach())

    weight, bias, decoder_weight = parameters
    weight, decoder_weight = map(channels_last, (weight, decoder_weight))
    others = [weight.requires_grad_(), bias, decoder_weight.requires_grad_()]
    expected = winner_take_all_loss(x, *parameters, share=0.2)
    loss = winner_take_all_loss(channels_last(x), *others, share=0.2)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(loss, others), gradients(expected, parameters))


def test_gradients_are_scaled_by_what_follows_the_loss():
    x, (weight, bias, _) = make_problem()
    once = gradients(winner_take_all_loss(x, weight, bias, share=0.1), (weight, bias))
    thrice = gradients(
        3 * winner_take_all_loss(x, weight, bias, share=0.1), (weight, bias)
    )
    for one, three in zip(once, thrice, strict=True):
        torch.testing.assert_close(3 * one, three)


@pytest.mark.parametrize("n_samples", [1, 3])
def test_each_filter_has_a_winner_in_a_batch_smaller_than_one_by_share(n_samples):
    x, (weight, bias, decoder_weight) = make_problem(n_samples=n_samples)
    assert_same_as_dense(x, weight, bias, decoder_weight, 0.05)


def test_a_winner_writes_its_filter_where_it_was_found():
    filter_ = torch.zeros(1, 1, 3, 3)
    filter_[0, 0, 1] = torch.tensor([0.6, 0.0, 0.8])
    x = torch.zeros(4, 1, 8, 8)
    x[2, 0, 4, 2:5] = 5 * filter_[0, 0, 1]
    x[1, 0, 4, 2:5] = 2 * filter_[0, 0, 1]
    loss = winner_take_all_loss(x, filter_, None, share=0.25)
    # Of samples 1 and 2, of norms 2 and 5, the second is rebuilt and the first is not.
    assert loss.item() == pytest.approx(0.5 * 2**2 / x.numel())


def test_ties_leave_exactly_the_share():
    filter_ = torch.ones(1, 1, 1, 1)
    loss = winner_take_all_loss(torch.ones(10, 1, 4, 4), filter_, None, share=0.2)
    # In two samples one of 16 values is rebuilt.
    assert loss.item() == pytest.approx(0.5 * (1 - 2 / 160))


def test_negative_winners_write_nothing_and_teach_nothing():
    x = torch.ones(4, 1, 6, 6)
    weight = torch.full((2, 1, 1, 1), -1.0, requires_grad=True)
    loss = winner_take_all_loss(x, weight, None, share=0.5)
    assert loss.item() == 0.5
    assert not gradients(loss, [weight])[0].any()


def test_every_run_gives_the_same_bits():
    results = []
    for _ in range(3):
        x, parameters = make_problem(n_filters=40, n_samples=64)
        loss = winner_take_all_loss(x, *parameters, share=0.1)
        results.append([loss.detach(), *gradients(loss, parameters)])
    for result in results[1:]:
        for first, again in zip(results[0], result, strict=True):
            assert torch.equal(first, again)


def test_without_gradients():
    x, (weight, bias, decoder_weight) = make_problem()
    expected = winner_take_all_loss(x, weight, bias, decoder_weight, share=0.1)
    assert expected.requires_grad
    with torch.no_grad():
        loss = winner_take_all_loss(x, weight, bias, decoder_weight, share=0.1)
    assert not loss.requires_grad
    assert loss == expected
    assert not winner_take_all_loss(x, weight.detach(), None, share=0.1).requires_grad


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_non_finite_sample_gives_a_non_finite_loss(value):
    x, (weight, bias, _) = make_problem()
    x[3, 0, 2, 2] = value
    loss = winner_take_all_loss(x, weight, bias, share=0.1)
    loss.backward()
    assert not loss.isfinite()


@pytest.mark.parametrize("kernel", [(3,), (3, 4), (2, 3, 2)])
def test_normalised_filters_have_unit_norm(kernel):
    weight = torch.nn.Parameter(torch.randn(5, 2, *kernel))
    before = weight.detach().clone()
    with torch.no_grad():
        weight[3] = 0
    normalise_(weight)
    assert weight.grad is None
    norms = weight.detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.tensor([1.0, 1, 1, 0, 1]))
    cosines = F.cosine_similarity(weight.detach().flatten(1), before.flatten(1))
    torch.testing.assert_close(cosines[:3], torch.ones(3))


@pytest.mark.parametrize("shape", [(2, 9), (1, 9, 7), (3, 6, 7, 8)])
def test_crops_are_parts_of_their_samples(shape):
    x = torch.arange(30.0 * math.prod(shape)).view(30, *shape)
    size = (4, 20, 5)[: len(shape) - 1]
    crops = random_crops(x, size, torch.Generator().manual_seed(0))
    clipped = tuple(np.minimum(size, shape[1:]))
    assert crops.shape == (30, shape[0], *clipped)
    assert crops.is_contiguous()
    starts = []
    for sample, crop in zip(x, crops, strict=True):
        start = (sample[0] == crop[0].flatten()[0]).nonzero()[0].tolist()
        part = tuple(slice(a, a + side) for a, side in zip(start, clipped, strict=True))
        assert torch.equal(crop, sample[(slice(None), *part)])
        starts.append(start)
    for places, length, side in zip(
        np.transpose(starts), shape[1:], clipped, strict=True
    ):
        assert set(places) == set(range(length - side + 1))


def test_crops_depend_on_the_generator_alone():
    x = torch.randn(8, 1, 12, 12)

    def crops(seed):
        return random_crops(x, (5, 5), torch.Generator().manual_seed(seed))

    assert torch.equal(crops(0), crops(0))
    assert not torch.equal(crops(0), crops(1))


def test_training_on_digits_learns_filters(digits):
    digits = torch.tensor(digits, dtype=torch.float32).unsqueeze(1)
    digits = (digits - digits.mean()) / digits.std()
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(16, 1, 5, 5, generator=generator))
    bias = torch.nn.Parameter(torch.zeros(16))
    normalise_(weight)
    start = weight.detach().clone()

    def whole_loss():
        with torch.no_grad():
            return winner_take_all_loss(digits, weight, bias, share=0.1).item()

    loss_at_start = whole_loss()
    optimizer = torch.optim.Adam([weight, bias], lr=3e-3)
    for _ in range(300):
        rows = torch.randint(len(digits), (64,), generator=generator)
        optimizer.zero_grad()
        winner_take_all_loss(digits[rows], weight, bias, share=0.1).backward()
        optimizer.step()
        normalise_(weight)
    assert whole_loss() < 0.98 * loss_at_start
    cosines = F.cosine_similarity(weight.detach().flatten(1), start.flatten(1))
    assert cosines.max() < 0.95
    torch.testing.assert_close(weight.detach().flatten(1).norm(dim=1), torch.ones(16))
