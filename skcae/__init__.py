"""Convolutional autoencoders as scikit-learn transformers."""

from .displays.feature_maps import FeatureMapDisplay
from .displays.filters import FilterDisplay
from .displays.reconstruction import ReconstructionDisplay
from .displays.training_curve import TrainingCurveDisplay
from .distributed.context import data_parallel
from .estimators.classifier import ConvAutoencoderClassifier
from .estimators.outlier_detector import ConvAutoencoderOutlierDetector
from .estimators.progress_lines import ProgressLines
from .estimators.transformer import ConvAutoencoderTransformer
from .params.recipes import recipes

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

# Pickles and skops files name a class by the module that it says it is from.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
