"""Checkpoints of other fits, and files that are none, are refused and left alone."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import LRScheduler

from skcae.data.layout import Layout
from skcae.params.auto import resolve_parameters
from skcae.persistence.checkpoint_file import FORMAT

from .conftest import OTHER, Bomb, Interrupt, assert_same_fit, fit_interrupted, make

pytestmark = pytest.mark.usefixtures("uninterrupted")

DAMAGED = r"Got checkpoint='.*fit', which cannot be read \(.*\); expected .* Name"
OTHER_PARAMETERS = {
    "lr": 0.01,
    "n_filters": 5,
    "max_epochs": 4,
    "random_state": 1,
    "corruption": "mask",
    "net_params": {"optimizer__betas": (0.8, 0.9)},
    "power": 0.5,
    "pooling": "avg",
}


@pytest.mark.parametrize("name", OTHER_PARAMETERS)
@pytest.mark.parametrize("finished", [False, True])
def test_other_parameters_are_refused(name, finished, small_digits, path):
    params = {"pooling": "max"} if name == "power" else {}
    cae = make(checkpoint=path, **params)
    if finished:
        cae.fit(small_digits)
    else:
        fit_interrupted(cae, small_digits, 2)
    content = path.read_bytes()
    used = resolve_parameters(cae, Layout((8, 8)))
    came, expected = getattr(used, name), OTHER_PARAMETERS[name]
    message = rf"with {name}={came}; expected one with {name}="
    cae.set_params(**{name: expected})
    with pytest.raises(ValueError, match=message.replace("'", ".")):
        cae.fit(small_digits)
    assert path.read_bytes() == content


def test_other_callbacks_are_refused(small_digits, path):
    for milestones in ([1, 2], [1, 3]):
        schedule = LRScheduler(policy="MultiStepLR", milestones=milestones)
        cae = make(callbacks=[schedule], checkpoint=path)
        if not path.exists():
            fit_interrupted(cae, small_digits, 2)
    with pytest.raises(ValueError, match=r"milestones=\(1, 2\).* expected .*\(1, 3\)"):
        cae.fit(small_digits)


def test_other_data_are_refused(small_digits, digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    changed = small_digits.copy()
    changed[77, 3, 3] += 1
    for X in (
        small_digits[:-1],
        small_digits[::-1],
        small_digits.astype(np.float32),
        small_digits[:, :, :-1],
        changed,
    ):
        with pytest.raises(ValueError, match=OTHER.format(r"X=an array .* hash")):
            make(checkpoint=path).fit(X)
    with pytest.raises(ValueError, match=OTHER.format("X_val=None")):
        make(checkpoint=path).fit(small_digits, X_val=digits[:50])
    make(checkpoint=path).fit(small_digits.copy())


def test_one_other_sample_among_many(tmp_path, path):
    # So many that most of them are not looked at.
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (20000, 512))
    X[:] = np.random.default_rng(0).normal(size=512)
    X[0] = 0
    params = {"max_epochs": 1, "max_samples": 64, "pool_size": 4, "n_filters": 2}
    fit_interrupted(make(checkpoint=path, **params), X, 1)
    X[12345] += 1
    with pytest.raises(ValueError, match=OTHER.format("samples in X of another mean")):
        make(checkpoint=path, **params).fit(X)
    X[12345] -= 1
    assert make(checkpoint=path, **params).fit(X).n_iter_ == 1


def test_parameters_without_a_part_in_the_result(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    cae = make(checkpoint=str(path), verbose=1, device="cpu", warm_start=True)
    assert_same_fit(cae.fit(small_digits), make().fit(small_digits))


def damaged(content):
    """Yield files that are not what was written."""
    yield b""
    yield content[:-1]
    yield content[: len(content) // 2]
    yield content[:80]
    for place in (3, 40, 1000, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        yield bytes(changed)
    yield b"results that somebody needs"


def test_damaged_files_are_refused(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)
        assert path.read_bytes() == content
    assert Interrupt.n_epochs == 0


def sealed(payload, number=FORMAT):
    sha = hashlib.sha256(payload).hexdigest()
    return f"skcae checkpoint {number} {'0' * 16} {sha}\n".encode() + payload


def test_nothing_in_a_file_is_run(small_digits, path, tmp_path):
    bomb = tmp_path / "exploded"
    torch.save({"identity": Bomb(bomb)}, tmp_path / "zip")
    for payload in (pickle.dumps(Bomb(bomb)), (tmp_path / "zip").read_bytes()):
        path.write_bytes(sealed(payload))
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)
    assert not bomb.exists()


def test_contents_that_make_no_sense_are_refused(small_digits, path):
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    _, _, payload = path.read_bytes().partition(b"\n")
    (path.parent / "payload").write_bytes(payload)
    content = torch.load(path.parent / "payload", weights_only=True)
    changes = [
        {"identity": 3},
        {"seed": None},
        {"mean": None},
        {"number": "one"},
        {"generators": {"order": ("generator", 1)}},
        {"module": ("dict", [])},
        {"optimizer": ("unknown", [])},
        {"history": [3]},
    ]
    for change in changes:
        torch.save(content | change, path.parent / "payload")
        path.write_bytes(sealed((path.parent / "payload").read_bytes()))
        with pytest.raises(ValueError, match=DAMAGED):
            make(checkpoint=path).fit(small_digits)


def test_other_formats_are_refused(small_digits, path):
    path.write_bytes(sealed(b"of the future", FORMAT + 1))
    with pytest.raises(
        ValueError, match=rf"it has format {FORMAT + 1}, this .*{FORMAT}"
    ):
        make(checkpoint=path).fit(small_digits)


def test_other_version_of_a_library(small_digits, path, monkeypatch):
    versions = {"PyTorch": "2.0", "numpy": np.__version__}
    monkeypatch.setattr("skcae.persistence.checkpoint._VERSIONS", versions)
    fit_interrupted(make(checkpoint=path), small_digits, 2)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="'PyTorch': '2.0'.* last digits") as caught:
        make(checkpoint=path).fit(small_digits)
    assert caught[0].filename == __file__
