"""Parameters that are out of range, or that do not go together."""

import re

import numpy as np
import pytest
import torch
from skorch.callbacks import EpochScoring

from skcae.params.constraints import PARAMETER_CONSTRAINTS
from skcae.params.recipes import TUTORIAL

from ..conftest import make_small
from .conftest import FLAT, IMAGES, KERNEL, Row, assert_refused, assert_unique, refuses

# Values that no parameter takes, for every parameter there is.
BAD_VALUES = {
    "recipe": ["gray", "", "Grey", None, 1, True, ("grey",), {"n_filters": 2}],
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
    "device": [0, None, torch.float32, "tpu", "", "cuda:99", "cpu:-1"],
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
                rf"Got {name}[= ]{came}(;| \(| for samples|, which)"
            )
            label = f"{name}={value!r}"[:40].split("\n")[0]
            # Where the value is no constraint's business, it is for the shape's.
            X = FLAT if name == "input_shape" else IMAGES
            kind = (ValueError, TypeError)
            yield Row(label, "fit", (X,), {name: value}, message, kind)


STAGES = r"Got n_filters=\({}\) \({} stages\); expected .* each of {}\. Make"
OWN = "Got '{}' in net_params; expected .* Pass {}=.* to ConvAutoencoderTransformer"
UNKNOWN = "Got {} in net_params; expected one of .* 'optimizer__' .* Remove"
CALLBACK = "Got {} in callbacks; expected skorch .* scikit-learn's to set_callbacks"


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
    refuses("power-unpooled", IMAGES, "Got power=0.5 with pooling=None; expected"
            " power=1 .* Set pooling='avg'", power=0.5),
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


# What no recipe decides cannot be left to it; a checkpoint may have that name.
NOT_AUTO = BAD_VALUES.keys() - {
    "recipe",
    "device",
    "precision",
    "checkpoint",
    *TUTORIAL,
}
ROWS = [
    *bad_values(BAD_VALUES),
    *bad_values({name: ["auto"] for name in sorted(NOT_AUTO)}),
    *PARAMETERS,
]


def test_names_of_rows_are_unique():
    assert_unique(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_error_names_what_came_and_what_was_expected(row):
    assert_refused(row)


def test_the_table_has_a_bad_value_for_every_parameter():
    assert set(BAD_VALUES) == set(PARAMETER_CONSTRAINTS)


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
