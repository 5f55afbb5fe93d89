"""Convolutional autoencoders as scikit-learn transformers."""

from ._classifier import ConvAutoencoderClassifier
from ._recipes import recipes
from ._transformer import ConvAutoencoderTransformer

__all__ = ["ConvAutoencoderClassifier", "ConvAutoencoderTransformer", "recipes"]
__version__ = "0.1.0"
