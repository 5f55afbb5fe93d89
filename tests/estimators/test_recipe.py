"""One autoencoder for all kinds of samples: recipes as a parameter."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skcae import ConvAutoencoderTransformer, recipes

from ..conftest import KINDS, assert_same_weights

# Enough to see that a recipe works.
FAST = {"max_epochs": 1, "max_samples": 64, "random_state": 0}
CHANNELS = {"colour": -1}


def fast(**params):
    return ConvAutoencoderTransformer(**FAST | params)


@pytest.fixture(scope="module")
def samples(digits, signals, volumes):
    """Samples for each recipe."""
    large = np.kron(digits[:80], np.ones((2, 2)))
    colour = np.stack([large, large[:, ::-1], large[:, :, ::-1]], axis=-1)
    others = {"grey": large, "colour": colour, "signal": signals, "volume": volumes}
    return {name: others.get(name, digits[:80]) for name in recipes}


@pytest.mark.parametrize("n_components", [None, 5])
@pytest.mark.parametrize("name", recipes)
def test_score_is_that_of_the_code(name, n_components, samples):
    X = samples[name].astype(np.float64)
    cae = fast(recipe=name, n_components=n_components, channel_axis=CHANNELS.get(name))
    if name == "small":
        # What this recipe solves for would else be trained, and one step from a decoder
        # that starts at random is worth less.
        cae.set_params(max_epochs=0)
    code = cae.fit(X[:60]).transform(X)
    rebuilt = cae.inverse_transform(code)
    assert rebuilt.shape == X.shape
    errors = np.square(rebuilt - X).reshape(len(X), -1)
    np.testing.assert_allclose(cae.score_samples(X), -errors.mean(axis=1), rtol=1e-3)
    explained = 1 - errors.sum() / np.square(X - cae.mean_).sum()
    assert cae.score(X) == pytest.approx(explained, abs=1e-4)
    assert cae.score(X[:60]) > (-1 if recipes[name]["init"] == "random" else -0.5)


@pytest.mark.parametrize("name", recipes)
def test_features_vary(name, samples):
    X = samples[name]
    cae = fast(recipe=name, channel_axis=CHANNELS.get(name)).fit(X)
    features = cae.transform(X)
    assert (features.std(axis=0) > 0).mean() > 0.5
    assert features.shape == (len(X), len(cae.get_feature_names_out()))


def test_features_of_textbook_stages_are_the_code_of_the_last(samples):
    X = samples["textbook_stacked"]
    cae = fast(recipe="textbook_stacked").fit(X)
    # Full padding: 8 -> 10 -> 5 -> 7 -> 4 -> 6 -> 3 positions per axis.
    assert cae.module_.architecture.code_shape == (32, 3, 3)
    assert cae.transform(X).shape == (len(X), 32 * 3 * 3)
    assert [row["stage"] for row in cae.history_] == [1, 2, 3]
    cae = fast(recipe="textbook").fit(X)
    assert cae.module_.architecture.code_shape == (32, 10, 10)


@pytest.mark.parametrize("name", recipes)
def test_name_and_keyword_arguments_are_the_same(name, samples):
    X, axis = samples[name], CHANNELS.get(name)
    by_name = fast(recipe=name, channel_axis=axis).fit(X)
    by_values = ConvAutoencoderTransformer(**recipes[name] | FAST).fit(X)
    assert_same_weights(by_name, by_values)
    assert by_name.recipe_ == name


@pytest.mark.parametrize("random_state", [0, None, np.random.RandomState(3)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_used_repeat_the_fit(kind, random_state, data_of):
    X = data_of[kind]
    cae = fast(channel_axis=KINDS[kind], random_state=random_state).fit(X)
    assert "auto" not in (cae.params_["recipe"], *map(cae.params_.get, recipes["grey"]))
    assert cae.params_.keys() == cae.get_params().keys()
    again = ConvAutoencoderTransformer(**cae.params_).fit(X)
    assert_same_weights(cae, again)
    np.testing.assert_array_equal(cae.transform(X), again.transform(X))
    assert again.params_ == pickle.loads(pickle.dumps(cae)).params_ == cae.params_


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_take_samples_of_any_kind_without_a_warning(kind, data_of):
    X = data_of[kind]
    cae = ConvAutoencoderTransformer(channel_axis=KINDS[kind], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = cae.fit_transform(X)
    assert np.isfinite(features).all()
    assert cae.score(X) > 0.5


@pytest.mark.parametrize(
    "shape", [(1,), (2,), (5,), (1, 1), (3, 40), (2, 3, 2), (1, 1, 1)], ids=str
)
def test_tiny_samples(shape):
    X = np.random.default_rng(0).normal(size=(20, *shape))
    cae = ConvAutoencoderTransformer(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Samples of shape .* volumes")
        features = cae.fit_transform(X)
    assert np.isfinite(features).all()
    rebuilt = cae.inverse_transform(features)
    assert rebuilt.shape == X.shape
    assert np.isfinite(cae.score(X))


def test_constant_channels(digits):
    X = np.stack([digits[:50], np.full((50, 8, 8), 3.0)], axis=-1)
    cae = ConvAutoencoderTransformer(channel_axis=-1, random_state=0).fit(X)
    rebuilt = cae.inverse_transform(cae.transform(X))
    np.testing.assert_allclose(rebuilt[..., 1], 3.0, atol=1e-5)
    assert cae.score(X) > 0.9


def test_number_of_features_is_bounded():
    rng = np.random.default_rng(0)
    widths = set()
    for side in (32, 128):
        X = rng.normal(size=(4, side, side, 3)).astype(np.float32)
        cae = fast(channel_axis=-1, max_epochs=0).fit(X)
        widths.add(cae.transform(X).shape[1])
    assert len(widths) == 1
    assert widths.pop() < 128 * 128


def test_search_over_recipes(digits, digit_labels):
    X, y = digits[:150], digit_labels[:150]
    pipeline = make_pipeline(fast(), RidgeClassifier())
    grid = {
        "convautoencodertransformer__recipe": ["auto", "textbook", "grey"],
        "convautoencodertransformer__n_filters": [4, (4, 2)],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.5
    assert len(set(search.cv_results_["mean_test_score"])) > 3
    best = search.best_estimator_[0]
    assert best.recipe_ in ("small", "textbook", "grey")


def test_clone_is_auto_again(small_digits):
    cae = fast().fit(small_digits)
    assert clone(cae).get_params() == fast().get_params()
    assert not hasattr(clone(cae), "recipe_")


def test_range_of_the_samples_is_kept(digits):
    cae = fast().fit(digits[:300])
    rebuilt = cae.inverse_transform(cae.transform(digits[300:600]))
    assert rebuilt.min() >= digits.min() - 1e-4
    assert rebuilt.max() <= digits.max() + 1e-4


@pytest.mark.parametrize("name", ["grey", "colour", "small", "volume"])
def test_larger_samples_are_rebuilt_in_the_size_of_the_fit(name, samples):
    X = samples[name]
    cae = fast(recipe=name, channel_axis=CHANNELS.get(name), max_epochs=0).fit(X)
    code = cae.transform(np.repeat(X[:9], 2, axis=1))
    assert code.shape == cae.transform(X[:9]).shape
    assert cae.inverse_transform(code).shape == X[:9].shape


def test_pieces_are_rebuilt_after_partial_fit(digits):
    cae = ConvAutoencoderTransformer(max_epochs=0, random_state=0)
    cae.partial_fit(digits[:200])
    first = cae.score(digits[1000:])
    for start in range(200, 1000, 100):
        cae.partial_fit(digits[start : start + 100])
    assert cae.score(digits[1000:]) > first > 0.5
