"""Frozen estimators as graphs, where there is one of skcae in them."""

from skl2onnx import update_registered_parser
from skl2onnx.common.data_types import FloatTensorType
from sklearn.frozen import FrozenEstimator

from ..estimators.classifier import ConvAutoencoderClassifier
from ..estimators.outlier_detector import ConvAutoencoderOutlierDetector
from ..estimators.transformer import ConvAutoencoderTransformer
from .skl2onnx_compat import parse

_OWN = (
    ConvAutoencoderTransformer,
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
)


def _parse_frozen(scope, frozen, inputs, custom_parsers=None):
    """Declare the outputs of what is frozen."""
    inside = frozen.estimator
    parts = [inside, *inside.get_params(deep=True).values()]
    if not any(isinstance(part, _OWN) for part in parts):
        return _leave_to_skl2onnx(scope, frozen, inputs)
    options = (scope.options or {}).get(id(frozen))
    if options is not None:
        scope.add_options(id(inside), options)
    return parse(scope, inside, inputs, custom_parsers)


def _leave_to_skl2onnx(scope, frozen, inputs):
    """Declare an operator without a converter: skl2onnx says that it has none."""
    operator = scope.declare_local_operator(None, frozen)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("variable", FloatTensorType()))
    return operator.outputs


def register_frozen():
    """Tell skl2onnx about frozen estimators; it has no converter for them."""
    update_registered_parser(FrozenEstimator, _parse_frozen)
