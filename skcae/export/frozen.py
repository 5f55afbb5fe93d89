"""Frozen estimators as graphs, where there is one of skcae in them."""

from skl2onnx import update_registered_parser
from sklearn.frozen import FrozenEstimator

from ..estimators.classifier import ConvAutoencoderClassifier
from ..estimators.outlier_detector import ConvAutoencoderOutlierDetector
from ..estimators.transformer import ConvAutoencoderTransformer
from .skl2onnx_compat import parse, parse_unregistered, registered_parser

_OWN = (
    ConvAutoencoderTransformer,
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
)


def _make_parser(parse_others):
    """Return a parser that leaves frozen estimators of others to another parser."""

    def parse_frozen(scope, frozen, inputs, custom_parsers=None):
        inside = frozen.estimator
        parts = [inside, *inside.get_params(deep=True).values()]
        if not any(isinstance(part, _OWN) for part in parts):
            return parse_others(scope, frozen, inputs, custom_parsers)
        options = (scope.options or {}).get(id(frozen))
        if options is not None:
            scope.add_options(id(inside), options)
        return parse(scope, inside, inputs, custom_parsers)

    return parse_frozen


def register_frozen():
    """Tell skl2onnx about frozen estimators with one of skcae in them.

    skl2onnx has one parser for each class. So the others go to the parser that was
    registered before, or to what skl2onnx does where there is none.
    """
    parse_others = registered_parser(FrozenEstimator) or parse_unregistered
    update_registered_parser(FrozenEstimator, _make_parser(parse_others))
