"""All converters of the estimators for skl2onnx."""

try:
    import onnx  # noqa: F401
    import skl2onnx  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"Got no skl2onnx ({error}); expected it and onnx for exports. Install them: "
        "pip install skcae[onnx]"
    ) from error

from .classifier import register_classifier
from .detector import register_detector
from .frozen import register_frozen
from .transformer import register_transformer


def register():
    """Tell skl2onnx about all converters."""
    register_transformer()
    register_classifier()
    register_detector()
    register_frozen()
