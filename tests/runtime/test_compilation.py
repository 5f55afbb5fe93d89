"""compile=True: the same results through torch.compile, which no file ever holds."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skcae.runtime import compilation
from skcae.runtime.compilation import compiled, for_full_batches
from skcae.training import loop

from ..conftest import make_small

CONFIGURATIONS = [
    {},
    {"n_components": 3, "early_stopping": True},
    {"tied_weights": True, "n_filters": (4, 6), "corruption": "mask"},
    {"pooling": "avg", "activation": "abs", "stride": 2},
    {"precision": "bfloat16"},
    {"loss": "log_loss", "padding": "full", "pool_size": 1},
]


@pytest.fixture
def eager(monkeypatch):
    """A fake torch.compile: counts what it gets, and leaves it as it is."""
    functions = []

    def compile(function, dynamic=None):
        functions.append((function.__name__, dynamic))
        return function

    monkeypatch.setattr(torch, "compile", compile)
    monkeypatch.setattr(loop, "check_compiler", lambda device: None)
    compilation._compiled.cache_clear()
    yield functions
    compilation._compiled.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("params", CONFIGURATIONS, ids=str)
def test_same_results(params, digits):
    X = digits[:300]
    plain, fast = (
        make_small(compile=compile, **params).fit(X) for compile in (False, True)
    )
    rounded = params.get("precision") == "bfloat16"
    tolerance = {"rtol": 1e-2 if rounded else 1e-4, "atol": 1e-2 if rounded else 1e-4}
    for got, expected in zip(fast.history_, plain.history_, strict=True):
        np.testing.assert_allclose(
            got["train_loss"], expected["train_loss"], **tolerance
        )
    features = fast.transform(X)
    np.testing.assert_allclose(features, plain.transform(X), **tolerance)
    np.testing.assert_array_equal(fast.transform(X[:3]), features[:3])
    assert fast.score(X) == pytest.approx(plain.score(X), abs=1e-2 if rounded else 1e-4)
    np.testing.assert_allclose(
        fast.inverse_transform(features), plain.inverse_transform(features), atol=0.1
    )


def test_compiled_once_for_partial_batches_and_equal_architectures(digits):
    from torch._dynamo.utils import counters

    def n_graphs():
        return counters["stats"]["unique_graphs"]

    X = digits[:150]  # batches of 64, 64 and 22
    cae = make_small(compile=True, n_filters=5).fit(X)
    plain = make_small(n_filters=5).fit(X)
    np.testing.assert_allclose(cae.transform(X), plain.transform(X), atol=1e-4)
    before = n_graphs()
    other = make_small(compile=True, n_filters=5, lr=0.01, random_state=1).fit(X)
    other.transform(X)
    other.fit(X[:149]).transform(X[:7])
    pickle.loads(pickle.dumps(cae)).transform(X)
    assert n_graphs() == before
    # Nothing keeps the module alive.
    module = weakref.ref(other.module_)
    del other
    gc.collect()
    assert module() is None


def test_what_is_compiled(digits, eager):
    cae = make_small(compile=True, corruption="mask").fit(digits[:100])
    assert eager == [("training_output", False)]
    features = cae.transform(digits[:100])
    cae.inverse_transform(features)
    cae.score(digits[:100])
    expected = [("encode", None), ("decode", None), ("forward", None)]
    assert eager[1:] == expected
    cae.partial_fit(digits[:100]).transform(digits[:50])
    assert eager[1:] == expected
    make_small(compile=True, batch_size=32).fit(digits[:100])
    assert len(eager) == 5
    make_small(compile=False).fit_transform(digits[:100])
    assert len(eager) == 5


def test_untrained_filters_need_no_compiler(digits, monkeypatch):
    monkeypatch.setattr(loop, "check_compiler", None)
    make_small(compile=True, max_epochs=0).fit(digits[:100])


def test_architectures_do_not_share_code(digits, eager):
    nets = [
        make_small(compile=True, n_filters=n, max_epochs=0).fit(digits[:50]).net_
        for n in range(1, 13)
    ]
    codes = set()
    for net in nets:
        function = type(net.module_).features
        compiled(function, net)
        architecture = tuple(sorted(net.get_params_for("module").items()))
        codes.add(
            id(compilation._compiled(function, architecture, "cpu", None).__code__)
        )
    assert len(codes) == len(nets)


def test_the_partial_batch_is_not_compiled():
    chosen = []
    function = for_full_batches(
        lambda _, x: chosen.append(("compiled", len(x))),
        lambda _, x: chosen.append(("plain", len(x))),
        3,
    )
    for size in (3, 3, 2):
        function(None, torch.zeros(size))
    assert chosen == [("compiled", 3), ("compiled", 3), ("plain", 2)]


class Copies:
    """Made in the middle of a training."""


def test_nothing_compiled_is_a_part_of_a_model(digits, eager):
    from skorch.callbacks import Callback

    class Copying(Callback):
        def on_epoch_end(self, net, **kwargs):
            Copies.net = copy.deepcopy(net)

    X = digits[:100]
    cae = make_small(compile=True, callbacks=[Copying()]).fit(X)
    assert type(cae.module_).__module__ == "skcae.nn.autoencoder"
    assert "_training_output" not in vars(cae.net_)
    assert "_training_output" not in vars(Copies.net)
    assert clone(cae.net_).compile is True
    assert clone(cae).compile is True
    assert copy.deepcopy(cae.module_).encode(torch.zeros(1, 1, 8, 8)).shape[1] == 4
    state = pickle.dumps(make_small(compile=True).fit(X))
    assert b"torch" not in state
    np.testing.assert_allclose(
        pickle.loads(state).transform(X), cae.transform(X), atol=1e-5
    )


class NoCompilerError(torch._dynamo.exc.TorchDynamoException):
    """What dynamo raises on the first call."""


MESSAGE = (
    r"Got compile=True, but torch.compile fails here \(no compiler\); expected what it "
    r"needs: .*\. Install these, or set compile=False\."
)


@pytest.fixture
def broken(eager, monkeypatch):
    """A torch.compile that fails on the first call of what it makes."""

    def compile(function, dynamic=None):
        def fail(*args):
            raise NoCompilerError("no compiler\nand a long traceback")

        return fail

    monkeypatch.setattr(torch, "compile", compile)
    return monkeypatch


def test_no_compiler_is_an_error_before_any_training(digits, broken):
    broken.undo()
    broken.setattr(torch, "compile", lambda *args, **kwargs: 1 / 0)
    compilation._try_compiler.cache_clear()
    with pytest.raises(ValueError, match=r"fails here \(division by zero\); expected"):
        make_small(compile=True).fit(digits[:50])
    compilation._try_compiler.cache_clear()


def test_first_call_that_fails(digits, broken):
    cae = make_small(compile=True)
    with pytest.raises(ValueError, match=MESSAGE) as info:
        cae.fit(digits[:50])
    assert not cae.__sklearn_is_fitted__()
    assert info.value.__context__ is None


@pytest.mark.parametrize("when", ["first call", "at once"])
def test_fitted_model_transforms_without_a_compiler(when, digits, broken):
    X = digits[:100]
    cae = make_small(compile=True, max_epochs=0).fit(X)
    expected = make_small(max_epochs=0).fit(X).transform(X)
    if when == "at once":

        def refuse(function, dynamic=None):
            raise RuntimeError("no compiler")

        broken.setattr(torch, "compile", refuse)
    with pytest.warns(UserWarning, match=MESSAGE + " It is computed without") as caught:
        features = cae.transform(X)
    np.testing.assert_array_equal(features, expected)
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.slow
def test_machine_without_a_compiler(tmp_path):
    script = """
import numpy as np
from skcae import ConvAutoencoderTransformer
try:
    cae = ConvAutoencoderTransformer(recipe="tutorial", compile=True)
    cae.fit(np.random.rand(40, 8, 8))
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ
        | {"CXX": str(tmp_path / "g++"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Got compile=True, but torch.compile fails here (No ")
