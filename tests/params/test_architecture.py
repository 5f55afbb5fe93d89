"""The record of what an autoencoder is built of."""

import numpy as np
import pytest

from skcae import ConvAutoencoderTransformer
from skcae.data.layout import Layout
from skcae.params.architecture import Architecture
from skcae.params.auto import resolve_parameters
from skcae.params.resolve import resolve_architecture
from skcae.params.stage import Stage

STAGES = [
    Stage(4, 3, 1, 2, "same", "two_sided"),
    Stage(2, 3, 1, 1, "same", "abs", depthwise=True),
]
BUILTINS = (dict, tuple, str, bool, int, float, type(None))


def values_in(value):
    yield value
    if isinstance(value, dict):
        value = value.values()
    if not isinstance(value, (str, int, float, type(None))):
        for item in value:
            yield from values_in(item)


def test_dict_of_builtins_and_back():
    architecture = Architecture(STAGES, [8, 8], whitening=[3, 3], pool_grid=[2])
    values = architecture.as_dict()
    assert all(type(value) in BUILTINS for value in values_in(values))
    again = Architecture.from_dict(values)
    assert again == architecture
    assert hash(again) == hash(architecture)
    assert again.as_dict() == values


def test_numbers_of_numpy_become_builtin():
    cae = ConvAutoencoderTransformer(
        n_filters=np.array([4, 2]).tolist(),
        kernel_size=np.int64(3),
        activation=np.str_("abs"),
        depthwise=(np.False_, np.True_),
        padding=np.str_("same"),
        n_components=np.int32(3),
        pooling=np.str_("avg"),
        pool_grid=np.int64(3),
        power=1,
        corruption_level=np.float32(0.25),
    )
    layout = Layout((8, 8))
    architecture = resolve_architecture(resolve_parameters(cae, layout), layout)
    assert all(type(value) in BUILTINS for value in values_in(architecture.as_dict()))


@pytest.mark.parametrize("place", ["itself", "a stage"])
def test_dict_with_other_names_is_refused(place):
    values = Architecture(STAGES, (8, 8)).as_dict()
    changed = values if place == "itself" else values["stages"][0]
    del changed["padding" if place == "a stage" else "power"]
    with pytest.raises(ValueError, match="expected .*padding|expected .*power"):
        Architecture.from_dict(values)


@pytest.mark.parametrize(
    ("params", "n_features"),
    [
        ({}, 16 * 4 * 4),
        ({"n_components": 5}, 5),
        ({"pooling": "max", "pool_grid": 3}, 16 * 9),
        ({"pooling": "max", "n_components": 5}, 5),
        ({"pooling": "max", "n_components": 5, "feature_stages": "all"}, 5),
        ({"pooling": "avg", "feature_stages": "all", "pool_grid": (3, 2)}, 8 * 9 + 64),
    ],
)
def test_number_of_features(params, n_features):
    torch = pytest.importorskip("torch")
    from skcae.nn.autoencoder import ConvAutoencoder

    architecture = Architecture(STAGES, (8, 8), **params)
    assert architecture.n_features == n_features
    module = ConvAutoencoder(architecture)
    module.reset_parameters(torch.Generator().manual_seed(0))
    x = torch.zeros(2, 1, 8, 8)
    assert module.features(x).shape == (2, n_features)
    assert module.encode(x).shape[1:] == architecture.code_shape
