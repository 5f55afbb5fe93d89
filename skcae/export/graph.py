"""An ONNX graph that grows node by node, and how samples get into it."""

import numpy as np
from onnx import TensorProto, numpy_helper

from ..params.activations import ACTIVATIONS
from ..params.pool_modes import POOL_MODES


def as_array(values):
    """Return a tensor, or an array, as an array."""
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
        self._constants = {}

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
        values = np.asarray(as_array(values), order="C")
        content = values.astype(str) if values.dtype == object else values
        key = content.dtype.str, content.shape, content.tobytes()
        if key not in self._constants:
            name = self.scope.get_unique_variable_name("constant")
            self._constants[key] = name
            self._add_constant(name, values)
        return self._constants[key]

    def _add_constant(self, name, values):
        if values.dtype == object:
            texts = [text.encode() for text in values.flat]
            self.container.add_initializer(
                name, TensorProto.STRING, values.shape, texts
            )
        else:
            tensor = numpy_helper.from_array(values, name)
            self.container.add_initializer(name, None, None, tensor)

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

    def transpose_convolve(self, x, weight, bias, stride, offset, missing, groups=1):
        """Add a transposed convolution whose output starts `offset` behind the first.

        It ends `missing` values per axis behind the last that is written, or before.
        """
        n_axes = weight.ndim - 2
        cut = [offset + max(0, -length) for length in missing]
        return self.node(
            "ConvTranspose",
            x,
            weight,
            bias,
            strides=[stride] * n_axes,
            pads=[offset] * n_axes + cut,
            output_padding=[max(0, length) for length in missing],
            group=groups,
        )

    def activate(self, x, name):
        """Add an activation."""
        return self.node(ACTIVATIONS[name].onnx, x)

    def pool(self, x, mode, sides, missing):
        """Add a pooling over windows, the last of each axis short of some values."""
        return self.node(
            POOL_MODES[mode].onnx,
            x,
            kernel_shape=sides,
            strides=sides,
            pads=[0] * len(sides) + missing,
        )

    def linear(self, rows, weight, bias=None):
        """Add ``rows @ weight.T + bias``."""
        # In double precision, as in the module: sums are large next to their result.
        parts = [rows, weight.T] if bias is None else [rows, weight.T, bias]
        rows, weight, *bias = (
            self.node("Cast", part, to=TensorProto.DOUBLE) for part in parts
        )
        result = self.node("MatMul", rows, weight)
        if bias:
            result = self.node("Add", result, *bias)
        return self.node("Cast", result, to=TensorProto.FLOAT)

    def pick(self, x, places, axis):
        """Add a choice of some places of an axis, in their order."""
        return self.node("Gather", x, np.asarray(places, dtype=np.int64), axis=axis)

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
