"""Converters of the estimators for skl2onnx."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

try:
    from onnx import TensorProto
    from skl2onnx import update_registered_converter
    from skl2onnx._parse import (
        _parse_sklearn,
        _parse_sklearn_classifier,
        update_registered_parser,
    )
    from skl2onnx.common.data_types import (
        DoubleTensorType,
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )
except ImportError as error:
    raise ImportError(
        f"Got no skl2onnx ({error}); expected it and onnx for exports. Install them: "
        "pip install skcae[onnx]"
    ) from error

from ..data.read_input import seen_layout
from ..estimators.classifier import ConvAutoencoderClassifier
from ..estimators.outlier_detector import ConvAutoencoderOutlierDetector
from ..estimators.transformer import ConvAutoencoderTransformer
from .encoder import add_features
from .graph import Graph, add_samples
from .scores import add_distances, add_errors

_TRANSFORMER = "SkcaeConvAutoencoderTransformer"
_CLASSIFIER = "SkcaeConvAutoencoderClassifier"
_DETECTOR = "SkcaeConvAutoencoderOutlierDetector"


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
    x = _add_samples(graph, inputs, layout)
    return add_features(graph, module, x, layout.spatial)


def _add_samples(graph, inputs, layout):
    return add_samples(graph, [x.full_name for x in inputs], layout)


def _layout_of(estimator, inputs, any_size=False):
    """Return the layout of samples that are the inputs of a graph."""
    shape = tuple(inputs[0].type.shape[1:])
    if len(inputs) > 1 or None in shape:  # columns, or rows of any width
        return estimator._layout
    return seen_layout(estimator, shape, "X", any_size)


def _parse_classifier(scope, classifier, inputs, custom_parsers=None):
    check_is_fitted(classifier)
    return _parse_sklearn_classifier(scope, classifier, inputs, custom_parsers)


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


def _parse_detector(scope, detector, inputs, custom_parsers=None):
    check_is_fitted(detector)
    operator = scope.declare_local_operator(_DETECTOR, detector)
    operator.inputs = inputs
    # Names and types are those of scikit-learn's detectors.
    is_double = isinstance(inputs[0].type, DoubleTensorType)
    real = DoubleTensorType if is_double else FloatTensorType
    outputs = {"label": Int64TensorType(), "scores": real()}
    if scope.get_options(detector, {"score_samples": False})["score_samples"]:
        outputs["score_samples"] = real()
    for name, kind in outputs.items():
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _set_shapes_of_scores(operator):
    n_samples = operator.inputs[0].get_first_dimension()
    for output in operator.outputs:
        output.type.shape = [n_samples, 1]


def _convert_detector(scope, operator, container):
    detector, graph = operator.raw_operator, Graph(scope, container)
    label, *scores = operator.outputs
    layout = _layout_of(detector, operator.inputs)
    if detector.pca_ is None:
        x = _add_samples(graph, operator.inputs, layout)
        module = detector.autoencoder_.module_
        oddness = add_errors(graph, module, x, layout.spatial)
    else:
        module = detector.transformer_.module_
        rows = _add_encoder(graph, operator.inputs, layout, module)
        oddness = add_distances(graph, detector.pca_, rows)
    decision = graph.node("Sub", np.array([-detector.offset_]), oddness)
    one = np.ones(1, dtype=np.int64)
    is_odd = graph.node("Less", decision, np.zeros(1))
    graph.node("Where", is_odd, -one, one, output=label.full_name)
    found = [decision, graph.node("Neg", oddness)]
    for values, output in zip(found, scores, strict=False):
        is_double = isinstance(output.type, DoubleTensorType)
        kind = TensorProto.DOUBLE if is_double else TensorProto.FLOAT
        graph.node("Cast", values, to=kind, output=output.full_name)


def _parse_frozen(scope, frozen, inputs, custom_parsers=None):
    inside = frozen.estimator
    options = (scope.options or {}).get(id(frozen))
    if options is not None:
        scope.add_options(id(inside), options)
    return _parse_sklearn(scope, inside, inputs, custom_parsers)


def register():
    """Tell skl2onnx about all converters."""
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
        parser=_parse_classifier,
        options={"zipmap": [True, False, "columns"], "nocl": [False]},
    )
    update_registered_converter(
        ConvAutoencoderOutlierDetector,
        _DETECTOR,
        _set_shapes_of_scores,
        _convert_detector,
        parser=_parse_detector,
        options={"score_samples": [True, False]},
    )
    update_registered_parser(FrozenEstimator, _parse_frozen)
