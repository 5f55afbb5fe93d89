"""How samples are rebuilt from pooled features, against scikit-learn's ridge."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from skorch.callbacks import Callback

import skcae
from skcae.nn.code_decoder import CodeDecoder
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage
from skcae.training import code_decoder_fit
from skcae.training.code_decoder_fit import fit_code_decoder, start_code_decoder

from ..conftest import KINDS, make_small

POOLED = {"pooling": "avg", "pool_grid": 3}
ROOTS = POOLED | {"power": 0.5, "n_filters": (6, 2), "feature_stages": "all"}


def make_decoder(spatial, n_filters, **params):
    stage = Stage(n_filters, 3, 1, 1, "same", "abs")
    return CodeDecoder(Architecture([stage], spatial, pooling="avg", **params)).eval()


def problem(n_samples, power, seed=0):
    """Return a decoder, features and signals that depend on them."""
    rng = np.random.default_rng(seed)
    decoder = make_decoder((12,), 5, pool_grid=3, power=power)
    features = rng.uniform(0.1, 2, size=(n_samples, 15)).astype(np.float32)
    x = features @ rng.normal(size=(15, 12)) + rng.normal(size=(n_samples, 12))
    return decoder, torch.from_numpy(features), x.astype(np.float32)


def fit(decoder, features, x, **params):
    start_code_decoder(decoder, features.__getitem__, x, 0)
    fit_code_decoder(decoder, features.__getitem__, x, **params)


def regression(decoder, features, x):
    """Return what a ridge regression sees, and its target."""
    reduced = decoder.reduce(features).double().numpy()
    return reduced, (x - decoder.mean.numpy()) @ decoder.atoms.double().numpy()


# Reduced features, and the solution


@pytest.mark.parametrize("power", [1.0, 0.5, 2.0])
def test_features_are_seen_as_they_are_and_without_the_power(power):
    decoder, features, x = problem(200, power)
    fit(decoder, features, x)
    maps = features.reshape(200, 5, 3).transpose(1, 2).double()  # cells, then maps
    forms = [maps] if power == 1 else [maps, maps ** (1 / power)]
    assert len(decoder.directions) == len(forms)
    rows = []
    for form, directions in zip(forms, decoder.directions, strict=True):
        directions = directions.double().numpy()
        form = form.numpy()
        # Directions are principal components, with one scale for all of them.
        products = directions @ directions.T
        scale = products.diagonal().mean()
        np.testing.assert_allclose(products, scale * np.eye(5), atol=1e-5 * scale)
        values = (form @ directions.T).reshape(600, 5)
        covariance = np.cov(values.T, bias=True)
        np.testing.assert_allclose(np.trace(covariance), 5, rtol=1e-4)
        off = covariance - np.diag(np.diag(covariance))
        np.testing.assert_allclose(off, 0, atol=1e-4)
        rows.append(values.reshape(200, 15))
    expected = np.concatenate(rows, axis=1)
    np.testing.assert_allclose(decoder.reduce(features), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize("n_samples", [12, 40, 120])
def test_solution_is_that_of_ridge_regression(n_samples, power):
    decoder, features, x = problem(n_samples, power)
    fit(decoder, features, x)
    reduced, target = regression(decoder, features, x)
    unit = np.square(reduced - reduced.mean(axis=0)).mean()
    # The penalty is the one that suits left-out samples best.
    ridges = [Ridge(unit * factor) for factor in code_decoder_fit._PENALTIES]
    errors = [
        np.square(cross_val_predict(ridge, reduced, target, cv=LeaveOneOut()) - target)
        for ridge in ridges
    ]
    best = ridges[np.argmin([error.sum() for error in errors])].fit(reduced, target)
    expected = best.predict(reduced) @ decoder.atoms.double().numpy().T
    expected += decoder.mean.numpy()
    with torch.no_grad():
        rebuilt = decoder(features).flatten(1)
    np.testing.assert_allclose(rebuilt, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30), (50, 50), (2500, 7)])
def test_primal_and_dual_problem_have_one_solution(shape):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=shape).astype(np.float32)
    targets = rng.normal(size=(shape[0], 4)).astype(np.float32)
    exact = rows.astype(np.float64)
    products = exact.T @ exact + 3.0 * np.eye(shape[1])
    expected = np.linalg.solve(products, exact.T @ targets)
    solution = code_decoder_fit._solve_ridge(rows, targets, 3.0)
    np.testing.assert_allclose(solution, expected, atol=1e-5)


def test_atoms_are_principal_components_of_the_samples(digits):
    cae = make_small(**POOLED).fit(digits)
    atoms = cae.module_.code_decoder.atoms.double().numpy()
    np.testing.assert_allclose(atoms.T @ atoms, np.eye(64), atol=1e-5)
    few = make_small(**POOLED).fit(digits[:20])
    norms = few.module_.code_decoder.atoms.norm(dim=0)
    # Centred samples do not span more, and what is left over is nothing.
    np.testing.assert_allclose(norms[:19], 1, rtol=1e-4)
    np.testing.assert_array_equal(norms[20:], 0)


# What it explains


UNSEEN = {
    "pooled": POOLED | {"n_filters": 16, "max_epochs": 3},
    "maximum": {"pooling": "max", "pool_grid": 4, "n_filters": 16},
    "roots": ROOTS,
    "squares": POOLED | {"n_filters": 16, "power": 2.0},
    "small": skcae.recipes["small"] | {"n_filters": 32},
    "grey": skcae.recipes["grey"] | {"n_filters": (8, 3), "max_epochs": 1},
}


@pytest.mark.parametrize("name", UNSEEN)
def test_no_less_is_explained_than_by_a_plain_regression(name, digits):
    X, unseen = digits[:1000], digits[1000:]
    cae = make_small(**UNSEEN[name]).fit(X)
    pixels = RidgeCV(np.logspace(-4, 4, 17)).fit(cae.transform(X), X.reshape(1000, -1))
    rebuilt = pixels.predict(cae.transform(unseen)).reshape(unseen.shape)
    error = np.square(rebuilt - unseen).sum()
    plain = 1 - error / np.square(unseen - cae.mean_).sum()
    assert cae.score(unseen) > plain - 0.002


@pytest.mark.parametrize("params", [POOLED, ROOTS], ids=["means", "roots"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_samples(kind, params, data_of):
    X = data_of[kind].astype(np.float64)
    cae = make_small(**params, channel_axis=KINDS[kind]).fit(X)
    rebuilt = cae.inverse_transform(cae.transform(X))
    assert rebuilt.shape == X.shape
    assert rebuilt.min() >= X.min() - 1e-3
    assert rebuilt.max() <= X.max() + 1e-3
    explained = 1 - np.square(rebuilt - X).sum() / np.square(X - cae.mean_).sum()
    assert cae.score(X) == pytest.approx(explained, abs=1e-4)
    assert explained > 0.3


def test_reconstructions_from_components_lead_through_the_features(digits):
    cae = make_small(**ROOTS, n_components=6).fit(digits[:300])
    code = torch.from_numpy(cae.transform(digits[300:400]))
    module = cae.module_.eval()
    with torch.no_grad():
        features = module.features_of_code(code)
        expected = module.scaler.inverse(module.code_decoder(features))[:, 0]
    assert features.shape == (100, 9 * (6 + 2))
    found = cae.inverse_transform(code.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-4)


# Further samples


@pytest.mark.parametrize("params", [POOLED, ROOTS], ids=["means", "roots"])
def test_partial_fit_keeps_what_was_learnt(params, digits, digit_labels):
    few, many = digits[digit_labels < 5], digits[digit_labels >= 5]
    # Filters that stay, so that features of what was seen before do.
    cae = make_small(**params, lr=1e-12).partial_fit(few)
    decoder = cae.module_.code_decoder
    kept = {
        name: value.clone()
        for name, value in decoder.named_buffers()
        if name not in ("weight", "offset", "low", "high")
    }
    before = cae.score(few), cae.score(many)
    cae.partial_fit(many)
    forgetful = make_small(**params, lr=1e-12).partial_fit(many)
    lost, most = before[0] - cae.score(few), before[0] - forgetful.score(few)
    assert lost < most / 3
    assert cae.score(many) > before[1]
    for name, value in cae.module_.code_decoder.named_buffers():
        if name in kept:
            assert torch.equal(value, kept[name]), name
    at_once = make_small(**params, lr=1e-12).partial_fit(digits)
    assert cae.score(digits) > at_once.score(digits) - 0.06


def test_pieces_weigh_by_their_samples():
    """The mean that is rebuilt is that of all samples so far."""
    decoder, features, x = problem(300, 1.0)
    fit(decoder, features[:200], x[:200])
    same = features[:100]
    # Samples like those before, but all of them larger: only the offset can tell.
    fit_code_decoder(decoder, same.__getitem__, x[:100] + 3, n_before=200)
    with torch.no_grad():
        rebuilt = decoder(same).flatten(1).numpy()
    np.testing.assert_allclose((rebuilt - x[:100]).mean(), 1.0, atol=0.05)


def test_range_grows_with_further_samples_and_is_new_in_a_new_fit(digits):
    X = digits[:200]
    cae = make_small(**POOLED, warm_start=True).partial_fit(X)
    bright = np.repeat(4 * X, 3, axis=0)
    # Features far beyond all that was seen ask for more than the range allows.
    extreme = 100 * cae.transform(bright)

    def reach():
        rebuilt = cae.inverse_transform(extreme)
        return rebuilt.min(), rebuilt.max()

    np.testing.assert_allclose(reach(), (0, 16), atol=1e-4)
    np.testing.assert_allclose(cae.partial_fit(bright) and reach(), (0, 64), atol=1e-3)
    np.testing.assert_allclose(cae.partial_fit(X) and reach(), (0, 64), atol=1e-3)
    np.testing.assert_allclose(cae.fit(X) and reach(), (0, 16), atol=1e-3)


# Odd data


class NoResponse(Callback):
    """Leave filters that never respond, as a training that goes wrong does."""

    def on_train_end(self, net, **kwargs):
        net.module_.encoder[0].convolution.bias.data.fill_(-1e6)
        net.module_.encoder[-1].convolution.bias.data.fill_(-1e6)


@pytest.mark.parametrize("params", [POOLED, ROOTS], ids=["means", "roots"])
def test_features_that_do_not_vary(params, digits):
    X = digits[:50]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", message=".* constant over")
        cae = make_small(**params, callbacks=[NoResponse()]).fit(X)
        assert not cae.transform(X).any()
        rebuilt = cae.inverse_transform(cae.transform(X))
    mean = np.broadcast_to(X.mean(axis=0), X.shape)
    np.testing.assert_allclose(rebuilt, mean, atol=1e-4)
    assert cae.score(X) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("n_samples", [2, 3, 9])
@pytest.mark.parametrize("params", [POOLED, ROOTS], ids=["means", "roots"])
def test_few_samples(params, n_samples, digits):
    X = digits[:n_samples]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        cae = make_small(**params).fit(X)
    assert 0 < cae.score(X) <= 1


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("value", [1e3, 1e12, -1e18])
def test_features_beyond_all_that_was_seen(power, value, small_digits):
    cae = make_small(**POOLED, power=power).fit(small_digits)
    features = np.full((3, 36), value, dtype=np.float32)
    rebuilt = cae.inverse_transform(features)
    assert rebuilt.min() >= -1e-4
    assert rebuilt.max() <= 16 + 1e-4
