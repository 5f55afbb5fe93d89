"""What "auto" stands for."""

import inspect

import numpy as np
import pytest

from skcae import ConvAutoencoderTransformer, recipes
from skcae.data.layout import Layout
from skcae.params.auto import recipe_for, resolve_parameters
from skcae.params.recipes import TUTORIAL

IMAGES = Layout((28, 28))
# What a recipe without epochs does where it is asked to train.
TRAINS = {"max_epochs": 10}


def resolved(layout=IMAGES, **params):
    return vars(resolve_parameters(ConvAutoencoderTransformer(**params), layout))


def stages(params):
    """Return the values that are one per stage, or one for all of them."""
    return {name: params[name] for name in ("n_filters", "depthwise", "activation")}


@pytest.mark.parametrize(
    ("shape", "channel_axis", "name"),
    [
        ((2,), None, "signal"),
        ((500,), None, "signal"),
        ((100, 3), -1, "signal"),
        ((8, 8), None, "small"),
        ((11, 400), None, "small"),
        ((8, 8, 3), -1, "small"),
        ((12, 12), None, "medium"),
        ((19, 40), None, "medium"),
        ((20, 20), None, "grey"),
        ((1, 64, 64), 0, "grey"),
        ((32, 32, 3), -1, "colour"),
        ((2, 64, 64), 0, "colour"),
        ((6, 8, 8), None, "volume"),
        ((32, 32, 32, 2), -1, "volume"),
    ],
)
def test_recipe_by_the_samples(shape, channel_axis, name):
    assert recipe_for(Layout(shape, channel_axis)) == name
    params = resolved(Layout(shape, channel_axis), channel_axis=channel_axis)
    assert params["recipe"] == name
    for parameter in TUTORIAL:
        assert params[parameter] == recipes[name][parameter]


def test_parameters_that_recipes_decide_are_auto():
    parameters = inspect.signature(ConvAutoencoderTransformer).parameters
    auto = {name for name, row in parameters.items() if row.default == "auto"}
    assert auto == TUTORIAL.keys() | {"recipe", "device", "precision"}
    for name in recipes:
        assert recipes[name].keys() - {"channel_axis"} == TUTORIAL.keys()


def test_values_that_are_given_win():
    params = resolved(recipe="grey", whiten=None, kernel_size=5, lr=0.2, crop_size=9)
    expected = recipes["grey"] | {"whiten": None, "kernel_size": 5, "lr": 0.2} | TRAINS
    for name, value in (expected | {"crop_size": 9}).items():
        assert params[name] == value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"n_filters": 16},
            {"n_filters": 16, "depthwise": False, "activation": "two_sided"},
        ),
        (
            {"n_filters": (16, 4, 2)},
            {
                "n_filters": (16, 4, 2),
                "depthwise": (False, True, True),
                "activation": ("two_sided", "abs", "abs"),
            },
        ),
        (
            {"kernel_size": (9, 7, 5)},
            {
                "n_filters": (32, 8, 8),
                "depthwise": (False, True, True),
                "activation": ("two_sided", "abs", "abs"),
            },
        ),
        (
            {"n_filters": [4]},
            {"n_filters": [4], "depthwise": False, "activation": "two_sided"},
        ),
        ({"kernel_size": 9}, stages(recipes["grey"])),
    ],
    ids=str,
)
def test_number_of_stages(given, expected):
    assert stages(resolved(recipe="grey", **given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (4, 3)),
        ({"n_filters": 8}, 4),
        ({"n_filters": (8, 4, 2)}, (4, 3, 3)),
        ({"feature_stages": "last"}, 3),
        ({"n_filters": 8, "feature_stages": "last"}, 4),
        ({"pool_grid": 2}, 2),
    ],
    ids=str,
)
def test_grid_of_the_stages(given, expected):
    layout = Layout((32, 32, 3), -1)
    assert resolved(layout, channel_axis=-1, **given)["pool_grid"] == expected


@pytest.mark.parametrize(
    ("given", "given_way"),
    [
        ({"output_activation": "sigmoid"}, {"whiten": None}),
        ({"loss": "log_loss"}, {"whiten": None, "sparsity": None} | TRAINS),
        ({"loss": "huber"}, {"sparsity": None} | TRAINS),
        ({"corruption": "mask"}, {"sparsity": None} | TRAINS),
        ({"lr": 0.001}, TRAINS),
        ({"sparsity": "winner_take_all"}, TRAINS),
        ({"sparsity": "l1"}, TRAINS),
        ({"optimizer": "sgd"}, TRAINS),
        ({"weight_decay": 0.1}, TRAINS),
        ({"early_stopping": True}, TRAINS),
        ({"tied_weights": True}, {"sparsity": None}),
        ({"stride": (1, 2)}, {"sparsity": None}),
        ({"pooling": None}, {"feature_stages": "last", "power": 1.0}),
    ],
    ids=str,
)
def test_a_recipe_gives_way(given, given_way, digits):
    X = np.kron(digits[:30], np.ones((2, 2)))
    params = resolved(recipe="grey", **given)
    for name in TUTORIAL.keys() - given.keys() - given_way.keys():
        assert (name, params[name]) in (recipes["grey"] | {"pool_grid": 4}).items()
    assert given_way.items() <= params.items()
    small = {"n_filters": (4, 2), "max_epochs": 1, "random_state": 0}
    cae = ConvAutoencoderTransformer(recipe="grey", **small, **given).fit(X)
    assert np.isfinite(cae.score(X))


def test_values_that_are_given_do_not_give_way(small_digits):
    cae = ConvAutoencoderTransformer(pooling=None, power=0.5)
    with pytest.raises(ValueError, match=r"Got power=0\.5 with pooling=None; expected"):
        cae.fit(small_digits)


@pytest.mark.parametrize(
    ("name", "action"), [("gray", "Did you mean 'grey'"), ("best", "Choose one")]
)
def test_wrong_name(name, action, small_digits):
    message = rf"^Got recipe {name!r}; expected one of .'auto', 'grey'.*\. {action}"
    with pytest.raises(ValueError, match=message):
        ConvAutoencoderTransformer(recipe=name).fit(small_digits)
