"""Decoders that are computed, not trained: least squares on the dense code."""

import itertools
import math

import torch
from torch.nn import functional as F

from ._convolutions import Convolution

# Equations per unknown, and what they may cost: beyond, fewer have to do.
_EQUATIONS = 4
_MAX_MULTIPLICATIONS = 2e11
# Relative to the mean square of the code: keeps twins among its maps apart.
_RIDGE = 1e-3
# What tanh and sigmoid never reach is taken for what they come this close to.
_EDGE = 0.02


@torch.no_grad()
def fit_decoder(module, x, generator):
    """Fit each stage of the decoder to what its stage of the encoder makes of samples.

    A decoder is linear in its filters, so the best ones solve normal equations, here
    those of positions drawn at random.

    Parameters
    ----------
    module : ConvAutoencoder
        Its encoder is left alone.
    x : Tensor of shape (N, C, *spatial)
        Standardised samples.
    generator : torch.Generator
        Draws the positions.
    """
    for encoder, decoder in zip(module.encoder, reversed(module.decoder), strict=True):
        maps = code = encoder(x)
        target = _before_activation(x, decoder.activation)
        if decoder.stage.depthwise:
            code = decoder.separate(code)
            target = target.reshape(-1, 1, *x.shape[2:])
        _fit(decoder.convolution, code, target, generator)
        x = maps


def _before_activation(x, name):
    """Return what the activation of a decoder makes `x` of."""
    if name == "tanh":
        return x.clamp(_EDGE - 1, 1 - _EDGE).atanh()
    return x.logit(_EDGE) if name == "sigmoid" else x


def _fit(layer, code, target, generator):
    """Solve for the weights and biases of a layer from code to target."""
    weight, bias = layer.weight, layer.bias
    if isinstance(layer, Convolution):
        # As a transposed convolution, whose filters run the other way.
        axes = tuple(range(2, weight.ndim))
        solved = torch.empty_like(weight.transpose(0, 1).flip(axes))
        zeros = weight.shape[2] - 1 - layer.zeros[0]
        _solve(solved, bias, 1, zeros, code, target, generator)
        weight.copy_(solved.flip(axes).transpose(0, 1))
    else:
        _solve(weight, bias, layer.stride, layer.offset, code, target, generator)


def _solve(weight, bias, step, offset, code, target, generator):
    """Fill `weight` (n_in, n_out, *kernel) and `bias` of a transposed convolution.

    Output positions that differ by a multiple of `step` see the code through the same
    taps of the kernel: each such set has equations of its own.
    """
    n_axes, side = weight.ndim - 2, weight.shape[2]
    reach = -(-side // step)
    padded = F.pad(code, (reach - 1, reach - 1) * n_axes)
    intercepts = []
    for phase in itertools.product(range(step), repeat=n_axes):
        taps = [-(-(side - first) // step) for first in phase]
        places = _places(target, padded, phase, step, offset, reach)
        if not all(len(here) for here, _ in places):  # of very small samples
            weight[:, :, *(slice(first, None, step) for first in phase)] = 0.0
            continue
        rows, values = _equations(padded, target, places, taps, reach, generator)
        solution = _ridge(rows, values)
        intercepts.append(solution[-1])
        filters = solution[:-1].T.reshape(-1, len(weight), *taps)
        filters = filters.flip(tuple(range(2, filters.ndim))).transpose(0, 1)
        weight[:, :, *(slice(first, None, step) for first in phase)] = filters
    bias.copy_(torch.stack(intercepts).mean(dim=0))


def _places(target, padded, phase, step, offset, reach):
    """Return, per axis, output positions of a phase and where their code begins."""
    pairs = []
    for axis, first in enumerate(phase, start=2):
        here = torch.arange(target.shape[axis], device=target.device)
        here = here[(here + offset) % step == first]
        block = torch.div(here + offset, step, rounding_mode="floor")
        inside = block + reach <= padded.shape[axis]
        pairs.append((here[inside], block[inside]))
    return pairs


def _equations(padded, target, places, taps, reach, generator):
    """Return patches of the code, a column of ones behind them, and what they give."""
    n_maps, n_axes = padded.shape[1], padded.ndim - 2
    n_unknown = n_maps * math.prod(taps) + 1
    counts = [len(target), *(len(here) for here, _ in places)]
    n_rows = max(
        min(_EQUATIONS * n_unknown, int(_MAX_MULTIPLICATIONS / n_unknown**2)),
        n_unknown + n_unknown // 4,
    )
    drawn = torch.randint(math.prod(counts), (n_rows,), generator=generator)
    sample, *drawn = torch.unravel_index(drawn.to(target.device), counts)
    here = [pair[0][index] for pair, index in zip(places, drawn, strict=True)]
    block = [pair[1][index] for pair, index in zip(places, drawn, strict=True)]
    index = []
    for axis, (start, n_taps) in enumerate(zip(block, taps, strict=True)):
        # The patch ends at the block; of its `reach` cells the last ones are tapped.
        cells = start[:, None] + torch.arange(
            reach - n_taps, reach, device=start.device
        )
        shape = [len(cells)] + [1] * n_axes
        shape[1 + axis] = n_taps
        index.append(cells.view(shape))
    rows = padded.movedim(1, -1)[(sample.view(-1, *[1] * n_axes), *index)]
    rows = rows.movedim(-1, 1).flatten(1)
    rows = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
    return rows, target.movedim(1, -1)[(sample, *here)]


def _ridge(rows, values):
    device = rows.device
    exact = "cpu" if device.type == "mps" else device  # it has no float64
    gram = (rows.T @ rows).to(exact, torch.float64)
    diagonal = gram.diagonal()
    diagonal += _RIDGE * diagonal.mean() + torch.finfo(torch.float32).tiny
    right = (rows.T @ values).to(exact, torch.float64)
    solution = torch.cholesky_solve(right, torch.linalg.cholesky(gram))
    return solution.to(device, torch.float32)
