"""Decoders that are computed, not trained: least squares on the dense code."""

import math

import torch

from ..nn.activations import before_activation
from ..nn.convolutions import Convolution

# Equations per unknown, and samples: fewer of them do not stand for all.
_EQUATIONS = 8
_MIN_SAMPLES = 64
# Each takes as long as a step of a training; later ones change next to nothing.
_MAX_ITER = 50
# Gradient, relative to the first one, at which there is nothing left to do.
_TOLERANCE = 1e-3
# A step that changes the output by no more than this is none: dead units leave nothing
# but rounding errors to fit.
_LEAST_CURVATURE = torch.finfo(torch.float32).tiny
# What it grows to, relative to the least one, where rounding has taken over.
_GROWTH = 10.0
# Relative to the mean square of the code: keeps twins among its maps apart.
_RIDGE = 1e-4


@torch.no_grad()
def fit_decoder(module, x):
    """Fit each stage of the decoder to what its stage of the encoder makes of samples.

    A dense code knows less than all of the maps. Behind it, each stage is fitted to
    what the code and the stages before it have rebuilt.

    Parameters
    ----------
    module : ConvAutoencoder
        Its encoder is left alone.
    x : Tensor of shape (N, C, *spatial)
        Standardised samples, of which no more are taken than it needs.
    """
    maps = [x]
    for encoder in module.encoder:
        maps.append(encoder(maps[-1]))
    rebuilt = maps.pop()
    if module.dense is not None:
        code = module.encode_standardised(x)
        rebuilt = module.maps_of_code(code, rebuilt.shape[2:])
    for number in reversed(range(len(maps))):
        _fit_stage(module.decoder[-1 - number], rebuilt, maps[number])
        if module.dense is None:
            rebuilt = maps[number]
        else:
            rebuilt = module.decode_stage(number, rebuilt)


def _fit_stage(decoder, code, x):
    """Fit a stage to rebuild `x` from its code."""
    target = before_activation(x, decoder.activation)
    if decoder.stage.depthwise:
        code = decoder.separate(code)
        target = target.reshape(-1, 1, *x.shape[2:])
    # Positions that a filter's weights see: with strides, one of a block.
    n_positions = math.prod(code.shape[2:])
    n_weights = decoder.convolution.fan_in
    n_rows = max(_MIN_SAMPLES, _EQUATIONS * n_weights // n_positions)
    every = max(1, len(code) // n_rows)
    _fit(decoder, code[::every], target[::every])


def _fit(decoder, code, target):
    """Solve for the weights and biases of a stage from code to target.

    Its output is linear in them, so that conjugate gradients need no more than the
    output and its gradients: the equations of many filters would fill the memory.

    References
    ----------
    .. [1] A. Bjorck, "Numerical Methods for Least Squares Problems", SIAM 1996,
       algorithm 7.4.1, :doi:`10.1137/1.9781611971484`.
    """
    weight, bias = parameters = [decoder.convolution.weight, decoder.convolution.bias]
    # Maps of one size take far fewer iterations.
    scale = code.square().mean([0, *range(2, code.ndim)]).sqrt_()
    scale[scale == 0.0] = 1.0
    code = code / scale.view(-1, *[1] * (code.ndim - 2))
    ridge = _RIDGE * code[:, 0].numel()

    def output_of(values):
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)
        with torch.enable_grad():
            return decoder.convolve(code, target.shape[2:])

    solution = [torch.zeros_like(parameter) for parameter in parameters]
    rest = target.clone()
    step = torch.autograd.grad(output_of(solution), parameters, rest)
    norm = first = least = _dot(step, step)
    for _ in range(_MAX_ITER):
        if norm <= _TOLERANCE**2 * first or norm > _GROWTH**2 * least:
            break
        output = output_of(step)
        curvature = _dot([output], [output]) + ridge * _dot(step[:1], step[:1])
        if curvature <= _LEAST_CURVATURE:
            break
        rate = norm / curvature
        for part, change in zip(solution, step, strict=True):
            part += rate * change
        rest -= rate * output
        gradient = torch.autograd.grad(output, parameters, rest)
        gradient[0].sub_(ridge * solution[0])
        before, norm = norm, _dot(gradient, gradient)
        least = min(least, norm)
        step = [
            part + norm / before * change
            for part, change in zip(gradient, step, strict=True)
        ]
    weight.copy_(solution[0])
    bias.copy_(solution[1])
    axis = 1 if isinstance(decoder.convolution, Convolution) else 0
    weight /= scale.view(*[1] * axis, -1, *[1] * (weight.ndim - 1 - axis))


def _dot(first, second):
    return sum((a * b).sum() for a, b in zip(first, second, strict=True))
