"""The decoder as nodes of an ONNX graph."""

import math

import numpy as np
from torch import arange
from torch.nn import functional as F

from ..nn.convolutions import Convolution
from ..params.stage import map_sizes
from .encoder import add_code, add_features, add_whitening, maps_first, signed_power
from .graph import as_array


def add_reconstruction(graph, module, x, spatial):
    """Add what `ConvAutoencoder.forward` computes in eval mode.

    Parameters
    ----------
    graph, module, x, spatial
        As of `add_features`.

    Returns
    -------
    rebuilt : str
        Name of the result, (N, C, *spatial).
    """
    if module.code_decoder is None:
        x = _decode_maps(graph, module, add_code(graph, module, x, spatial), spatial)
    else:
        rows = add_features(graph, module, x, spatial)
        if module.dense is not None:
            rows = graph.node("Flatten", _invert_dense(graph, module.dense, rows))
        x = _decode_features(graph, module.code_decoder, rows)
    x = graph.node("Mul", x, module.scaler.scale)
    return graph.node("Add", x, module.scaler.mean)


def _decode_maps(graph, module, code, spatial):
    """Add the way from a code that leads to maps to standardised samples."""
    sizes = map_sizes(spatial, module.stages)
    x = _maps_of_code(graph, module, code, sizes[-1])
    for stage, size in zip(module.decoder, reversed(sizes[:-1]), strict=True):
        x = _decode(graph, stage, x, size)
        x = graph.activate(x, stage.activation)
    if module.whitening is not None:
        x = _undo_whitening(graph, module.whitening, x)
    return x


def _invert_dense(graph, dense, code):
    """Add the way from a dense code back to features."""
    weight, bias = (
        maps_first(part, dense.feature_shape) for part in (dense.atoms, dense.mean)
    )
    return graph.reshape(graph.linear(code, weight, bias), *dense.feature_shape)


def _decode_features(graph, decoder, rows):
    """Add what `CodeDecoder.forward` computes."""
    directions = iter(decoder.directions)
    blocks, first = [], 0
    limit = np.float32([decoder.limit])
    rows = graph.node("Max", graph.node("Min", rows, limit), -limit)
    for shape in decoder.shapes:
        last = first + math.prod(shape)
        part = graph.node("Slice", rows, *(np.int64([n]) for n in (first, last, 1)))
        for power in decoder.powers:
            maps = graph.reshape(signed_power(graph, part, power), shape[0], -1)
            blocks.append(_reduce_channels(graph, maps, next(directions)))
        first = last
    reduced = graph.concatenate(blocks)
    weights = graph.linear(reduced, decoder.weight, decoder.offset)
    x = graph.reshape(
        graph.linear(weights, decoder.atoms, decoder.mean), *decoder.shape
    )
    return graph.node("Min", graph.node("Max", x, decoder.low), decoder.high)


def _reduce_channels(graph, maps, directions):
    """Add the values of pooled maps along directions of their channels, as rows."""
    cells_first = graph.node("Transpose", maps, perm=[0, 2, 1])
    return graph.node("Flatten", graph.linear(cells_first, directions))


def _maps_of_code(graph, module, code, size):
    """Add the way from a code to maps of spatial shape `size`."""
    dense = module.dense
    if dense is None:
        return code
    maps = _invert_dense(graph, dense, code)
    for axis, (cells, length) in enumerate(
        zip(dense.feature_shape[1:], size, strict=True), start=2
    ):
        if cells == length:
            continue
        cell_of_place = F.interpolate(arange(cells).float()[None, None], length)
        maps = graph.pick(maps, as_array(cell_of_place[0, 0]), axis)
    return maps


def _decode(graph, layer, x, size):
    """Add a decoder stage without its activation, for output of shape `size`."""
    stage, convolution = layer.stage, layer.convolution
    is_plain = isinstance(convolution, Convolution)
    weight = as_array(convolution.weight if is_plain else convolution.filters)
    bias, groups = as_array(convolution.bias), 1
    if convolution.is_tied and stage.n_signs == 2:
        weight = np.concatenate([weight, -weight])
    if stage.depthwise:
        # What belongs to one map of the output is a group of maps of the code.
        groups = layer.n_out
        weight, bias = (
            np.tile(part, (groups, *(1,) * (part.ndim - 1))) for part in (weight, bias)
        )
        places = np.arange(groups * stage.n_filters * stage.n_signs)
        places = places.reshape(stage.n_filters, stage.n_signs, groups)
        x = graph.pick(x, places.T.ravel(), axis=1)
    if is_plain:
        return graph.convolve(x, weight, bias, zeros=convolution.zeros, groups=groups)
    return _convolve_up(graph, layer, x, (weight, bias), size, groups)


def _convolve_up(graph, layer, x, weights, size, groups):
    """Add a transposed convolution onto spatial shape `size`."""
    stage, convolution = layer.stage, layer.convolution
    here = [stage.pooled(length) for length in size]
    if convolution.repeat > 1:
        here = [stage.convolved(length) for length in size]
        for axis, length in enumerate(here, start=2):
            x = graph.pick(x, np.arange(length) // convolution.repeat, axis)
    missing = convolution.missing(here, size)
    step, offset = convolution.stride, convolution.offset
    return graph.transpose_convolve(x, *weights, step, offset, missing, groups)


def _undo_whitening(graph, whitening, x):
    """Add what `Whitening.inverse` computes."""
    rest, ((_, of_rest), *factors) = x, whitening.factors()
    rebuilt = step = graph.node("Mul", rest, np.float32([of_rest]))
    for of_step, of_rest in factors:
        whitened = add_whitening(graph, whitening.kernel, step)
        rest = graph.node("Sub", rest, whitened)
        step = graph.node(
            "Add",
            graph.node("Mul", step, np.float32([of_step])),
            graph.node("Mul", rest, np.float32([of_rest])),
        )
        rebuilt = graph.node("Add", rebuilt, step)
    return rebuilt
