"""The encoder as nodes of an ONNX graph."""

import numpy as np

from ..nn.pooling import cells
from ..params.activations import ACTIVATIONS
from ..params.pool_modes import POOL_MODES
from ..params.stage import map_sizes
from .graph import as_array


def add_features(graph, module, x, spatial):
    """Add what `ConvAutoencoder.features` computes in eval mode.

    Parameters
    ----------
    graph : Graph
        Gets the nodes.
    module : ConvAutoencoder
        Its weights become constants.
    x : str
        Name of samples (N, C, *spatial), in the data's own units.
    spatial : tuple of int
        Their spatial shape.

    Returns
    -------
    rows : str
        Name of the result, (N, n_features).
    """
    if module.grids is None or module.dense is not None:
        return graph.node("Flatten", add_code(graph, module, x, spatial))
    return _add_pooled_rows(graph, module, x, spatial)


def _add_pooled_rows(graph, module, x, spatial):
    """Add the pooled maps of all stages whose maps are features, as rows."""
    pooled = _add_maps(graph, module, x, spatial)[-len(module.grids) :]
    parts = [
        graph.node("Flatten", _pool_over_grid(graph, grid, *maps))
        for grid, maps in zip(module.grids, pooled, strict=True)
    ]
    rows = graph.concatenate(parts)
    return signed_power(graph, rows, module.architecture.power)


def add_code(graph, module, x, spatial):
    """Add what `ConvAutoencoder.encode` computes in eval mode.

    Parameters
    ----------
    graph, module, x, spatial
        As of `add_features`.

    Returns
    -------
    code : str
        Name of the result, maps (N, C, *map) or a dense code (N, n_components).
    """
    if module.dense is not None and module.grids is not None:
        rows = _add_pooled_rows(graph, module, x, spatial)
        return _add_dense(graph, module.dense, rows)
    maps, _ = _add_maps(graph, module, x, spatial)[-1]
    if module.dense is None:
        return maps
    return _add_dense(graph, module.dense, graph.node("Flatten", maps))


def _add_maps(graph, module, x, spatial):
    """Add all stages; return the maps of each and their spatial shape."""
    sizes = map_sizes(spatial, module.stages)
    x = _standardise(graph, module, x)
    parts = []
    for layer, before, after in zip(module.encoder, sizes[:-1], sizes[1:], strict=True):
        x = _encode(graph, layer, x, before)
        parts.append((x, after))
    return parts


def _standardise(graph, module, x):
    scaler, whitening = module.scaler, module.whitening
    x = graph.node("Sub", x, scaler.mean)
    x = graph.node("Div", x, scaler.scale)
    return x if whitening is None else add_whitening(graph, whitening.kernel, x)


def add_whitening(graph, kernel, x):
    """Add what `Whitening.forward` computes; return the name of the result."""
    border = [0, 0, *(side // 2 for side in kernel.shape[2:])]
    x = graph.node("Pad", x, np.array(border * 2, dtype=np.int64), mode="edge")
    return graph.convolve(x, kernel)


def _encode(graph, layer, x, size):
    """Add an encoder stage, for input of spatial shape `size`."""
    stage = layer.stage
    weight, bias = map(as_array, (layer.convolution.weight, layer.convolution.bias))
    threshold = np.zeros_like(bias)
    if layer.is_thresholded:
        threshold = as_array(layer.threshold)
    if ACTIVATIONS[stage.activation].subtracts_mean:
        # The mean of all maps is what the mean filter finds.
        weight, bias = weight - weight.mean(axis=0), bias - bias.mean()
    n_axes = weight.ndim - 2
    groups, filters = 1, [(weight, bias - threshold, threshold)]
    if stage.depthwise:
        # Every filter makes a map of each map of the input.
        groups = layer.n_maps // (stage.n_filters * stage.n_signs)
        filters = [
            [np.repeat(part[None], groups, axis=0) for part in parts]
            for parts in zip(*filters[0], strict=True)
        ]
    maps = []
    for weight, bias, threshold in filters:
        responses = graph.convolve(x, weight, bias, stage.stride, stage.zeros, groups)
        double_threshold = 2 * threshold.reshape(-1, *(1,) * n_axes)
        maps += [
            _pool(graph, graph.activate(part, stage.activation), stage, size)
            for part in _signs(graph, stage, responses, double_threshold)
        ]
    return graph.concatenate(maps)


def _signs(graph, stage, responses, double_threshold):
    """Return the names of responses and, where they have their own maps, negatives."""
    if stage.n_signs == 1:
        return [responses]
    return [responses, graph.node("Sub", -double_threshold, responses)]


def _pool(graph, maps, stage, size):
    """Add the pooling of a stage with input of spatial shape `size`."""
    side = stage.pool_size
    if side == 1:
        return maps
    missing = [side * stage.pooled(here) - stage.convolved(here) for here in size]
    return graph.pool(maps, stage.pool_mode, [side] * len(size), missing)


def _pool_over_grid(graph, layer, maps, size):
    """Add the pooling of maps of spatial shape `size` over a grid."""
    if POOL_MODES[layer.mode].is_mean:
        weights = layer.weights(size)
        maps = graph.reshape(maps, 0, weights.shape[1])
        return graph.node("MatMul", maps, weights.T)
    sides = []
    for axis, length in enumerate(size, start=2):
        places = _places_of_cells(length, layer.grid)
        sides.append(places.shape[1])
        if places.size != length:
            maps = graph.pick(maps, places.ravel(), axis)
    return graph.pool(maps, layer.mode, sides, [0] * len(size))


def _places_of_cells(length, grid):
    """Return the places of every cell of an axis, the last again in shorter cells."""
    inside = as_array(cells(length, grid)) > 0
    n_places = inside.sum(axis=1)
    places = np.minimum(np.arange(n_places.max()), n_places[:, None] - 1)
    return inside.argmax(axis=1)[:, None] + places


def _add_dense(graph, dense, rows):
    """Add the dense code of flattened features."""
    components = maps_first(dense.components.T, dense.feature_shape).T
    return graph.linear(rows, components, dense.offset)


def maps_first(values, map_shape):
    """Return what a dense code has for each value of maps, map by map.

    It has the maps last itself.
    """
    values = as_array(values)
    n_maps, *spatial = map_shape
    by_map = np.moveaxis(values.reshape(*spatial, n_maps, -1), -2, 0)
    return by_map.reshape(values.shape)


def signed_power(graph, rows, power):
    """Add what `signed_power` of `skcae.nn.power` computes."""
    if power == 1.0:
        return rows
    raised = graph.node("Pow", graph.node("Abs", rows), np.float32([power]))
    return graph.node("Mul", raised, graph.node("Sign", rows))
