"""Rooms import in one direction, and torch is not imported before it computes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skcae

PACKAGE = Path(skcae.__file__).parent
# Each imports only from those before it.
ORDER = [
    "_sklearn",
    "_group",
    "_ranks",
    "_shapes",
    "_tensors",
    "_row_source",
    "_stored_array",
    "_dataset_rows",
    "_samples",
    "_shares",
    "_labels",
    "_constraints",
    "_consistency",
    "_parameters",
    "_validation",
    "_threads",
    "_devices",
    "_precision",
    "_compile",
    "_resident",
    "_batches",
    "_convolutions",
    "_whitening",
    "_winners",
    "_augmentation",
    "_layers",
    "_losses",
    "_module",
    "_classification",
    "_graph",
    "_encoder_graph",
    "_decoder_graph",
    "_init",
    "_decoding",
    "_objectives",
    "_callbacks",
    "_progress_lines",
    "_fingerprint",
    "_seeds",
    "_plain",
    "_checkpoint_file",
    "_checkpoint",
    "_quiet_net",
    "_net",
    "_classifier_net",
    "_training",
    "_pretraining",
    "_inference",
    "_fine_tuning",
    "_state",
    "_base",
    "_transformer",
    "_autoencoder",
    "_classifier",
    "_recipes",
    "_distances",
    "_score_graph",
    "_outlier",
    "onnx",
    "_mosaic",
    "_drawing",
    "_base_display",
    "_reconstruction_display",
    "_filter_display",
    "_training_curve_display",
    "_feature_map_display",
    "__init__",
]


def imports_of(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
    }


def test_every_room_is_listed():
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_imports_go_one_way(name):
    assert imports_of(name) <= set(ORDER[: ORDER.index(name)])


@pytest.mark.parametrize(
    "name",
    [
        "_shapes",
        "_tensors",
        "_row_source",
        "_stored_array",
        "_samples",
        "_constraints",
        "_consistency",
        "_parameters",
    ],
)
def test_arithmetic_knows_no_torch(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    modules = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert not modules & {"torch", "skorch"}


def test_only_one_room_imports_private_parts_of_scikit_learn():
    for path in PACKAGE.glob("*.py"):
        if path.stem == "_sklearn":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                parts = node.module.split(".")
                if parts[0] == "sklearn":
                    names = parts + [alias.name for alias in node.names]
                    assert not [n for n in names if n.startswith("_")], path


def test_building_a_pipeline_imports_neither_torch_nor_onnx():
    script = (
        "import sys, skcae; from sklearn.base import clone; "
        "clone(skcae.ConvAutoencoderTransformer(n_filters=3)); "
        "unwanted = {'torch', 'skorch', 'matplotlib', 'onnx', 'skl2onnx'}; "
        "assert not unwanted & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_public_names():
    assert skcae.__all__ == [
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
    assert skcae.__version__
