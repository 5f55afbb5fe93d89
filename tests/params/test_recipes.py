"""Keyword sets for kinds of data."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skcae import ConvAutoencoderTransformer, recipes

FAST = {"max_samples": 64, "random_state": 0}


@pytest.fixture(scope="module")
def samples(digits, signals, volumes):
    """A few samples of every kind."""
    large = np.kron(digits[:60], np.ones((1, 2, 2)))
    return {
        "grey": large,
        "colour": np.stack([large, large[:, ::-1], large[:, :, ::-1]], axis=-1),
        "small": digits[:60],
        "signal": signals,
        "volume": volumes,
        "textbook": digits[:60],
        "textbook_stacked": digits[:60],
        "textbook_denoising": digits[:60],
    }


def make(name, **params):
    return ConvAutoencoderTransformer(**recipes[name] | FAST | params)


@pytest.mark.parametrize("name", recipes)
def test_every_recipe_fits_and_transforms(name, samples):
    X = samples[name]
    epochs = min(2, recipes[name].get("max_epochs", 2))
    cae = make(name, max_epochs=epochs).fit(X)
    features = cae.transform(X)
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).mean() > 0.5
    assert features.shape == (len(X), len(cae.get_feature_names_out()))


@pytest.mark.parametrize("name", ["grey", "colour", "small", "volume"])
def test_features_do_not_depend_on_the_size(name, samples):
    X = samples[name]
    cae = make(name, max_epochs=0).fit(X)
    larger = np.repeat(X, 2, axis=1)
    assert cae.transform(larger).shape == cae.transform(X).shape


def test_features_of_a_stack_are_the_code_of_its_last_stage(samples):
    X = samples["textbook_stacked"]
    cae = make("textbook_stacked", max_epochs=1).fit(X)
    # Full padding: 8 -> 10 -> 5 -> 7 -> 4 -> 6 -> 3 positions per axis.
    assert cae.module_.architecture.code_shape == (32, 3, 3)
    assert cae.transform(X).shape == (len(X), 32 * 3 * 3)
    assert [row["stage"] for row in cae.history_] == [1, 2, 3]


def test_textbook_keeps_the_size_by_zeros_around_the_samples(samples):
    cae = make("textbook", max_epochs=1).fit(samples["textbook"])
    assert cae.module_.architecture.code_shape == (32, 10, 10)
    rebuilt = cae.inverse_transform(cae.transform(samples["textbook"]))
    assert rebuilt.shape == samples["textbook"].shape


def test_a_changed_recipe_changes_no_other():
    params = recipes["grey"]
    params["n_filters"] = (1, 1)
    assert recipes["grey"]["n_filters"] != (1, 1)


def test_recipes_are_plain_values_that_can_be_cloned():
    for name in recipes:
        assert type(recipes[name]) is dict
        cae = ConvAutoencoderTransformer(**recipes[name])
        params = clone(cae).get_params()
        assert recipes[name].items() <= params.items()


@pytest.mark.parametrize(
    ("name", "action"), [("gray", "Did you mean 'grey'"), (3, "Choose one")]
)
def test_unknown_recipe(name, action):
    message = rf"^Got recipe {name!r}; expected one of \['grey', .*\]\. {action}"
    with pytest.raises(KeyError, match=message) as caught:
        recipes[name]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert name not in recipes
    assert recipes.get(name) is None


def test_every_recipe_is_described():
    text = inspect.getdoc(type(recipes))
    assert [name for name in recipes if f'``"{name}"``' not in text] == []
