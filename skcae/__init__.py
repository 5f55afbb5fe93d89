"""Convolutional autoencoders as scikit-learn transformers."""

from ._transformer import ConvAutoencoderTransformer

__all__ = ["ConvAutoencoderTransformer"]
__version__ = "0.1.0"
