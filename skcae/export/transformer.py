"""The converter of the transformer."""

from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from sklearn.utils.validation import check_is_fitted

from ..estimators.transformer import ConvAutoencoderTransformer
from ..runtime.torch_settings import with_torch_defaults
from .graph import Graph
from .inputs import add_encoder, layout_of

_ALIAS = "SkcaeConvAutoencoderTransformer"


def parse_transformer(scope, cae, inputs, custom_parsers=None):
    """Declare the output of a transformer: its features."""
    check_is_fitted(cae)
    operator = scope.declare_local_operator(_ALIAS, cae)
    operator.inputs = inputs
    # Features are float32 even of samples that are float64, which skl2onnx would keep.
    features = scope.declare_local_variable("features", FloatTensorType())
    operator.outputs.append(features)
    return operator.outputs


def _set_shape(operator):
    n_samples = operator.inputs[0].get_first_dimension()
    n_features = operator.raw_operator._n_features_out
    operator.outputs[0].type.shape = [n_samples, n_features]


@with_torch_defaults
def _convert(scope, operator, container):
    cae, graph = operator.raw_operator, Graph(scope, container)
    layout = layout_of(cae, operator.inputs, cae._fitted.takes_any_size)
    features = add_encoder(graph, operator.inputs, layout, cae.module_)
    graph.node("Identity", features, output=operator.outputs[0].full_name)


def register_transformer():
    """Tell skl2onnx how to convert transformers."""
    update_registered_converter(
        ConvAutoencoderTransformer,
        _ALIAS,
        _set_shape,
        _convert,
        parser=parse_transformer,
    )
