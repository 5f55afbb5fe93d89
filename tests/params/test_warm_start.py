"""A warm start refuses what changes the weights' meaning, and nothing else."""

import pytest

from skcae.data.layout import Layout
from skcae.params.auto import resolve_parameters
from skcae.params.learning import learning_params
from skcae.params.resolve import resolve_architecture
from skcae.params.warm_start import warm_start_signature

from ..conftest import make_small


def signature(**params):
    layout = Layout((8, 8))
    resolved = resolve_parameters(make_small(**params), layout)
    architecture = resolve_architecture(resolved, layout)
    return warm_start_signature(architecture, learning_params(resolved))


@pytest.mark.parametrize(
    ("name", "value", "switch"),
    [
        ("threshold", 0.1, {"activation": "two_sided"}),
        ("pool_grid", 3, {"pooling": "avg"}),
        ("pool_mode", "avg", {"pool_size": 2}),
    ],
)
def test_what_has_no_effect_may_change(name, value, switch):
    off = {"pool_size": 1} if name == "pool_mode" else {}
    assert signature(**off) == signature(**off, **{name: value})
    first, second = signature(**switch), signature(**switch, **{name: value})
    assert {key for key in first if first[key] != second[key]} == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_filters", 3),
        ("n_filters", (4, 2)),
        ("activation", "abs"),
        ("whiten", 0.1),
        ("n_components", 2),
        ("output_activation", "tanh"),
        ("tied_weights", True),
        ("padding", "full"),
    ],
)
def test_what_weights_depend_on_may_not_change(name, value):
    assert signature()[name] != signature(**{name: value})[name]


@pytest.mark.parametrize("params", [{"corruption": "mask"}, {"lr": 1.0}])
def test_ways_of_training_may_change(params):
    assert signature() == signature(**params)


@pytest.mark.filterwarnings("ignore:Got threshold=0.1, which has no effect")
def test_warm_start_with_a_changed_threshold(small_digits):
    cae = make_small(warm_start=True, max_epochs=1).fit(small_digits)
    cae.set_params(threshold=0.1).fit(small_digits)
    assert cae.n_iter_ == 2
    cae = make_small(warm_start=True, max_epochs=1, activation="two_sided")
    cae.fit(small_digits).set_params(threshold=0.1)
    with pytest.raises(ValueError, match=r"Got threshold=0\.1 in a warm start"):
        cae.fit(small_digits)
