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
from .sparsities import SPARSITIES

_OUTPUT_ACTIVATIONS = {name for name, row in ACTIVATIONS.items() if row.is_output}
_POSITIVE = Interval(Integral, 1, None, closed="left")
_PER_STAGE = [_POSITIVE, tuple, list]

# Parameters of every estimator that trains a net.
TRAINING_CONSTRAINTS = {
    "optimizer": [StrOptions(set(OPTIMIZERS))],
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
    "input_shape": [tuple, list, None],
    "channel_axis": [Integral, None],
    "n_filters": _PER_STAGE,
    "kernel_size": _PER_STAGE,
    "stride": _PER_STAGE,
    "pool_size": _PER_STAGE,
    "pool_mode": [StrOptions(set(POOL_MODES))],
    "depthwise": ["boolean", tuple, list],
    "padding": [StrOptions({"same", "valid", "full"})],
    "whiten": [Interval(Real, 0, None, closed="neither"), None],
    "activation": [StrOptions(set(ACTIVATIONS)), tuple, list],
    "threshold": [Interval(Real, 0, None, closed="left")],
    "output_activation": [StrOptions(_OUTPUT_ACTIVATIONS)],
    "tied_weights": ["boolean"],
    "n_components": [_POSITIVE, None],
    "loss": [StrOptions(set(LOSSES))],
    "corruption": [StrOptions(set(CORRUPTIONS)), None],
    "corruption_level": [Interval(Real, 0, None, closed="left")],
    "sparsity": [StrOptions(set(SPARSITIES)), None],
    "sparsity_level": [Interval(Real, 0, 1, closed="both")],
    "init": [StrOptions(set(FILTER_STARTS))],
    "layerwise": ["boolean"],
    "pooling": [StrOptions(set(POOL_MODES)), None],
    "pool_grid": _PER_STAGE,
    "feature_stages": [StrOptions({"last", "all"})],
    "power": [Interval(Real, 0, None, closed="neither")],
    "max_samples": [_POSITIVE, None],
    "crop_size": [_POSITIVE, None],
    "warm_start": ["boolean"],
    "checkpoint": [str, os.PathLike, None],
    **TRAINING_CONSTRAINTS,
}

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
