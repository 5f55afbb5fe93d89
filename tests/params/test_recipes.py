"""Keyword sets for kinds of data."""

import inspect
import pickle

import pytest
from sklearn.base import clone

from skcae import ConvAutoencoderTransformer, recipes


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
