"""Samples and crops of an epoch."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from skorch.callbacks import Callback

from skcae.data.layout import Layout
from skcae.data.samples import Samples
from skcae.training.batches import Batches
from skcae.training.winner_take_all import WinnerTakeAll

from ..conftest import make_small
from .conftest import WINNERS


@pytest.mark.parametrize(("max_samples", "n_batches"), [(1, 1), (20, 2), (999, 8)])
def test_samples_of_an_epoch(max_samples, n_batches, small_digits):
    class Count(Callback):
        sizes = []

        def on_batch_end(self, net, batch=None, training=False, **kwargs):
            self.sizes.append(len(batch[0]))

    cae = make_small(
        max_samples=max_samples, batch_size=16, callbacks=[Count()], max_epochs=3
    ).fit(small_digits)
    assert len(Count.sizes) == 3 * n_batches
    assert sum(Count.sizes) == 3 * min(max_samples, 120)
    assert cae.n_samples_seen_ == 120


def test_samples_are_drawn_anew_each_epoch(small_digits):
    samples = Samples(small_digits, Layout((8, 8)))
    batches = Batches(samples, 16, shuffle=True, max_samples=20)
    first, second = ([x for x, _ in batches] for _ in range(2))
    assert [len(x) for x in first] == [16, 4]
    assert not torch.equal(first[0], second[0])
    whole = Batches(samples, 16, shuffle=True)
    assert torch.equal(first[0], next(iter(whole))[0])


def test_all_validation_samples_are_looked_at(digits):
    few, all_of_them = (
        make_small(max_samples=n, max_epochs=1, lr=1e-12).fit(
            digits[:100], X_val=digits[100:300]
        )
        for n in (10, None)
    )
    losses = [cae.history_[0]["valid_loss"] for cae in (few, all_of_them)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("crop", [1, 3, 8, 50])
def test_crops_of_any_size(crop, small_digits, volumes, signals):
    for X in (small_digits, volumes, signals):
        cae = make_small(**WINNERS, crop_size=crop, whiten=0.1).fit(X)
        assert np.isfinite(cae.score(X))
        norms = np.linalg.norm(cae.filters_.reshape(4, -1), axis=1)
        assert_allclose(norms, 1, rtol=1e-5)


def test_crops_differ_from_one_part_to_the_next(small_digits, monkeypatch):
    seen = []

    def remember(self, net, context, x):
        seen.append(self.generator.get_state().clone())
        return loss(self, net, context, x)

    loss = WinnerTakeAll.loss
    monkeypatch.setattr(WinnerTakeAll, "loss", remember)
    cae = make_small(**WINNERS, crop_size=4)
    for _ in range(2):
        cae.partial_fit(small_digits)
    assert not torch.equal(seen[0], seen[-1])
    assert not torch.equal(seen[0], seen[len(seen) // 2])
