"""Parameters without effect are named, and nothing else is."""

import warnings

import pytest

from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer, recipes
from skcae.data.layout import Layout
from skcae.params.auto import resolve_parameters
from skcae.params.recipes import DETECTOR_FEATURES, DETECTOR_RECONSTRUCTION
from skcae.params.unused import warn_of_unused

from ..conftest import make_small

LAYOUTS = [Layout((40,)), Layout((8, 8)), Layout((32, 32, 3), -1), Layout((9, 9, 9))]

# By the parameter: a value, and what gives it an effect.
SWITCHES = {
    "threshold": (0.1, {"activation": ("relu", "two_sided"), "n_filters": (2, 2)}),
    "pool_mode": ("avg", {"pool_size": (1, 2), "n_filters": (2, 2)}),
    "pool_grid": (3, {"pooling": "avg"}),
    "corruption_level": (0.9, {"corruption": "mask"}),
    "sparsity_level": (0.3, {"sparsity": "l1"}),
    "crop_size": (4, {"sparsity": "winner_take_all"}),
    "validation_fraction": (0.3, {"early_stopping": True}),
}


def warn_of(cae, layout=LAYOUTS[1]):
    """Warn of parameters as a fit to samples of a layout does."""
    warn_of_unused(cae, resolve_parameters(cae, layout))


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", SWITCHES)
def test_value_without_effect(name, small_digits):
    value, _ = SWITCHES[name]
    off = {"pool_size": 1} if name == "pool_mode" else {}
    cae = make_small(max_epochs=0, **off, **{name: value})
    message = rf"Got {name}={value!r}, which has no effect here; expected .* Set "
    with pytest.warns(UserWarning, match=message) as caught:
        features = cae.fit_transform(small_digits)
    assert caught[0].filename == __file__
    assert (
        features == make_small(max_epochs=0, **off).fit_transform(small_digits)
    ).all()


@pytest.mark.parametrize("name", SWITCHES)
def test_value_with_an_effect(name, no_warnings):
    value, switch = SWITCHES[name]
    warn_of(make_small(**switch, **{name: value}))


@pytest.mark.parametrize("name", SWITCHES)
def test_default_without_effect(name, no_warnings):
    default = ConvAutoencoderTransformer().get_params()[name]
    warn_of(make_small(pool_size=1, **{name: default}))


def test_recipes_have_no_value_without_effect(no_warnings):
    private = [DETECTOR_RECONSTRUCTION, *DETECTOR_FEATURES.values()]
    for params in [{}, *recipes.values(), *private]:
        for layout in LAYOUTS:
            warn_of(ConvAutoencoderTransformer(**params), layout)


def test_value_of_a_recipe_that_a_given_one_switches_off(no_warnings):
    """A recipe's own values are nobody's mistake."""
    for given in ({"pooling": None}, {"sparsity": None}, {"activation": "abs"}):
        for name in recipes:
            warn_of(ConvAutoencoderTransformer(recipe=name, **given))


def test_classifier(small_digits, digit_labels):
    classifier = ConvAutoencoderClassifier(
        make_small(max_epochs=0), validation_fraction=0.2, max_epochs=0
    )
    with pytest.warns(UserWarning, match=r"validation_fraction=0\.2, which") as caught:
        classifier.fit(small_digits, digit_labels[:120])
    assert len(caught) == 1
