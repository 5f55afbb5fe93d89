"""How odd samples are, as nodes of an ONNX graph, in double precision."""

import math

import numpy as np
from onnx import TensorProto

from ..estimators.mahalanobis import precisions
from .decoder import add_reconstruction


def add_errors(graph, module, x, spatial):
    """Add the mean squared reconstruction error of every sample.

    Parameters
    ----------
    graph, module, x, spatial
        As of `add_features`.

    Returns
    -------
    errors : str
        Name of the result, (N, 1), float64.
    """
    rebuilt = add_reconstruction(graph, module, x, spatial)
    difference = graph.node("Flatten", graph.node("Sub", rebuilt, x))
    squares = _add_squares(graph, graph.node("Cast", difference, to=TensorProto.DOUBLE))
    n_values = module.channels[0] * math.prod(spatial)
    return graph.node("MatMul", squares, np.full((n_values, 1), 1 / n_values))


def add_distances(graph, pca, rows):
    """Add what `squared_distances` computes.

    Parameters
    ----------
    graph : Graph
        Gets the nodes.
    pca : PCA
        A fitted one.
    rows : str
        Name of features, (N, n_features).

    Returns
    -------
    distances : str
        Name of the result, (N, 1), float64.
    """
    of_components, of_others = precisions(pca)
    rows = graph.node("Cast", rows, to=TensorProto.DOUBLE)
    deviations = graph.node("Sub", rows, pca.mean_)
    squares = _add_squares(graph, graph.node("MatMul", deviations, pca.components_.T))
    everything = _add_sums(graph, _add_squares(graph, deviations), pca.n_features_in_)
    explained = _add_sums(graph, squares, len(of_components))
    others = graph.node("Sub", everything, explained)
    others = graph.node("Max", others, np.zeros(1))
    return graph.node(
        "Add",
        graph.node("MatMul", squares, of_components[:, None]),
        graph.node("Mul", others, np.array([of_others])),
    )


def _add_squares(graph, x):
    return graph.node("Mul", x, x)


def _add_sums(graph, rows, length):
    return graph.node("MatMul", rows, np.ones((length, 1)))
