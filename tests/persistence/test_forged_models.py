"""Files of models that somebody has made up are refused before memory is taken."""

import copy

import numpy as np
import pytest
import skops.io
import torch

from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer

from ..conftest import make_small

TYPES = ["skcae.ConvAutoencoderClassifier", "skcae.ConvAutoencoderTransformer"]
HUGE = 10**9


def with_architecture(**changes):
    return lambda state: state["architecture"].update(changes)


def with_stage(**changes):
    return lambda state: state["architecture"]["stages"][0].update(changes)


def without_a_weight(state):
    del state["weights"]["encoder.0.convolution.bias"]


def with_double_weights(state):
    name = "encoder.0.convolution.bias"
    state["weights"][name] = state["weights"][name].astype(np.float64)


FORGERIES = {
    "filters": with_stage(n_filters=HUGE),
    "kernel": with_stage(kernel_size=HUGE + 1),
    "kernel of text": with_stage(kernel_size="large"),
    "negative": with_stage(n_filters=-1),
    "components": with_architecture(n_components=HUGE),
    "more than memory": with_architecture(n_components=HUGE**3),
    "whitening": with_architecture(whitening=(HUGE, HUGE)),
    "channels": with_architecture(n_channels=HUGE),
    "size": with_architecture(spatial=(HUGE, HUGE)),
    "no stages": with_architecture(stages=()),
    "layout": lambda state: state["layout"].update(shape=(HUGE, 8)),
    "missing weight": without_a_weight,
    "other type": with_double_weights,
    "no weights": lambda state: state.update(weights=None),
    "missing entry": lambda state: state.pop("seed"),
    "one entry more": lambda state: state.update(net="a net"),
}


def forged(model, change):
    """Return a file with a changed record of the fit."""
    state = copy.deepcopy(model.__getstate__())
    change(state["_fitted"])

    class Forged(type(model)):
        def __getstate__(self):
            return state

    Forged.__module__, Forged.__name__ = "skcae", type(model).__name__
    Forged.__qualname__ = Forged.__name__
    return skops.io.dumps(Forged())


@pytest.fixture(scope="module")
def classifier(fitted, small_digits, digit_labels):
    """A fitted classifier; do not fit it again."""
    classifier = ConvAutoencoderClassifier(fitted, max_epochs=1)
    return classifier.fit(small_digits, digit_labels[:120])


@pytest.mark.parametrize("name", FORGERIES)
def test_transformer(name, fitted, small_digits):
    content = forged(fitted, FORGERIES[name])
    with pytest.raises(ValueError, match=r"^Got .*; expected .*\. \w"):
        skops.io.loads(content, trusted=TYPES).transform(small_digits)


def test_honest_file(fitted, small_digits):
    loaded = skops.io.loads(forged(fitted, lambda state: None), trusted=TYPES)
    assert type(loaded) is ConvAutoencoderTransformer
    np.testing.assert_array_equal(
        loaded.transform(small_digits), fitted.transform(small_digits)
    )


@pytest.mark.parametrize("n_classes", [HUGE, 3, -1])
def test_classifier(n_classes, classifier, small_digits):
    def change(state):
        state["net_arguments"]["head_params"]["n_classes"] = n_classes

    with pytest.raises(ValueError, match=r"^Got .*; expected .*\. \w"):
        skops.io.loads(forged(classifier, change), trusted=TYPES).predict(small_digits)


def test_no_memory_is_taken_for_the_comparison(small_digits):
    """The module is built without its values before it is built with them."""
    model = make_small(n_filters=6, n_components=3, whiten=0.1).fit(small_digits)
    sizes = []

    class Sizes(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            result = function(*args, **kwargs or {})
            if isinstance(result, torch.Tensor) and result.device.type != "meta":
                sizes.append(result.numel())
            return result

    content = forged(model, with_stage(n_filters=10**6))
    loaded = skops.io.loads(content, trusted=TYPES)
    with Sizes(), pytest.raises(ValueError, match="fitted model"):
        loaded.transform(small_digits)
    assert max(sizes, default=0) < 10**6
