"""Convolutional autoencoders as scikit-learn transformers."""

from ._classifier import ConvAutoencoderClassifier
from ._feature_map_display import FeatureMapDisplay
from ._filter_display import FilterDisplay
from ._outlier import ConvAutoencoderOutlierDetector
from ._progress_lines import ProgressLines
from ._ranks import data_parallel
from ._recipes import recipes
from ._reconstruction_display import ReconstructionDisplay
from ._training_curve_display import TrainingCurveDisplay
from ._transformer import ConvAutoencoderTransformer

__all__ = [
    "ConvAutoencoderClassifier",
    "ConvAutoencoderOutlierDetector",
    "ConvAutoencoderTransformer",
    "FeatureMapDisplay",
    "FilterDisplay",
    "ProgressLines",
    "ReconstructionDisplay",
    "TrainingCurveDisplay",
    "data_parallel",
    "recipes",
]
__version__ = "0.1.0"
