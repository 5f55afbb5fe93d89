"""Stages with random weights, and what their filters find."""

import numpy as np
import torch
from torch.nn import functional as F

from skcae.nn.encoder_stage import EncoderStage
from skcae.params.stage import Stage

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


GRID = {
    "max": {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d},
    "avg": {
        1: F.adaptive_avg_pool1d,
        2: F.adaptive_avg_pool2d,
        3: F.adaptive_avg_pool3d,
    },
}
# What each activation makes of responses z, given one threshold per map.
FORMULAS = {
    "relu": lambda z, t: np.maximum(0, z),
    "abs": lambda z, t: np.abs(z),
    "identity": lambda z, t: z,
    "tanh": lambda z, t: np.tanh(z),
    "sigmoid": lambda z, t: 1 / (1 + np.exp(-z)),
    "soft_threshold": lambda z, t: np.maximum(0, z - t),
    "two_sided": lambda z, t: np.concatenate(
        [np.maximum(0, z - t), np.maximum(0, -z - t)], axis=1
    ),
    "triangle": lambda z, t: np.maximum(0, z - z.mean(axis=1, keepdims=True)),
}


def make_stage(n_in=2, n_axes=2, **params):
    """Return an encoder stage with random weights, biases and thresholds."""
    sizes = {"n_filters": 3, "kernel_size": 3, "stride": 1, "pool_size": 1}
    stage = Stage(**sizes | {"padding": "same", "activation": "relu"} | params)
    layer = EncoderStage(n_in, stage, n_axes)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (layer.convolution.weight, layer.convolution.bias):
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        if layer.is_thresholded:
            layer.threshold.copy_(torch.rand(3, generator=generator))
    return layer


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def responses_of(layer, x):
    """Return what the filters find, before thresholds, activation and pooling."""
    zeros = layer.stage.zeros
    x = F.pad(x, zeros * (x.ndim - 2))
    weight, bias = layer.convolution.weight, layer.convolution.bias
    return CONVOLVE[x.ndim - 2](x, weight, bias, layer.stage.stride)


def thresholds_of(layer, n_axes=2):
    if not layer.is_thresholded:
        return None
    return layer.threshold.view(-1, *(1,) * n_axes).numpy()
