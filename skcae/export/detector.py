"""The converter of the outlier detector."""

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
)
from sklearn.utils.validation import check_is_fitted

from ..estimators.outlier_detector import ConvAutoencoderOutlierDetector
from ..runtime.torch_settings import with_torch_defaults
from .graph import Graph
from .inputs import add_encoder, add_inputs, layout_of
from .scores import add_distances, add_errors

_ALIAS = "SkcaeConvAutoencoderOutlierDetector"


def parse_detector(scope, detector, inputs, custom_parsers=None):
    """Declare the outputs of a detector, named as those that skl2onnx knows."""
    check_is_fitted(detector)
    operator = scope.declare_local_operator(_ALIAS, detector)
    operator.inputs = inputs
    is_double = isinstance(inputs[0].type, DoubleTensorType)
    real = DoubleTensorType if is_double else FloatTensorType
    outputs = {"label": Int64TensorType(), "scores": real()}
    if scope.get_options(detector, {"score_samples": False})["score_samples"]:
        outputs["score_samples"] = real()
    for name, kind in outputs.items():
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _set_shapes(operator):
    n_samples = operator.inputs[0].get_first_dimension()
    for output in operator.outputs:
        output.type.shape = [n_samples, 1]


@with_torch_defaults
def _convert(scope, operator, container):
    detector, graph = operator.raw_operator, Graph(scope, container)
    label, *scores = operator.outputs
    layout = layout_of(detector, operator.inputs)
    if detector.pca_ is None:
        x = add_inputs(graph, operator.inputs, layout)
        module = detector.autoencoder_.module_
        oddness = add_errors(graph, module, x, layout.spatial)
    else:
        module = detector.transformer_.module_
        rows = add_encoder(graph, operator.inputs, layout, module)
        oddness = add_distances(graph, detector.pca_, rows)
    decision = graph.node("Sub", np.array([-detector.offset_]), oddness)
    one = np.ones(1, dtype=np.int64)
    # ONNX has GreaterOrEqual from opset 12 on. NaN is neither: it is no normal score.
    is_inside = graph.node("Greater", decision, np.zeros(1))
    is_on_edge = graph.node("Equal", decision, np.zeros(1))
    is_normal = graph.node("Or", is_inside, is_on_edge)
    graph.node("Where", is_normal, one, -one, output=label.full_name)
    found = [decision, graph.node("Neg", oddness)]
    for values, output in zip(found, scores, strict=False):
        is_double = isinstance(output.type, DoubleTensorType)
        kind = TensorProto.DOUBLE if is_double else TensorProto.FLOAT
        graph.node("Cast", values, to=kind, output=output.full_name)


def register_detector():
    """Tell skl2onnx how to convert outlier detectors."""
    update_registered_converter(
        ConvAutoencoderOutlierDetector,
        _ALIAS,
        _set_shapes,
        _convert,
        parser=parse_detector,
        options={"score_samples": [True, False]},
    )
