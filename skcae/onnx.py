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

from sklearn.utils.validation import check_is_fitted

try:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType
except ImportError as error:
    raise ImportError(
        f"Got no skl2onnx ({error}); expected it and onnx for exports. Install them: "
        "pip install skcae[onnx]"
    ) from error

from ._graph import Graph, add_features, add_samples
from ._transformer import ConvAutoencoderTransformer
from ._validation import seen_layout

_TRANSFORMER = "SkcaeConvAutoencoderTransformer"


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
    any_size = cae._module_params["pooling"] is not None
    layout = _layout_of(cae, operator.inputs, any_size)
    x = add_samples(graph, [x.full_name for x in operator.inputs], layout)
    features = add_features(graph, cae.module_, x, layout.spatial)
    graph.node("Identity", features, output=operator.outputs[0].full_name)


def _layout_of(estimator, inputs, any_size=False):
    """Return the layout of samples that are the inputs of a graph."""
    shape = tuple(inputs[0].type.shape[1:])
    if len(inputs) > 1 or None in shape:  # columns, or rows of any width
        return estimator._layout
    return seen_layout(estimator, shape, "X", any_size)


update_registered_converter(
    ConvAutoencoderTransformer,
    _TRANSFORMER,
    _set_shape_of_features,
    _convert_transformer,
    parser=_parse_transformer,
)
