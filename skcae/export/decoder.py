"""The decoder as nodes of an ONNX graph."""

import numpy as np
from torch import arange
from torch.nn import functional as F

from ..nn.convolutions import Convolution
from ..params.stage import map_sizes
from .encoder import add_code, add_whitening, maps_first
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
    sizes = map_sizes(spatial, module.stages)
    n_stages = module.architecture.n_decoded
    code = add_code(graph, module, x, spatial)
    x = _maps_of_code(graph, module, code, sizes[n_stages])
    for stage, size in zip(
        module.decoder[-n_stages:], reversed(sizes[:n_stages]), strict=True
    ):
        x = _decode(graph, stage, x, size)
        x = graph.activate(x, stage.activation)
    if module.whitening is not None:
        x = _undo_whitening(graph, module.whitening, x)
    x = graph.node("Mul", x, module.scaler.scale)
    return graph.node("Add", x, module.scaler.mean)


def _maps_of_code(graph, module, code, size):
    """Add the way from a code to maps of spatial shape `size`."""
    dense = module.dense
    if dense is None:
        return code
    weight, bias = (
        maps_first(part, dense.map_shape) for part in (dense.atoms, dense.mean)
    )
    maps = graph.reshape(graph.linear(code, weight, bias), *dense.map_shape)
    architecture = module.architecture
    if architecture.undoes_pooling:
        stage = architecture.stages[architecture.n_decoded - 1]
        maps = graph.clip(maps, stage.activation)
    for axis, (cells, length) in enumerate(
        zip(dense.map_shape[1:], size, strict=True), start=2
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
