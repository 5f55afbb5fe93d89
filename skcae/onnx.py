"""Importing this teaches skl2onnx to export the estimators of skcae.

Examples
--------
>>> import onnxruntime
>>> import skl2onnx
>>> import skcae.onnx
>>> from sklearn.datasets import load_digits
>>> from skcae import ConvAutoencoderTransformer
>>> X = load_digits().images
>>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=1, random_state=0).fit(X)
>>> content = skl2onnx.to_onnx(cae, X[:1]).SerializeToString()
>>> session = onnxruntime.InferenceSession(content)
>>> (features,) = session.run(None, {"X": X})
>>> features.shape
(1797, 128)
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

try:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.data_types import (
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )
except ImportError as error:
    raise ImportError(
        f"Got no skl2onnx ({error}); expected it and onnx for exports. Install them: "
        "pip install skcae[onnx]"
    ) from error

from ._classifier import ConvAutoencoderClassifier
from ._graph import Graph, add_features, add_samples
from ._transformer import ConvAutoencoderTransformer
from ._validation import seen_layout

_TRANSFORMER = "SkcaeConvAutoencoderTransformer"
_CLASSIFIER = "SkcaeConvAutoencoderClassifier"


def _parse_transformer(scope, cae, inputs, custom_parsers=None):
    check_is_fitted(cae)
    operator = scope.declare_local_operator(_TRANSFORMER, cae)
    operator.inputs = inputs
    # Whatever the samples are. Left to skl2onnx, doubles would stay doubles.
    features = scope.declare_local_variable("features", FloatTensorType())
    operator.outputs.append(features)
    return operator.outputs


def _set_shape_of_features(operator):
    n_samples = operator.inputs[0].get_first_dimension()
    n_features = operator.raw_operator._n_features_out
    operator.outputs[0].type.shape = [n_samples, n_features]


def _convert_transformer(scope, operator, container):
    cae, graph = operator.raw_operator, Graph(scope, container)
    layout = _layout_of(cae, operator.inputs, cae._takes_any_size)
    features = _add_encoder(graph, operator.inputs, layout, cae.module_)
    graph.node("Identity", features, output=operator.outputs[0].full_name)


def _add_encoder(graph, inputs, layout, module):
    x = add_samples(graph, [x.full_name for x in inputs], layout)
    return add_features(graph, module, x, layout.spatial)


def _layout_of(estimator, inputs, any_size=False):
    """Return the layout of samples that are the inputs of a graph."""
    shape = tuple(inputs[0].type.shape[1:])
    if len(inputs) > 1 or None in shape:  # columns, or rows of any width
        return estimator._layout
    return seen_layout(estimator, shape, "X", any_size)


def _labels(classifier):
    """Return the classes as ONNX has them: integers or strings."""
    classes = classifier.classes_
    if classes.dtype.kind in "OSU":
        return classes.astype(str).astype(object)
    labels = classes.astype(np.int64)
    if (labels != classes).any():
        raise ValueError(
            f"Got classes {classes.tolist()}; expected whole numbers or strings, as "
            "ONNX has no other labels. Fit again with labels of that kind."
        )
    return labels


def _set_shapes_of_classes(operator):
    classifier, (label, probabilities) = operator.raw_operator, operator.outputs
    check_is_fitted(classifier)
    n_samples = operator.inputs[0].get_first_dimension()
    is_text = _labels(classifier).dtype == object
    label.type = (StringTensorType if is_text else Int64TensorType)([n_samples])
    probabilities.type = FloatTensorType([n_samples, len(classifier.classes_)])


def _convert_classifier(scope, operator, container):
    classifier, graph = operator.raw_operator, Graph(scope, container)
    module, (label, probabilities) = classifier.module_, operator.outputs
    layout = _layout_of(classifier, operator.inputs)
    rows = _add_encoder(graph, operator.inputs, layout, module.encoder)
    rows = graph.node("Div", graph.node("Sub", rows, module.mean), module.scale)
    logits = graph.linear(rows, module.weight, module.bias)
    graph.node("Softmax", logits, axis=1, output=probabilities.full_name)
    codes = graph.node("ArgMax", logits, axis=1, keepdims=0)
    graph.node("Gather", _labels(classifier), codes, output=label.full_name)


update_registered_converter(
    ConvAutoencoderTransformer,
    _TRANSFORMER,
    _set_shape_of_features,
    _convert_transformer,
    parser=_parse_transformer,
)
update_registered_converter(
    ConvAutoencoderClassifier,
    _CLASSIFIER,
    _set_shapes_of_classes,
    _convert_classifier,
    options={"zipmap": [True, False, "columns"], "nocl": [False]},
)
