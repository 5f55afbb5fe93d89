"""Files hold parameters and numpy weights, and load in another process."""

import copy
import io
import json
import os
import pickle
import re
import subprocess
import sys
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import skops.io
from safetensors.torch import load_model, save_model
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skops.io.exceptions import UntrustedTypesFoundException

import skcae
from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)
from skcae.persistence.fitted_state import FORMAT

from ..conftest import make_small
from .conftest import Bomb

# All that whoever loads a file has to trust.
OWN_TYPES = ["skcae.ConvAutoencoderTransformer"]
LOADERS = {
    "pickle": "import pickle; model = pickle.load(open(path, 'rb'))",
    "joblib": "import joblib; model = joblib.load(path)",
    "skops": (
        "import skops.io; "
        "trusted = skops.io.get_untrusted_types(file=path); "
        f"assert trusted == {OWN_TYPES}, trusted; "
        "model = skops.io.load(path, trusted=trusted)"
    ),
}
CONFIGURATIONS = {
    "default": {},
    "dense": {"n_components": 3},
    "components": {
        "n_filters": (4, 6),
        "n_components": 3,
        "pooling": "avg",
        "feature_stages": "all",
        "power": 0.5,
    },
    "tied": {"tied_weights": True, "pool_size": 1},
    "stages": {"n_filters": (4, 6), "activation": ["tanh", "relu"]},
    "denoising": {"corruption": "mask", "early_stopping": True},
    "net_params": {"net_params": {"optimizer__betas": (0.8, 0.9)}},
}


def dump(model, path, kind):
    if kind == "pickle":
        path.write_bytes(pickle.dumps(model))
    elif kind == "joblib":
        joblib.dump(model, path)
    else:
        skops.io.dump(model, path)


@pytest.mark.parametrize("kind", LOADERS)
def test_second_process(kind, small_digits, tmp_path):
    models = {
        name: make_small(**params).fit(small_digits)
        for name, params in CONFIGURATIONS.items()
    }
    np.save(tmp_path / "X.npy", small_digits)
    for name, model in models.items():
        dump(model, tmp_path / f"{name}.model", kind)
        np.save(tmp_path / f"{name}.npy", model.transform(small_digits))
        np.save(
            tmp_path / f"{name}.inverse.npy",
            model.inverse_transform(model.transform(small_digits)),
        )
    script = f"""
import numpy as np
X = np.load("X.npy")
for name in {list(models)!r}:
    path = name + ".model"
    {LOADERS[kind]}
    features = model.transform(X)
    assert (features == np.load(name + ".npy")).all(), name
    inverse = model.inverse_transform(features)
    assert (inverse == np.load(name + ".inverse.npy")).all(), name
    assert model.partial_fit(X).n_iter_ == 3, name
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)


def test_fitted_pipeline_survives_skops(small_digits, digit_labels, tmp_path):
    pipeline = make_pipeline(make_small(), LogisticRegression(max_iter=500))
    pipeline.fit(small_digits, digit_labels[:120])
    skops.io.dump(pipeline, tmp_path / "model.skops")
    trusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    assert trusted == OWN_TYPES
    loaded = skops.io.load(tmp_path / "model.skops", trusted=trusted)
    expected = pipeline.predict_proba(small_digits)
    np.testing.assert_array_equal(loaded.predict_proba(small_digits), expected)


def test_no_pickle_in_a_skops_file(fitted):
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(fitted))) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert len(contents) > 3
    for name, content in contents.items():
        assert name == "schema.json" or content.startswith(b"\x93NUMPY"), name
        if name != "schema.json":
            np.load(io.BytesIO(content), allow_pickle=False)
    assert b"pickle" not in contents["schema.json"].lower()


def tampered(content, **changes):
    """Return a skops file with some of its parts changed by functions."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w") as new,
    ):
        for name in old.namelist():
            kind = name.rpartition(".")[2]
            change = changes.get(kind, lambda part: part)
            new.writestr(name, change(old.read(name)))
    return result.getvalue()


def test_pickles_in_place_of_weights_are_refused(fitted, tmp_path):
    bomb = tmp_path / "exploded"
    pickled = io.BytesIO()
    np.save(pickled, np.array([Bomb(bomb)], dtype=object), allow_pickle=True)
    for content in (pickle.dumps(Bomb(bomb)), pickled.getvalue()):
        file = tampered(skops.io.dumps(fitted), npy=lambda _, new=content: new)
        with pytest.raises(ValueError, match="allow_pickle"):
            skops.io.loads(file, trusted=OWN_TYPES)
    assert not bomb.exists()


@pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode", "ObjectNode"])
def test_foreign_names_are_refused(loader, fitted):
    def name_another(schema):
        state = json.loads(schema)
        attributes = state["content"]["content"]
        attributes["_fitted"] = {
            "__module__": "subprocess",
            "__class__": "Popen",
            "__loader__": loader,
            "content": attributes["_fitted"],
        }
        return json.dumps(state).encode()

    file = tampered(skops.io.dumps(fitted), json=name_another)
    assert "subprocess.Popen" in skops.io.get_untrusted_types(data=file)
    with pytest.raises(UntrustedTypesFoundException, match="subprocess.Popen"):
        skops.io.loads(file, trusted=OWN_TYPES)


def test_format_is_a_number_of_the_file_alone(fitted):
    assert fitted.__getstate__()["_format"] == FORMAT
    assert "_format" not in vars(pickle.loads(pickle.dumps(fitted)))


@pytest.mark.parametrize("number", [FORMAT + 1, FORMAT - 1, None])
def test_file_of_another_format_is_refused(number, fitted):
    state = fitted.__getstate__() | {"_format": number}
    model = ConvAutoencoderTransformer.__new__(ConvAutoencoderTransformer)
    with pytest.raises(ValueError, match=f"in format {number}; .*Update skcae"):
        model.__setstate__(state)


def test_files_name_public_classes_alone(fitted, small_digits, digit_labels):
    y = digit_labels[:120]
    models = [
        ConvAutoencoderClassifier(fitted, max_epochs=1).fit(small_digits, y),
        ConvAutoencoderOutlierDetector(fitted).fit(small_digits),
    ]
    for model in models:
        public = {f"skcae.{type(model).__name__}", *OWN_TYPES}
        content = skops.io.dumps(model)
        assert set(skops.io.get_untrusted_types(data=content)) == public
        names = re.findall(rb"skcae\.[\w.]+", content + pickle.dumps(model))
        assert {name.decode() for name in names} <= public


def test_public_classes_are_found_where_they_say():
    for name in skcae.__all__:
        if isinstance(getattr(skcae, name), type):
            assert getattr(skcae, name).__module__ == "skcae"


def test_pickle_names_no_torch_object(fitted):
    data = pickle.dumps(fitted)
    assert b"torch" not in data
    assert b"skorch" not in data


def test_pickle_holds_weights_and_little_else(small_digits):
    model = make_small(n_filters=64, kernel_size=7).fit(small_digits)
    weights = sum(p.numel() * 4 for p in model.module_.state_dict().values())
    assert len(pickle.dumps(model)) < weights + 8_000


@pytest.mark.parametrize("name", ["default", "dense", "tied", "thresholds"])
def test_weights_through_safetensors(name, small_digits, tmp_path):
    params = CONFIGURATIONS.get(name, {"activation": "two_sided", "whiten": 0.1})
    model = make_small(**params).fit(small_digits)
    save_model(model.module_, tmp_path / "weights.safetensors")
    other = make_small(**params | {"max_epochs": 0, "random_state": 1})
    other.fit(small_digits[:20])
    expected = model.transform(small_digits)
    assert (other.transform(small_digits) != expected).any()
    load_model(other.module_, tmp_path / "weights.safetensors")
    features = other.transform(small_digits)
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(
        other.inverse_transform(features), model.inverse_transform(features)
    )


def test_unfitted(small_digits, tmp_path):
    for kind in LOADERS:
        dump(make_small(), tmp_path / kind, kind)
    loaded = pickle.loads((tmp_path / "pickle").read_bytes())
    assert loaded.get_params() == make_small().get_params()
    assert not hasattr(loaded, "net_")


def test_copies_are_independent(small_digits):
    model = make_small().fit(small_digits)
    before = model.transform(small_digits)
    for copied in (copy.copy(model), copy.deepcopy(model)):
        copied.partial_fit(small_digits)
        assert (copied.transform(small_digits) != before).any()
    np.testing.assert_array_equal(model.transform(small_digits), before)


def test_changed_parameters_do_not_change_a_loaded_model(small_digits):
    model = make_small().fit(small_digits)
    expected = model.transform(small_digits)
    loaded = pickle.loads(pickle.dumps(model)).set_params(n_filters=9, padding="full")
    np.testing.assert_array_equal(loaded.transform(small_digits), expected)


def loaded_on_another_machine(model, device):
    """Return a model fitted here as it loads where there is no such device."""
    return pickle.loads(pickle.dumps(model)).set_params(device=device)


@pytest.mark.parametrize("device", ["cuda:77", "meta", "hpu"])
def test_device_that_is_gone_falls_back_to_the_cpu(device, fitted, small_digits):
    expected = fitted.transform(small_digits)
    loaded = loaded_on_another_machine(fitted, device)
    with pytest.warns(UserWarning, match=f"Got device='{device}'.*runs on the CPU"):
        features = loaded.transform(small_digits)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    with warnings.catch_warnings(action="error"):  # once is enough
        loaded.transform(small_digits)
        assert loaded.partial_fit(small_digits).n_iter_ == 3
    with pytest.raises(ValueError, match=f"Got device='{device}'.*Use device='auto'"):
        loaded.fit(small_digits)


def test_auto_looks_for_a_device_without_warning(fitted, small_digits):
    loaded = loaded_on_another_machine(fitted, "cuda:77").set_params(device="auto")
    with warnings.catch_warnings(action="error"):
        loaded.transform(small_digits)
        loaded.fit(small_digits)


def test_device_of_the_file_is_kept_for_the_next_machine(fitted, small_digits):
    loaded = loaded_on_another_machine(fitted, "cuda:77")
    with pytest.warns(UserWarning, match="runs on the CPU"):
        loaded.transform(small_digits)
    again = pickle.loads(pickle.dumps(loaded))
    assert again.device == "cuda:77"
    assert pickle.dumps(again) == pickle.dumps(loaded)


def test_all_estimators_of_a_device_that_is_gone(fitted, small_digits, digit_labels):
    """Files with device="cuda", in a process that sees no such device."""
    y = digit_labels[:120]
    models = {
        "transform": fitted,
        "predict_proba": ConvAutoencoderClassifier(fitted, max_epochs=1).fit(
            small_digits, y
        ),
        "decision_function": ConvAutoencoderOutlierDetector(fitted).fit(small_digits),
    }
    expected = {name: getattr(m, name)(small_digits) for name, m in models.items()}
    models = {name: copy.deepcopy(model) for name, model in models.items()}
    models["transform"].set_params(device="cuda")
    models["predict_proba"].set_params(device="cuda")
    models["decision_function"].autoencoder_.set_params(device="cuda")
    script = """
import pickle, sys, warnings
models, X = pickle.load(sys.stdin.buffer)
results = {}
for name, model in models.items():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        results[name] = getattr(model, name)(X)
    (warning,) = found
    assert "Got device='cuda'" in str(warning.message), warning
    assert "runs on the CPU" in str(warning.message), warning
pickle.dump(results, sys.stdout.buffer)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps((models, small_digits)),
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        check=True,
    )
    for name, result in pickle.loads(done.stdout).items():
        np.testing.assert_allclose(result, expected[name], rtol=1e-4, atol=1e-5)


def test_clone_is_unfitted(fitted):
    assert not hasattr(clone(fitted), "module_")


def test_loaded_model_does_not_look_at_changed_parameters(small_digits):
    model = make_small().fit(small_digits)
    expected = model.transform(small_digits)
    loaded = pickle.loads(pickle.dumps(model)).set_params(optimizer="none of these")
    np.testing.assert_array_equal(loaded.transform(small_digits), expected)


def test_threads_share_a_loaded_model(small_digits):
    model = make_small(n_filters=(8, 16, 32)).fit(small_digits)
    expected = model.transform(small_digits)
    for _ in range(5):
        loaded = pickle.loads(pickle.dumps(model))
        with ThreadPoolExecutor(4) as pool:
            for features in pool.map(loaded.transform, [small_digits] * 8):
                np.testing.assert_array_equal(features, expected)
