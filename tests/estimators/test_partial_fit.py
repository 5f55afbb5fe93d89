"""Fits that go on, start afresh, or fail."""

import warnings

import numpy as np
import pytest
from skorch.callbacks import EarlyStopping

from ..conftest import make_small


def test_partial_fit(digits):
    cae = make_small()
    for start in range(0, 900, 300):
        assert cae.partial_fit(digits[start : start + 300]) is cae
    assert cae.n_iter_ == 3
    assert cae.n_samples_seen_ == 900
    np.testing.assert_allclose(cae.mean_, digits[:900].mean(axis=0))
    losses = [row["train_loss"] for row in cae.history_]
    assert losses[2] < losses[0]
    assert [row["epoch"] for row in cae.history_] == [1, 2, 3]


def test_partial_fit_with_one_sample_goes_on(small_digits):
    cae = make_small().partial_fit(small_digits).partial_fit(small_digits[:1])
    assert cae.n_samples_seen_ == 121


def test_warm_start_goes_on(small_digits):
    cae = make_small(warm_start=True, max_epochs=3).fit(small_digits)
    filters, loss = cae.filters_, cae.reconstruction_err_
    cae.set_params(max_epochs=0).fit(small_digits)
    np.testing.assert_array_equal(cae.filters_, filters)
    cae.set_params(max_epochs=3).fit(small_digits)
    assert cae.n_iter_ == 6
    assert cae.reconstruction_err_ < loss


def test_fit_starts_afresh(small_digits):
    cae = make_small(max_epochs=3)
    first = cae.fit(small_digits).filters_
    np.testing.assert_array_equal(cae.fit(small_digits).filters_, first)
    assert cae.n_iter_ == 3


def test_warm_start_learns_the_mean_again(small_digits):
    cae = make_small(warm_start=True).fit(small_digits)
    cae.fit(small_digits[:50] + 100)
    assert cae.n_samples_seen_ == 50
    np.testing.assert_allclose(cae.mean_, small_digits[:50].mean(axis=0) + 100)


def test_warm_start_with_other_training_parameters(small_digits):
    cae = make_small(warm_start=True).fit(small_digits)
    filters = cae.filters_
    cae.set_params(lr=1e-12, corruption="mask").fit(small_digits)
    np.testing.assert_allclose(cae.filters_, filters, atol=1e-6)


def test_failed_fit_changes_nothing(small_digits):
    for cae in (make_small(), make_small().fit(small_digits)):
        before = dict(vars(cae))
        with pytest.raises(ValueError, match="X_val"):
            cae.fit(small_digits, X_val=small_digits[:, :5])
        assert vars(cae) == before


def test_failed_training_keeps_what_was_there(small_digits):
    cae = make_small().fit(small_digits)
    expected = cae.transform(small_digits)
    cae.net_.optimizer_.param_groups[0]["lr"] = 1e30
    with pytest.raises(ValueError, match="finite loss"):
        cae.partial_fit(small_digits).partial_fit(small_digits)
    assert np.isfinite(cae.transform(small_digits)).all()
    assert cae.transform(small_digits).shape == expected.shape


def test_one_more_sample_has_no_dead_units(small_digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cae = make_small(n_components=4).partial_fit(small_digits)
        cae.partial_fit(small_digits[:1])
    assert cae.n_dead_units_ == 0


def test_callbacks_that_watch_a_missing_loss_are_refused(small_digits):
    cae = make_small(callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="callback EarlyStopping .* but no valid"):
        cae.partial_fit(small_digits)
    cae.fit(small_digits, X_val=small_digits)
    before = dict(vars(cae))
    with pytest.raises(ValueError, match="callback EarlyStopping .* but no valid"):
        cae.partial_fit(small_digits)
    assert vars(cae) == before
