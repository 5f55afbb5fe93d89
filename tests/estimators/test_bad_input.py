"""What bad input gets: one table of calls and of the errors they end in."""

import re
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import skorch
import torch
from skorch.callbacks import EpochScoring

from skcae.params.constraints import PARAMETER_CONSTRAINTS

from ..conftest import make_small

IMAGES = np.random.default_rng(0).normal(size=(12, 8, 8)).astype(np.float32)
FLAT = IMAGES.reshape(12, 64)
COLOURS = np.stack([IMAGES, -IMAGES, IMAGES**2], axis=-1)
FRAME = pd.DataFrame(FLAT, columns=[f"pixel {i}" for i in range(64)])
DATES = pd.date_range("2020-01-01", periods=12)
LIBRARIES = [Path(library.__file__).parent for library in (torch, skorch)]


class Row(NamedTuple):
    """A call, and the error that it must end in."""

    name: str
    method: str
    args: tuple
    params: dict
    message: str
    kind: type = ValueError
    fitted_on: Any = None
    changes: dict = {}
    kwargs: dict = {}


def refuses(name, X, message, kind=ValueError, **params):
    """A row for `fit` of a new estimator."""
    return Row(name, "fit", (X,), params, message, kind)


def refuses_val(name, X_val, message, kind=ValueError):
    """A row for `fit` with validation samples."""
    name = f"X_val-{name}"
    return Row(name, "fit", (IMAGES,), {}, message, kind, kwargs={"X_val": X_val})


def refuses_later(name, method, X, message, kind=ValueError, on=IMAGES, **params):
    """A row for a method of an estimator fitted on `on`."""
    return Row(f"{method}-{name}", method, (X,), params, message, kind, on)


def refuses_warm(name, X, message, on=IMAGES, **changes):
    """A row for a warm start with other data or other parameters."""
    start = {"warm_start": True}
    return Row(
        f"warm-start-{name}", "fit", (X,), start, message, ValueError, on, changes
    )


def spoiled(value, dtype=np.float64):
    """Return images of which one value is another."""
    X = IMAGES.astype(dtype)
    X[7, 2, 3] = value
    return X


# Values that no parameter takes, for every parameter there is.
BAD_VALUES = {
    "input_shape": [64, "8x8", (), (0, 8), (-8, -8), (8.0, 8.0), (True, 64), ("8",)],
    "channel_axis": ["last", 1.0, True, 2, -3],
    "n_filters": [0, -1, 2.5, "4", None, True, (4, 0), (4, True), (4, "8"), (), []],
    "kernel_size": [0, "3", 3.0, True, (3, 0), ((3, 3), 3), ()],
    "stride": [0, 1.5, False, True, (1, 0), [1, None], ()],
    "pool_size": [0, None, True, (2, -2), ()],
    "pool_mode": ["mean", None, ("max", "avg")],
    "depthwise": [1, None, "yes", (False, 1), (True, None), ()],
    "padding": ["causal", 1, None, ("same", "valid")],
    "whiten": ["zca", True, 0, -0.1, np.nan, np.inf],
    "activation": ["elu", None, ("relu", "elu"), ("relu", ["abs"]), (), torch.nn.ReLU],
    "threshold": [-0.1, "high", None, True, np.nan, np.inf],
    "output_activation": ["softmax", ("identity",), None, "triangle", "two_sided"],
    "tied_weights": [1, "yes", None],
    "n_components": [0, 2.5, "mle", True],
    "loss": ["mse", None],
    "corruption": ["dropout", True, 0.3],
    "corruption_level": [-0.1, "much", None, True, np.nan, np.inf],
    "sparsity": ["much", True],
    "sparsity_level": [-0.1, 1.5, "much", True, np.nan],
    "init": ["zeros", None, IMAGES],
    "layerwise": [None, "yes", 1],
    "pooling": ["mean", True],
    "pool_grid": [0, 2.5, (2, 2), True, (0,), (), [None]],
    "feature_stages": ["first", None, (0, 1)],
    "power": [0, -0.5, "sqrt", None, True, np.nan, np.inf],
    "optimizer": ["lbfgs", None, torch.optim.SGD],
    "lr": [0, -1.0, "fast", None, True, np.nan, np.inf],
    "weight_decay": [-1, "some", None, True, np.nan, np.inf],
    "batch_size": [0, -1, 2.0, "all", True],
    "max_epochs": [-1, 1.5, None, True],
    "max_samples": [0, -1, 0.5, "all", True],
    "crop_size": [0, 2.5, (3, 3), "small", True],
    "early_stopping": [1, "yes", None],
    "validation_fraction": [0, 1.0, "some", np.nan, True],
    "n_iter_no_change": [0, 2.5, None, True],
    "tol": [-1, "low", None, True, np.nan],
    "warm_start": [1, "yes", None],
    "checkpoint": [0, True, "", "no folder/fit", "/dev/null", "x" * 5000],
    "random_state": [-1, 2**40, 1.5, "seed"],
    "verbose": [-1, "loud", None],
    "device": [0, None, torch.device("cpu"), "tpu", "", "cuda:99", "cpu:-1"],
    "precision": [32, None, "double"],
    "compile": [None, "yes", 1],
    "callbacks": ["early", EpochScoring],
    "net_params": [[("lr", 1)], "lr"],
}


def bad_values(table):
    """Rows for a table of parameters and values."""
    for name, values in table.items():
        for value in values:
            came = re.escape(repr(value))
            message = (
                rf"'{name}' parameter of \w+ must be (.|\n)*Got {came} instead|"
                rf"Got {name}={came}(;| \(| for samples|, which)"
            )
            label = f"{name}={value!r}"[:40].split("\n")[0]
            # Where the value is no constraint's business, it is for the shape's.
            X = FLAT if name == "input_shape" else IMAGES
            kind = (ValueError, TypeError)
            yield Row(label, "fit", (X,), {name: value}, message, kind)


FINITE = "contains {} or a value too large .* samples 0 to 11; expected finite"
NUMBERS = "Got X that is no array of numbers .*{}.* expected real numbers"
DTYPE = "Got X of dtype .*{}.* expected real numbers"
STAGES = r"Got n_filters=\({}\) \({} stages\); expected .* each of {}\. Make"
OWN = "Got '{}' in net_params; expected .* Pass {}=.* to ConvAutoencoderTransformer"
UNKNOWN = "Got {} in net_params; expected one of .* 'optimizer__' .* Remove"
CALLBACK = "Got {} in callbacks; expected skorch .* scikit-learn's to set_callbacks"
WIDTH = "X has {} features, but .* is expecting {} features"
SHAPE = r"with samples of shape \({}\), but .* fitted on samples of shape \({}\)"
WARM = r"Got {}.* in a warm start from .*; expected the architecture"
UNFITTED = "instance is not fitted yet. Call 'fit'"
KERNEL = (
    r"stage {} puts a filter of kernel_size={} on maps of shape \({}\) with "
    "padding='valid'; expected filters no larger"
)

PARAMETERS = [
    refuses("stages-2-3", IMAGES, STAGES.format("2, 2", 2, 3), n_filters=(2, 2),
            kernel_size=(3, 3, 3)),
    refuses("stages-1-2", IMAGES, STAGES.format("2,", 1, 2), n_filters=(2,),
            activation=("relu", "tanh")),
    refuses("stages-empty", IMAGES, r"Got stride=\(\) \(0 stages\)", stride=(),
            n_filters=(2, 2)),
    refuses("mask-above-1", IMAGES, "Got corruption_level=1.5 .*'mask'; expected a sh",
            corruption="mask", corruption_level=1.5),
    refuses("salt-above-1", IMAGES, "corruption_level=2 .*'salt_and_pepper'; expected",
            corruption="salt_and_pepper", corruption_level=2),
    refuses("log-loss-tanh", IMAGES, "'log_loss' .*='tanh'; expected 'sigmoid'",
            loss="log_loss", output_activation="tanh"),
    refuses("log-loss-relu", IMAGES, "'log_loss' .*='relu'; expected 'sigmoid'",
            loss="log_loss", output_activation="relu"),
    refuses("stages-depthwise", IMAGES,
            r"Got depthwise=\(False, True\) \(2 stages\); .* each of 3\. Make n_fil",
            n_filters=(2, 2, 2), depthwise=(False, True)),
    refuses("triangle-one-map", IMAGES, "'triangle' with n_filters=1 and .*; expected "
            "at least two filters .* Choose", n_filters=1, activation="triangle"),
    refuses("triangle-depthwise", IMAGES, "'triangle' .*depthwise=True; expected at l",
            n_filters=(2, 2), activation=("relu", "triangle"), depthwise=(False, True)),
    refuses("grids-2-of-1", IMAGES, r"Got pool_grid=\(2, 3\) \(2 values\) with "
            r"feature_stages='last' and 2 stage\(s\); expected one number, or one for "
            r"each of 1\. Correct", n_filters=(2, 2), pooling="max", pool_grid=(2, 3)),
    refuses("grids-3-of-2", IMAGES, r"\(3 values\) .*='all' .* each of 2\. Correct",
            n_filters=(2, 2), pooling="avg", feature_stages="all", pool_grid=[2, 1, 1]),
    refuses("all-stages-unpooled", IMAGES, "Got feature_stages='all' with pooling=None;"
            " expected pooled maps, .* Set pooling='avg'", feature_stages="all"),
    refuses("all-stages-dense", IMAGES, "'all' with n_components=3; expected one of the"
            " two, .* Set feature_stages='last' or n_components=None",
            feature_stages="all", pooling="avg", n_components=3),
    refuses("power-unpooled", IMAGES, "Got power=0.5 with pooling=None and .*; expected"
            " power=1 .* Set pooling='avg' and n_components=None", power=0.5),
    refuses("power-dense", IMAGES, "power=2 .*n_components=3; expected power=1",
            power=2, pooling="max", n_components=3),
    refuses("whiten-log-loss", IMAGES, "Got whiten=0.1 with an output activation 'sig.*"
            "; expected 'identity', .* Leave output_activation", whiten=0.1,
            loss="log_loss"),
    refuses("whiten-tanh", IMAGES, "activation 'tanh'; expected 'identity'",
            whiten=0.1, output_activation="tanh"),
    refuses("winners-stages", IMAGES, "Got sparsity='winner_take_all' with 2 stages; ex"
            "pected one stage at a time. Set layerwise=True", n_filters=(2, 2),
            sparsity="winner_take_all"),
    refuses("winners-noise", IMAGES, "Got corruption='mask' with sparsity='winner_take_"
            "all'; expected one of the two. Set one to None", corruption="mask",
            sparsity="winner_take_all"),
    refuses("winners-tied", IMAGES, "Got tied_weights=True with sparsity='winner_.*; ex"
            "pected False: .* Set tied_weights=False", tied_weights=True,
            sparsity="winner_take_all"),
    refuses("winners-stride", IMAGES, "Got stride=2 with sparsity='winner_take_all'; ex"
            "pected 1, .* Set stride=1 and use pool_size", stride=2,
            sparsity="winner_take_all"),
    refuses("winners-dense", IMAGES, "Got n_components=3 with layerwise=False and spars"
            "ity='winner_take_all'; expected n_components=None .* Put PCA",
            n_components=3, sparsity="winner_take_all"),
    refuses("layerwise-dense", IMAGES, "n_components=3 with layerwise=True .*; expected"
            " n_components=None .* Put PCA", n_components=3, layerwise=True),
    refuses("kernel-too-large", IMAGES, KERNEL.format(1, 9, "8, 8"), kernel_size=9,
            padding="valid"),
    refuses("kernel-too-large-second-stage", IMAGES, KERNEL.format(2, 5, "2, 2"),
            n_filters=(2, 2), kernel_size=5, padding="valid"),
    refuses("kernel-too-large-signal", FLAT, KERNEL.format(1, 65, "64,"),
            kernel_size=65, padding="valid"),
    refuses("callback-number", IMAGES, CALLBACK.format(1), TypeError, callbacks=[1]),
    refuses("callback-text", IMAGES, CALLBACK.format("'stop'"), TypeError,
            callbacks=["stop"]),
    refuses("callback-none", IMAGES, CALLBACK.format(None), TypeError,
            callbacks=[None]),
    refuses("callback-class", IMAGES, CALLBACK.format("<class 'int'>"), TypeError,
            callbacks=[int]),
    refuses("callback-pair", IMAGES, CALLBACK.format(r"\('a', 1\)"), TypeError,
            callbacks=(("a", 1),)),
    refuses("callback-half-pair", IMAGES, CALLBACK.format(r"\('a',\)"), TypeError,
            callbacks=[("a",)]),
    refuses("callback-module", IMAGES, CALLBACK.format(r"ReLU\(\)"), TypeError,
            callbacks=[torch.nn.ReLU()]),
    *(refuses(f"net-own-{key}", IMAGES, OWN.format(key, name), net_params={key: value})
      for key, name, value in [
          ("lr", "lr", 0.1),
          ("batch_size", "batch_size", 8),
          ("max_epochs", "max_epochs", 3),
          ("optimizer", "optimizer", "adam"),
          ("callbacks", "callbacks", []),
          ("device", "device", "cpu"),
          ("verbose", "verbose", 1),
          ("warm_start", "warm_start", True),
          ("compile", "compile", True),
          ("optimizer__lr", "lr", 0.1),
          ("optimizer__weight_decay", "weight_decay", 0.1),
          ("criterion__loss", "loss", "huber"),
          ("module__n_components", "n_components", 3),
          ("iterator_train__batch_size", "batch_size", 8),
      ]),
    *(refuses(f"net-unknown-{key}", IMAGES, UNKNOWN.format(repr(key)),
              net_params={"optimizer__betas": (0.8, 0.9), key: None})
      for key in [
          "spam",
          1,
          "module",
          "module__stages",
          "module__spam",
          "criterion",
          "criterion__spam",
          "train_split",
          "dataset",
          "iterator_train",
          "iterator_train__shuffle",
          "callbacks__epoch_timer",
          "optimizer_betas",
          "optimizer__",
          "history",
      ]),
]  # fmt: skip

SHAPES = [
    refuses("flat-width", FLAT[:, :63],
            r"Got input_shape=\(8, 8\) \(64 values\) but X has 63 features; pass",
            input_shape=(8, 8)),
    refuses("flat-width-signal", FLAT, r"input_shape=\(63,\) .* but X has 64 features",
            input_shape=(63,)),
    refuses("flat-width-channels", FLAT,
            r"input_shape=\(8, 8, 3\) \(192 values\) but X has 64 features",
            input_shape=(8, 8, 3), channel_axis=-1),
    refuses("nd-other-shape", IMAGES,
            r"input_shape=\(8, 9\) but X holds samples of shape \(8, 8\); expected",
            input_shape=(8, 9)),
    refuses("nd-same-size", IMAGES, r"input_shape=\(64,\) but X holds .* \(8, 8\)",
            input_shape=(64,)),
    refuses("nd-swapped-axes", COLOURS, r"input_shape=\(3, 8, 8\) but X .* \(8, 8, 3\)",
            input_shape=(3, 8, 8), channel_axis=0),
    refuses("axis-of-X", COLOURS, r"Got channel_axis=3 .*\(8, 8, 3\); expected an axis",
            channel_axis=3),
    refuses("axis-too-low", COLOURS, "channel_axis=-4 .* expected an axis between -3",
            channel_axis=-4),
    refuses("axis-of-flat", FLAT, "channel_axis=1 .* expected an axis between -1 and 0",
            channel_axis=1),
    refuses("four-axes", COLOURS[:, None] + np.zeros((8, 1, 1, 1)),
            r"shape \(8, 8, 8, 3\) .* leaves 4 spatial axes; expected 1"),
    refuses("four-axes-and-channels", np.zeros((3, 2, 2, 2, 2, 1)),
            "leaves 4 spatial axes; expected 1", channel_axis=-1),
    refuses("four-axes-flat", FLAT, "leaves 4 spatial axes", input_shape=(2, 2, 4, 4)),
    refuses("no-spatial-axis", FLAT, "leaves 0 spatial axes; expected 1",
            channel_axis=0),
    refuses("no-features", np.empty((5, 0)), r"0 feature\(s\) \(shape=\(5, 0\)\)"),
    refuses("no-width", np.empty((5, 0, 8)), r"0 feature\(s\) \(shape=\(5, 0, 8\)\)"),
    refuses("no-sample", IMAGES[:0],
            r"Got X with 0 sample\(s\) \(shape=\(0, 8, 8\)\); expected at least 2"),
    refuses("no-sample-flat", FLAT[:0], r"X with 0 sample\(s\) \(shape=\(0, 64\)\)"),
    refuses("one-sample", IMAGES[:1], r"1 sample\(s\) .* expected at least 2"),
    refuses("one-sample-flat", FLAT[:1], r"1 sample\(s\) .* expected at least 2"),
    refuses("1-d", FLAT[0], r"Got X of shape \(64,\); expected \(n_samples, n_feat"),
    refuses("0-d", np.float64(3), r"Got X of shape \(\); expected \(n_samples"),
    refuses("none", None, r"Got X of shape \(\); expected \(n_samples"),
    refuses("empty-list", [], r"Got X of shape \(0,\); expected \(n_samples"),
]  # fmt: skip

VALUES = [
    refuses("nan", spoiled(np.nan), FINITE.format("NaN")),
    refuses("nan-flat", spoiled(np.nan).reshape(12, 64), FINITE.format("NaN")),
    refuses("nan-float32", spoiled(np.nan, np.float32), FINITE.format("NaN")),
    refuses("nan-everywhere", IMAGES * np.nan, FINITE.format("NaN")),
    refuses("nan-list", spoiled(np.nan).tolist(), FINITE.format("NaN")),
    refuses("nan-tensor", torch.from_numpy(spoiled(np.nan)), FINITE.format("NaN")),
    refuses("missing-frame", FRAME.mask(FRAME > 2), FINITE.format("NaN")),
    refuses("missing-integers", FRAME.round().astype("Int64").mask(FRAME > 2),
            FINITE.format("NaN")),
    refuses("inf", spoiled(np.inf), FINITE.format("infinity")),
    refuses("minus-inf", spoiled(-np.inf), FINITE.format("infinity")),
    refuses("inf-float16", spoiled(np.inf, np.float16), FINITE.format("infinity")),
    refuses("beyond-float32", spoiled(1e39), FINITE.format("infinity")),
    refuses("below-float32", spoiled(-1e300), FINITE.format("infinity")),
    refuses("constant", np.full((5, 8, 8), 3.0),
            "every value is 3 in float32; expected samples that differ"),
    refuses("zeros", np.zeros((5, 64)), "every value is 0 in float32; expected"),
    refuses("sparse-matrix", scipy.sparse.csr_matrix(FLAT), "Sparse data was passed",
            TypeError),
    refuses("sparse-array", scipy.sparse.coo_array(FLAT), "Sparse data was passed",
            TypeError),
    refuses("sparse-tensor", torch.zeros(12, 64).to_sparse(),
            "Got X as a torch tensor .*layout torch.sparse_coo .* expected a dense",
            TypeError),
    refuses("meta-tensor", torch.zeros(12, 64, device="meta"),
            "Got X as a torch tensor .*device meta; expected a dense", TypeError),
    refuses("complex", FLAT.astype(complex), DTYPE.format("complex128")),
    refuses("complex-nd", IMAGES + 0j, DTYPE.format("complex64")),
    refuses("complex-list", (FLAT + 0j).tolist(), "(?s)Complex data not supported"),
    refuses("strings", FLAT.astype(str), DTYPE.format("<U"), TypeError),
    refuses("bytes", FLAT.astype("S9"), DTYPE.format("S9"), TypeError),
    refuses("strings-list", [["a", "b"], ["c", "d"]], NUMBERS.format("strings")),
    refuses("text", "pixels", NUMBERS.format("strings")),
    refuses("object-text", np.array([["a", 1.0], ["b", 2.0]], dtype=object),
            NUMBERS.format("could not convert string to float: 'a'")),
    refuses("object-dict", np.array([[{}, 1.0], [{}, 2.0]], dtype=object),
            NUMBERS.format("not 'dict'"), TypeError),
    refuses("dict", {"X": FLAT}, r"Got X of shape \(\); expected \(n_samples"),
    refuses("ragged", [[1.0, 2.0], [3.0]], NUMBERS.format("inhomogeneous shape")),
    refuses("frame-text", FRAME.assign(label="a"), NUMBERS.format("to float: 'a'")),
    refuses("frame-dates", FRAME.assign(date=DATES),
            NUMBERS.format("Date"), TypeError),
    refuses("frame-columns", FRAME.rename(columns={"pixel 0": 0}),
            "Feature names are only supported if all", TypeError),
    refuses("dates", FLAT.astype(int).astype("M8[s]"), DTYPE.format("datetime64"),
            TypeError),
    refuses("durations", IMAGES.astype(int).astype("m8[s]"), DTYPE.format("timedelta"),
            TypeError),
    refuses("records", np.zeros(12, dtype=[("a", "f4"), ("b", "f4")]),
            DTYPE.format("'a'"), TypeError),
    refuses_val("shape", IMAGES[:, :7], "Got X_val " + SHAPE.format("7, 8", "8, 8")),
    refuses_val("width", FLAT[:, :63], "X_val has 63 features, but .* expecting 64"),
    refuses_val("nan", spoiled(np.nan), "Input X_val " + FINITE.format("NaN")),
    refuses_val("inf", spoiled(np.inf), "Input X_val " + FINITE.format("infinity")),
    refuses_val("empty", IMAGES[:0], r"Got X_val with 0 sample\(s\) .* at least 1"),
    refuses_val("1-d", FLAT[0], r"Got X_val of shape \(64,\); expected \(n_samples"),
    refuses_val("complex", IMAGES + 0j, "Got X_val of dtype complex64"),
    refuses_val("strings", FLAT.astype(str), "Got X_val of dtype <U", TypeError),
    refuses_val("sparse", scipy.sparse.csr_matrix(FLAT), "passed for X_val", TypeError),
    Row("first-partial_fit-one-sample", "partial_fit", (IMAGES[:1],), {},
        r"Got X with 1 sample\(s\) .* expected at least 2"),
    Row("first-partial_fit-constant", "partial_fit", (np.ones((4, 8)),), {},
        "every value is 1 in float32; expected samples that differ"),
    Row("first-partial_fit-nan", "partial_fit", (spoiled(np.nan),), {},
        FINITE.format("NaN")),
]  # fmt: skip

READERS = ("transform", "score", "score_samples", "partial_fit")
CODE = np.zeros((3, 32), dtype=np.float32)
LATER = [
    *(Row(f"unfitted-{method}", method, (IMAGES,), {}, UNFITTED)
      for method in ("transform", "inverse_transform", "score", "score_samples")),
    Row("unfitted-names", "get_feature_names_out", (), {}, UNFITTED),
    *(row for method in READERS for row in [
        refuses_later("width", method, FLAT[:, :63], WIDTH.format(63, 64)),
        refuses_later("width-of-flat", method, FLAT[:, :63], WIDTH.format(63, 64),
                      on=FLAT, input_shape=(8, 8)),
        refuses_later("shape", method, IMAGES[:, :7], SHAPE.format("7, 8", "8, 8")),
        refuses_later("axes", method, COLOURS, SHAPE.format("8, 8, 3", "8, 8")),
        refuses_later("channels", method, COLOURS[..., :2],
                      SHAPE.format("8, 8, 2", "8, 8, 3"), on=COLOURS, channel_axis=-1),
        refuses_later("one-image", method, IMAGES[0],
                      WIDTH.format(8, 64) + r".*X\[None\] for one sample"),
        refuses_later("nan", method, spoiled(np.nan), FINITE.format("NaN")),
        refuses_later("empty", method, IMAGES[:0], r"0 sample\(s\) .* at least 1"),
        refuses_later("1-d", method, FLAT[0], r"Got X of shape \(64,\); expected"),
        refuses_later("strings", method, FLAT.astype(str), DTYPE.format("<U"),
                      TypeError),
    ]),
    refuses_later("names", "transform", FRAME.add_suffix("!"), "(?s)feature names sho",
                  on=FRAME),
    refuses_later("columns", "transform", FRAME.iloc[:, ::-1], "(?s)same order",
                  on=FRAME),
    refuses_later("pooled-channels", "transform", COLOURS[..., :2],
                  SHAPE.format("8, 8, 2", "8, 8, 3"), on=COLOURS, channel_axis=-1,
                  pooling="avg"),
    refuses_later("pooled-flat", "transform", FLAT[:, :48], WIDTH.format(48, 64),
                  pooling="max"),
    refuses_later("pooled-no-width", "transform", IMAGES[:, :0],
                  SHAPE.format("0, 8", "8, 8"), pooling="max"),
    refuses_later("pooled-too-small", "transform", IMAGES[:, :, :4],
                  KERNEL.format(1, 5, "8, 4"), pooling="avg", kernel_size=5,
                  padding="valid"),
    refuses_later("pooled-shape", "score", IMAGES[:, :7], SHAPE.format("7, 8", "8, 8"),
                  pooling="avg"),
    refuses_later("width", "inverse_transform", CODE[:, :31],
                  r"Got X of shape \(3, 31\), but .* made 32 features; expected"),
    refuses_later("3-d", "inverse_transform", CODE[None],
                  r"Got X of shape \(1, 3, 32\), but .* made 32 features; expected"),
    refuses_later("1-d", "inverse_transform", CODE[0], r"Got X of shape \(32,\); exp"),
    refuses_later("nan", "inverse_transform", CODE * np.nan,
                  "contains NaN .* samples 0 to 2; expected finite"),
    refuses_later("beyond-float32", "inverse_transform", CODE.astype(float) + 1e300,
                  "contains infinity .* samples 0 to 2; expected finite"),
    refuses_later("empty", "inverse_transform", CODE[:0], r"0 sample\(s\) .* least 1"),
    refuses_later("complex", "inverse_transform", CODE + 0j, DTYPE.format("complex")),
    refuses_later("dates", "inverse_transform", CODE.astype("M8[s]"),
                  DTYPE.format("datetime64"), TypeError),
    refuses_later("strings", "inverse_transform", [["a"]], NUMBERS.format("strings")),
    refuses_later("names", "get_feature_names_out", ["a"], "should have length equal"),
    refuses_warm("shape", IMAGES[:, :7], WARM.format(r".*\(7, 8\)")),
    refuses_warm("axes", FLAT, WARM.format(r".*\(64,\)")),
    refuses_warm("n_filters", IMAGES, WARM.format(".*n_filters=3"), n_filters=3),
    refuses_warm("stages", IMAGES, WARM.format(r"n_filters=\(2, "), n_filters=(2, 2)),
    refuses_warm("activation", IMAGES, WARM.format(".*'tanh'"), activation="tanh"),
    refuses_warm("n_components", IMAGES, WARM.format("n_components=3"), n_components=3),
    refuses_warm("pool_mode", IMAGES, WARM.format("pool_mode='avg'"), pool_mode="avg"),
    refuses_warm("depthwise", IMAGES, WARM.format("depthwise=True"), depthwise=True),
    refuses_warm("whiten", IMAGES, WARM.format("whiten=0.1"), whiten=0.1),
    refuses_warm("threshold", IMAGES, WARM.format("threshold=0.1"), threshold=0.1),
    refuses_warm("pool_grid", IMAGES, "Got pool_grid=3 in .* from pool_grid=2; expect",
                 pool_grid=3),
    refuses_warm("tied", IMAGES, WARM.format("tied_weights=True"), tied_weights=True),
    refuses_warm("range", IMAGES, "'lr' parameter of .*Got 0 instead", lr=0),
]  # fmt: skip

ROWS = [
    *bad_values(BAD_VALUES),
    *PARAMETERS,
    *SHAPES,
    *VALUES,
    *LATER,
]


def global_state():
    """Return what torch keeps for the whole process."""
    cudnn = torch.backends.cudnn
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "defaults": (torch.get_default_dtype(), torch.get_default_device()),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "anomaly": torch.is_anomaly_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "cudnn": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        "tf32": (cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32),
        "random": torch.get_rng_state().tolist(),
    }


def passed_through(error):
    """Return the files that an error came through, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [Path(frame.filename) for frame in frames]


def assert_explained(error):
    """Assert that an error is ours or scikit-learn's, and in three parts if ours."""
    assert isinstance(error, (ValueError, TypeError))
    assert not isinstance(error, (RuntimeError, AssertionError))
    files = passed_through(error)
    for library in LIBRARIES:
        assert not any(library in file.parents for file in files), files
    if files[-1].parent.name == "skcae":
        message = str(error)
        assert re.match("Got |Input X|Found array |X has |X_val has ", message)
        assert re.search("expected |expecting |is required|; pass the shape", message)
        assert re.search(r"[.;] (?!expected)\w[^;]+\.$", message)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_error_names_what_came_and_what_was_expected(row):
    small = {"n_filters": 2, "max_epochs": 1, "activation": "identity"}
    cae = make_small(**small | row.params)
    if row.fitted_on is not None:
        cae.fit(row.fitted_on).set_params(**row.changes)
    history = getattr(cae, "history_", None)
    before = global_state()

    with pytest.raises(row.kind, match=row.message) as info:
        getattr(cae, row.method)(*row.args, **row.kwargs)

    assert_explained(info.value)
    assert global_state() == before
    # No training has begun.
    assert getattr(cae, "history_", None) is history
    assert cae.__sklearn_is_fitted__() == (row.fitted_on is not None)


def test_the_table_has_a_bad_value_for_every_parameter():
    assert set(BAD_VALUES) == set(PARAMETER_CONSTRAINTS)


def test_names_of_rows_are_unique():
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "net_params",
    [
        {"optimizer__betas": (0.8, 0.9)},
        {"optimizer__eps": 1e-6, "iterator_valid__batch_size": 4},
        {"callbacks__spread__use_caching": False},
        {"predict_nonlinearity": None, "use_caching": False},
    ],
    ids=lambda net_params: next(iter(net_params)),
)
def test_arguments_of_the_net_without_a_parameter_pass(net_params):
    callbacks = [("spread", EpochScoring(_spread))]
    cae = make_small(net_params=net_params, callbacks=callbacks, max_epochs=1)
    cae.fit(IMAGES, X_val=IMAGES)
    for name, value in net_params.items():
        assert cae.net_.get_params()[name] == value


def _spread(net, X, y=None):
    return 1.0


def test_refused_input_stays_as_it_was():
    X = spoiled(np.nan)
    copy = X.copy()
    with pytest.raises(ValueError, match="NaN"):
        make_small().fit(X)
    np.testing.assert_array_equal(X, copy)
