"""The encoder as nodes of an ONNX graph."""

import numpy as np
from onnx import TensorProto, numpy_helper

from ._layers import cells
from ._shapes import map_sizes

_OPERATORS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "identity": "Identity",
    "abs": "Abs",
    # What is subtracted from the responses is in the weights.
    "triangle": "Relu",
    "soft_threshold": "Relu",
}


def _array(values):
    if isinstance(values, np.ndarray):
        return values
    return values.detach().cpu().numpy()


class Graph:
    """An ONNX graph that grows by one node per call.

    Parameters
    ----------
    scope : skl2onnx Scope
        Gives names.
    container : skl2onnx ModelComponentContainer
        Gets nodes and constants.
    """

    def __init__(self, scope, container):
        self.scope, self.container = scope, container

    def node(self, operator, *inputs, output=None, **attributes):
        """Add a node; return the name of its output.

        Parameters
        ----------
        operator : str
            ONNX's name.
        *inputs : str, ndarray or Tensor
            Names of outputs of other nodes, and constants.
        output : str or None, default=None
            Name of the output; None: a new one.
        **attributes : object
            Of the node.
        """
        output = output or self.scope.get_unique_variable_name(operator.lower())
        self.container.add_node(
            operator,
            [x if isinstance(x, str) else self._constant(x) for x in inputs],
            output,
            name=self.scope.get_unique_operator_name(operator),
            **attributes,
        )
        return output

    def _constant(self, values):
        name = self.scope.get_unique_variable_name("constant")
        values = np.ascontiguousarray(_array(values))
        if values.dtype == object:
            texts = [text.encode() for text in values.flat]
            self.container.add_initializer(
                name, TensorProto.STRING, values.shape, texts
            )
        else:
            tensor = numpy_helper.from_array(values, name)
            self.container.add_initializer(name, None, None, tensor)
        return name

    def reshape(self, x, *shape):
        """Add a new shape for every sample."""
        # 0: as many samples as there are.
        return self.node("Reshape", x, np.array([0, *shape], dtype=np.int64))

    def convolve(self, x, weight, bias=None, stride=1, zeros=(0, 0), groups=1):
        """Add a convolution with `zeros` before and after every spatial axis."""
        n_axes = weight.ndim - 2
        return self.node(
            "Conv",
            *(part for part in (x, weight, bias) if part is not None),
            strides=[stride] * n_axes,
            pads=np.repeat(zeros, n_axes).tolist(),
            group=groups,
        )

    def pool(self, x, mode, sides, missing):
        """Add a pooling over windows, the last of each axis short of some values."""
        return self.node(
            {"max": "MaxPool", "avg": "AveragePool"}[mode],
            x,
            kernel_shape=sides,
            strides=sides,
            pads=[0] * len(sides) + missing,
        )

    def linear(self, rows, weight, bias):
        """Add ``rows @ weight.T + bias``."""
        # In double precision, as in the module: sums are large next to their result.
        rows, weight, bias = (
            self.node("Cast", part, to=TensorProto.DOUBLE)
            for part in (rows, weight.T, bias)
        )
        result = self.node("Add", self.node("MatMul", rows, weight), bias)
        return self.node("Cast", result, to=TensorProto.FLOAT)

    def concatenate(self, parts):
        """Add a concatenation of maps, or rows, of all samples."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)


def add_samples(graph, inputs, layout):
    """Add what turns samples of any real type into float32 (N, C, *spatial).

    Parameters
    ----------
    graph : Graph
        Gets the nodes.
    inputs : sequence of str
        Name of the samples, flat or of the layout's shape, or names of their columns.
    layout : Layout
        What one sample looks like.

    Returns
    -------
    x : str
        Name of the result.
    """
    x = graph.concatenate([graph.node("Cast", x, to=TensorProto.FLOAT) for x in inputs])
    if layout.channel_axis is None:
        return graph.reshape(x, 1, *layout.shape)
    x = graph.reshape(x, *layout.shape)
    axes = list(range(len(layout.shape) + 1))
    axes.insert(1, axes.pop(layout.channel_axis % len(layout.shape) + 1))
    return graph.node("Transpose", x, perm=axes)


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
    sizes = map_sizes(spatial, module.stages)
    x = _standardise(graph, module, x)
    parts = []
    for layer, before, after in zip(module.encoder, sizes[:-1], sizes[1:], strict=True):
        x = _encode(graph, layer, x, before)
        parts.append((x, after))
    if module.grids is None:
        parts = [x]
    else:
        grids = module.grids if module.dense is None else module.grids[-1:]
        parts = [
            _pool_over_grid(graph, grid, *maps)
            for grid, maps in zip(grids, parts[-len(grids) :], strict=True)
        ]
    rows = graph.concatenate([graph.node("Flatten", part) for part in parts])
    if module.dense is not None:
        return _add_dense(graph, module.dense, rows)
    return rows if module.power == 1.0 else _raise(graph, rows, module.power)


def _standardise(graph, module, x):
    scaler, whitening = module.scaler, module.whitening
    x = graph.node("Sub", x, scaler.mean)
    x = graph.node("Div", x, scaler.scale)
    if whitening is None:
        return x
    kernel = whitening.kernel
    border = [0, 0, *(side // 2 for side in kernel.shape[2:])]
    x = graph.node("Pad", x, np.array(border * 2, dtype=np.int64), mode="edge")
    return graph.convolve(x, kernel)


def _encode(graph, layer, x, size):
    """Add an encoder stage, for input of spatial shape `size`."""
    stage = layer.stage
    weight, bias = _array(layer.convolution.weight), _array(layer.convolution.bias)
    threshold = _array(layer.threshold) if layer.is_thresholded else np.zeros_like(bias)
    if stage.activation == "triangle":
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
        lag = 2 * threshold.reshape(-1, *(1,) * n_axes)
        maps += [
            _pool(graph, part, stage, size)
            for part in _activate(graph, stage.activation, responses, lag)
        ]
    return graph.concatenate(maps)


def _activate(graph, activation, responses, lag):
    """Add an activation; return the names of what it makes of responses."""
    if activation != "two_sided":
        return [graph.node(_OPERATORS[activation], responses)]
    negative = graph.node("Sub", -lag, responses)
    return [graph.node("Relu", part) for part in (responses, negative)]


def _pool(graph, maps, stage, size):
    """Add the pooling of a stage with input of spatial shape `size`."""
    side = stage.pool_size
    if side == 1:
        return maps
    missing = [side * stage.pooled(here) - stage.convolved(here) for here in size]
    return graph.pool(maps, stage.pool_mode, [side] * len(size), missing)


def _pool_over_grid(graph, layer, maps, size):
    """Add the pooling of maps of spatial shape `size` over a grid."""
    if layer.kind == "avg":
        weights = layer.weights(size)
        maps = graph.reshape(maps, 0, weights.shape[1])
        return graph.node("MatMul", maps, weights.T)
    sides = []
    for axis, length in enumerate(size, start=2):
        places = _places_of_cells(length, layer.grid)
        sides.append(places.shape[1])
        if places.size != length:
            maps = graph.node("Gather", maps, places.ravel(), axis=axis)
    return graph.pool(maps, "max", sides, [0] * len(size))


def _places_of_cells(length, grid):
    """Return the places of every cell of an axis, the last again in shorter cells."""
    inside = _array(cells(length, grid)) > 0
    n_places = inside.sum(axis=1)
    places = np.minimum(np.arange(n_places.max()), n_places[:, None] - 1)
    return inside.argmax(axis=1)[:, None] + places


def _add_dense(graph, dense, rows):
    """Add the dense code of flattened maps."""
    # The module has its maps last.
    n_maps, *spatial = dense.map_shape
    weight = _array(dense.components).reshape(-1, *spatial, n_maps)
    weight = np.moveaxis(weight, -1, 1).reshape(len(weight), -1)
    return graph.linear(rows, weight, dense.offset)


def _raise(graph, rows, power):
    raised = graph.node("Pow", graph.node("Abs", rows), np.float32([power]))
    return graph.node("Mul", raised, graph.node("Sign", rows))
