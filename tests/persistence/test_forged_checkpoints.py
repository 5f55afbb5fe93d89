"""Files that somebody has made up are refused before anything of them is set."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skcae.persistence.serialization import deserialize, serialize

from .conftest import fit_interrupted, make

pytestmark = pytest.mark.usefixtures("uninterrupted")

DAMAGED = r"Got checkpoint='.*fit', which cannot be read \(.*\); expected .* Name"


def content_of(path):
    _, _, payload = path.read_bytes().partition(b"\n")
    return torch.load(io.BytesIO(payload), weights_only=True)


def forge(path, content):
    """Write a file as `fit` would, with a checksum that is right."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getvalue()
    head, _, _ = path.read_bytes().partition(b"\n")
    words = head.split(b" ")
    words[-1] = hashlib.sha256(payload).hexdigest().encode()
    path.write_bytes(b" ".join(words) + b"\n" + payload)


def changed(state, change):
    """Return the state of an optimizer with all tensors of its parameters changed."""
    return {
        number: {
            name: change(value) if value.ndim else value
            for name, value in values.items()
        }
        for number, values in state.items()
    }


def rebuilt(tensor):
    return torch.zeros([1] * tensor.ndim)


STATES = {
    "one value": lambda state: changed(state, rebuilt),
    "other shape": lambda state: changed(state, lambda t: t[..., :1].clone()),
    "other dtype": lambda state: changed(state, torch.Tensor.half),
    "sparse": lambda state: changed(state, torch.Tensor.to_sparse),
    "no tensor": lambda state: changed(state, lambda t: 1.0),
    "another parameter": lambda state: state | {99: state[0]},
    "missing": lambda state: {0: {"step": state[0]["step"]}},
    "a list": lambda state: list(state.values()),
    "long step": lambda state: {
        0: state[0] | {"step": torch.zeros(5)},
        **{number: state[number] for number in state if number},
    },
}


REFUSED = """
import sys
from sklearn.datasets import load_digits
from tests.persistence.conftest import make

X = load_digits().images[:120]
for path in sys.argv[1:]:
    try:
        make(checkpoint=path).fit(X)
    except ValueError as error:
        assert "which cannot be read" in str(error), (path, error)
    else:
        raise AssertionError(f"{path} was read")
"""


def test_state_of_the_optimizer(small_digits, path):
    """In a process of its own, as what is not refused writes where it should not."""
    fit_interrupted(make(checkpoint=path), small_digits, 3)
    content = content_of(path)
    optimizer = deserialize(content["optimizer"])
    paths = []
    for name, change in STATES.items():
        forged = optimizer | {"state": change(optimizer["state"])}
        paths.append(path.with_name(name))
        paths[-1].write_bytes(path.read_bytes())
        forge(paths[-1], content | {"optimizer": serialize(forged)})
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", REFUSED, *paths], check=True, cwd=root)


def test_tensor_whose_memory_is_one_value(small_digits, path):
    """It has the right shape, but is not as large as it looks."""
    fit_interrupted(make(checkpoint=path), small_digits, 3)
    content = content_of(path)
    optimizer = deserialize(content["optimizer"])
    optimizer["state"] = changed(
        optimizer["state"], lambda t: torch.zeros([1] * t.ndim).expand(t.shape)
    )
    forge(path, content | {"optimizer": serialize(optimizer)})
    state = make(checkpoint=path).fit(small_digits).net_.optimizer_.state
    for parameter, values in state.items():
        for value in values.values():
            assert not value.ndim or value.stride() == parameter.stride()


@pytest.mark.parametrize(
    "options",
    [{"fused": None}, {"betas": 0.9}, {"lr": "fast"}, {"amsgrad": True}, {"more": "x"}],
    ids=str,
)
def test_options_of_the_optimizer(options, small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    content = content_of(path)
    optimizer = deserialize(content["optimizer"])
    optimizer["param_groups"][0].update(options)
    forge(path, content | {"optimizer": serialize(optimizer)})
    with pytest.raises(ValueError, match=DAMAGED):
        make(checkpoint=path).fit(small_digits)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("change", [rebuilt, torch.Tensor.double], ids=["size", "type"])
def test_weights(change, finished, small_digits, path):
    cae = make(checkpoint=path)
    if finished:
        cae.fit(small_digits)
    else:
        fit_interrupted(cae, small_digits, 2)
    content = content_of(path)
    weights = {k: change(v) for k, v in deserialize(content["module"]).items()}
    forge(path, content | {"module": serialize(weights)})
    with pytest.raises(ValueError, match=DAMAGED):
        make(checkpoint=path).fit(small_digits)


class Random(Callback):
    """Draws from what reads wherever its position points to."""

    def on_train_begin(self, net, **kwargs):
        self.old_ = np.random.RandomState(0)  # noqa: NPY002
        self.philox_ = np.random.Generator(np.random.Philox(0))
        self.new_ = np.random.default_rng(0)


def without_sense(name, state):
    """Yield states of a generator that its kind cannot have."""
    if name == "new_":
        yield state | {"has_uint32": "one"}
        yield state | {"bit_generator": "MT19937"}
        return
    for position in (10**9, -(10**6), 10**30, "3"):
        if name == "old_":
            yield state | {"state": state["state"] | {"pos": position}}
        else:
            yield state | {"buffer_pos": position}
    yield state | {"state": state["state"] | {"key": np.zeros(1, dtype=np.uint32)}}


@pytest.mark.parametrize("name", ["old_", "philox_", "new_"])
def test_generators(name, small_digits, path):
    params = {"callbacks": [("random", Random())], "checkpoint": path}
    fit_interrupted(make(**params), small_digits, 2)
    content = content_of(path)
    kind, state = content["callbacks"]["random (Random)"][name]
    for forged in without_sense(name, deserialize(state)):
        callbacks = content["callbacks"] | {
            "random (Random)": {name: (kind, serialize(forged))}
        }
        forge(path, content | {"callbacks": callbacks})
        with pytest.raises(ValueError, match=DAMAGED):
            make(**params).fit(small_digits)
    forge(path, content)
    assert make(**params).fit(small_digits).n_iter_ == 3


class Optimizes(Callback):
    """Has an optimizer of its own."""

    def on_train_begin(self, net, **kwargs):
        self.optimizer_ = torch.optim.Adam(net.module_.parameters(), fused=True)

    def on_epoch_end(self, net, **kwargs):
        self.optimizer_.step()


def test_optimizer_of_a_callback(small_digits, path):
    params = {"callbacks": [("own", Optimizes())], "checkpoint": path}
    fit_interrupted(make(**params), small_digits, 3)
    content = content_of(path)
    kind, state = content["callbacks"]["own (Optimizes)"]["optimizer_"]
    state = deserialize(state)
    forged = state | {"state": changed(state["state"], rebuilt)}
    callbacks = {"own (Optimizes)": {"optimizer_": (kind, serialize(forged))}}
    forge(path, content | {"callbacks": content["callbacks"] | callbacks})
    with pytest.raises(ValueError, match=DAMAGED):
        make(**params).fit(small_digits)
