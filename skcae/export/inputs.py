"""From the inputs of an operator to features."""

from ..data.read_input import seen_layout
from .encoder import add_features
from .graph import add_samples


def layout_of(estimator, inputs, any_size=False):
    """Return the layout of samples that are the inputs of an operator.

    Parameters
    ----------
    estimator : estimator
        A fitted one.
    inputs : list of skl2onnx Variable
        One of all samples, or one of each of their columns.
    any_size : bool, default=False
        Whether N-D samples may have another spatial shape than `fit` saw.

    Returns
    -------
    layout : Layout
    """
    shape = tuple(inputs[0].type.shape[1:])
    if len(inputs) > 1 or None in shape:  # columns, or rows of any width
        return estimator._fitted.layout
    return seen_layout(estimator, shape, "X", any_size)


def add_inputs(graph, inputs, layout):
    """Add what makes float32 samples (N, C, *spatial) of inputs; return its name."""
    return add_samples(graph, [x.full_name for x in inputs], layout)


def add_encoder(graph, inputs, layout, module):
    """Add all from inputs to the features of a `ConvAutoencoder`; return their name."""
    x = add_inputs(graph, inputs, layout)
    return add_features(graph, module, x, layout.spatial)
