"""What each parameter may be."""

import os
from numbers import Integral, Real

from ..utils.sklearn_compat import Interval, StrOptions
from ..utils.torch_types import Device
from .activations import ACTIVATIONS
from .corruptions import CORRUPTIONS
from .filter_starts import FILTER_STARTS
from .losses import LOSSES
from .optimizers import OPTIMIZERS
from .pool_modes import POOL_MODES
from .recipes import TUTORIAL
from .sparsities import SPARSITIES

# Names of the rows of tables, by the parameter that chooses one.
CHOICES = {
    "pool_mode": tuple(POOL_MODES),
    "activation": tuple(ACTIVATIONS),
    "output_activation": tuple(n for n, row in ACTIVATIONS.items() if row.is_output),
    "loss": tuple(LOSSES),
    "corruption": tuple(CORRUPTIONS),
    "sparsity": tuple(SPARSITIES),
    "init": tuple(FILTER_STARTS),
    "pooling": tuple(POOL_MODES),
    "optimizer": tuple(OPTIMIZERS),
}
_ONE_OF = {parameter: StrOptions(set(names)) for parameter, names in CHOICES.items()}
_POSITIVE = Interval(Integral, 1, None, closed="left")
_PER_STAGE = [_POSITIVE, tuple, list]

# Parameters of every estimator that trains a net.
TRAINING_CONSTRAINTS = {
    "optimizer": [_ONE_OF["optimizer"]],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [_POSITIVE],
    "max_epochs": [Interval(Integral, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [_POSITIVE],
    "tol": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "device": [str, Device],
    "precision": [StrOptions({"auto", "float32", "tf32", "bfloat16"})],
    "compile": ["boolean"],
    "callbacks": [list, tuple, None],
    "net_params": [dict, None],
}

PARAMETER_CONSTRAINTS = {
    "recipe": [str],
    "input_shape": [tuple, list, None],
    "channel_axis": [Integral, None],
    "n_filters": _PER_STAGE,
    "kernel_size": _PER_STAGE,
    "stride": _PER_STAGE,
    "pool_size": _PER_STAGE,
    "pool_mode": [_ONE_OF["pool_mode"]],
    "depthwise": ["boolean", tuple, list],
    "padding": [StrOptions({"same", "valid", "full"})],
    "whiten": [Interval(Real, 0, None, closed="neither"), None],
    "activation": [_ONE_OF["activation"], tuple, list],
    "threshold": [Interval(Real, 0, None, closed="left")],
    "output_activation": [_ONE_OF["output_activation"]],
    "tied_weights": ["boolean"],
    "n_components": [_POSITIVE, None],
    "loss": [_ONE_OF["loss"]],
    "corruption": [_ONE_OF["corruption"], None],
    "corruption_level": [Interval(Real, 0, None, closed="left")],
    "sparsity": [_ONE_OF["sparsity"], None],
    "sparsity_level": [Interval(Real, 0, 1, closed="both")],
    "init": [_ONE_OF["init"]],
    "layerwise": ["boolean"],
    "pooling": [_ONE_OF["pooling"], None],
    "pool_grid": _PER_STAGE,
    "feature_stages": [StrOptions({"last", "all"})],
    "power": [Interval(Real, 0, None, closed="neither")],
    "max_samples": [_POSITIVE, None],
    "crop_size": [_POSITIVE, None],
    "warm_start": ["boolean"],
    "checkpoint": [str, os.PathLike, None],
    **TRAINING_CONSTRAINTS,
}

# What recipes decide may be left to them.
for _name in TUTORIAL:
    PARAMETER_CONSTRAINTS[_name] = [*PARAMETER_CONSTRAINTS[_name], StrOptions({"auto"})]

CLASSIFIER_CONSTRAINTS = {
    "frozen_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"all"})],
    "head_init": [StrOptions({"ridge", "zeros"})],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "shift": [Interval(Integral, 0, None, closed="left")],
    "flip": ["boolean"],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "encoder_lr": [Interval(Real, 0, None, closed="neither"), None],
    "lr_schedule": [StrOptions({"constant", "cosine"})],
    **TRAINING_CONSTRAINTS,
}

DISPLAY_CONSTRAINTS = {
    "n_samples": [_POSITIVE, None],
    "channel": [Interval(Integral, 0, None, closed="left"), None],
    "stage": [_POSITIVE],
    "sample": [Interval(Integral, None, None, closed="neither")],
    "n_maps": [_POSITIVE, None],
    "n_cols": [_POSITIVE, None],
    "normalize": [StrOptions({"all", "each"})],
    "colorbar": ["boolean"],
    "yscale": [StrOptions({"linear", "log"})],
    "im_kw": [dict, None],
    "error_kw": [dict, None],
    "line_kw": [dict, None],
}
