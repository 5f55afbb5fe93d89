"""Winner-take-all and penalties: what they make of filters and codes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ..conftest import make_small, weights_of
from .conftest import STACK, WINNERS, changed

# Winners


@pytest.mark.parametrize("whiten", [None, 0.1])
@pytest.mark.parametrize("shape", [(64,), (8, 8), (4, 4, 4)])
def test_filters_have_unit_norm(shape, whiten, small_digits):
    X = small_digits.reshape(-1, *shape)
    cae = make_small(**WINNERS, whiten=whiten, crop_size=4).fit(X)
    rows = cae.filters_.reshape(4, -1)
    assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    if whiten is None:
        assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    before = make_small(**WINNERS, whiten=whiten, max_epochs=0).fit(X).filters_
    assert (cae.filters_ != before).any()


def test_codes_are_dense_after_winners(small_digits):
    cae = make_small(**WINNERS, pool_size=1).fit(small_digits)
    assert (cae.transform(small_digits) > 0).mean() > 0.2


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_any_share_of_winners(share, small_digits):
    cae = make_small(sparsity="winner_take_all", sparsity_level=share)
    assert np.isfinite(cae.fit(small_digits).score(small_digits))


@pytest.mark.parametrize("whiten", [None, 0.1])
def test_unpooled_codes_explain_nine_tenths(whiten, digits):
    cae = make_small(
        sparsity="winner_take_all",
        n_filters=32,
        kernel_size=5,
        pool_size=1,
        whiten=whiten,
        max_epochs=5,
    ).fit(digits[:1200])
    assert cae.score(digits[1200:]) >= 0.9
    assert_allclose(
        cae.inverse_transform(cae.transform(digits[:9])).mean(),
        digits[:9].mean(),
        rtol=0.1,
    )


# The penalty


@pytest.mark.parametrize("params", [{}, STACK], ids=["together", "stack"])
def test_penalty_makes_codes_sparser(params, digits):
    small, large = (
        make_small(
            sparsity="l1", sparsity_level=level, pool_size=1, max_epochs=10, **params
        ).fit_transform(digits[:300])
        for level in (0.0, 0.5)
    )
    assert np.abs(large).mean() < 0.7 * np.abs(small).mean()


def test_no_penalty_is_no_sparsity(small_digits):
    cae = make_small(sparsity="l1", sparsity_level=0.0).fit(small_digits)
    assert not changed(weights_of(cae), weights_of(make_small().fit(small_digits)))
