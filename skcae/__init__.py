"""Convolutional autoencoders as scikit-learn transformers."""

from ._outlier import ConvAutoencoderOutlierDetector
from ._recipes import recipes
from ._transformer import ConvAutoencoderTransformer

__all__ = [
    "ConvAutoencoderOutlierDetector",
    "ConvAutoencoderTransformer",
    "recipes",
]
__version__ = "0.1.0"
