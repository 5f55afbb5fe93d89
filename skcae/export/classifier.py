"""The converter of the classifier."""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DictionaryType,
    FloatTensorType,
    Int64TensorType,
    SequenceType,
    StringTensorType,
)
from sklearn.utils.validation import check_is_fitted

from ..estimators.classifier import ConvAutoencoderClassifier
from ..runtime.torch_settings import with_torch_defaults
from .graph import Graph
from .inputs import add_encoder, layout_of

_ALIAS = "SkcaeConvAutoencoderClassifier"


def _labels(classifier):
    """Return the classes as ONNX has them: integers or strings."""
    classes = classifier.classes_
    if classes.dtype.kind in "OSU":
        return classes.astype(str).astype(object)
    labels = classes.astype(np.int64)
    if (labels != classes).any():
        raise ValueError(
            f"Got classes {classes.tolist()}; expected whole numbers or strings, as "
            "ONNX has no other labels. Fit again with labels of that kind."
        )
    return labels


def _label_type(labels):
    return StringTensorType if labels.dtype == object else Int64TensorType


def parse_classifier(scope, classifier, inputs, custom_parsers=None):
    """Declare the outputs of a classifier, as skl2onnx does for those it knows.

    Its option `zipmap` says how probabilities are handed out: as a tensor (False), as a
    dict for every sample (True), or as a tensor for every class ("columns").
    """
    check_is_fitted(classifier)
    operator = scope.declare_local_operator(_ALIAS, classifier)
    operator.inputs = inputs
    operator.zipmap = scope.get_options(classifier, {"zipmap": True})["zipmap"]
    labels = _labels(classifier)
    label_type = _label_type(labels)
    if not operator.zipmap:
        outputs = {"label": label_type(), "probabilities": FloatTensorType()}
    elif operator.zipmap == "columns":
        letter = "s" if labels.dtype == object else "i"
        columns = {f"{letter}{label}": FloatTensorType() for label in labels}
        outputs = {"output_label": label_type(), **columns}
    else:
        by_class = DictionaryType(label_type([]), FloatTensorType([]))
        outputs = {
            "output_label": label_type(),
            "output_probability": SequenceType(by_class),
        }
    for name, kind in outputs.items():
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _zipmap(operator):
    # Operators that skl2onnx makes for parts of its own have no parser.
    return getattr(operator, "zipmap", False)


def _set_shapes(operator):
    label, *probabilities = operator.outputs
    labels = _labels(operator.raw_operator)
    n_samples = operator.inputs[0].get_first_dimension()
    label.type = _label_type(labels)([n_samples])
    if _zipmap(operator) == "columns":
        for column in probabilities:
            column.type = FloatTensorType([n_samples])
    elif not _zipmap(operator):
        probabilities[0].type = FloatTensorType([n_samples, len(labels)])


@with_torch_defaults
def _convert(scope, operator, container):
    classifier, graph = operator.raw_operator, Graph(scope, container)
    module, (label, *probabilities) = classifier.module_, operator.outputs
    layout, labels = layout_of(classifier, operator.inputs), _labels(classifier)
    rows = add_encoder(graph, operator.inputs, layout, module.encoder)
    rows = graph.node("Div", graph.node("Sub", rows, module.mean), module.scale)
    logits = graph.linear(rows, module.weight, module.bias)
    codes = graph.node("ArgMax", logits, axis=1, keepdims=0)
    graph.node("Gather", labels, codes, output=label.full_name)
    names = [output.full_name for output in probabilities]
    _add_probabilities(graph, logits, labels, names, _zipmap(operator))


def _add_probabilities(graph, logits, labels, names, zipmap):
    """Add the probabilities under the names of the outputs."""
    if not zipmap:
        graph.node("Softmax", logits, axis=1, output=names[0])
        return
    rows = graph.node("Softmax", logits, axis=1)
    if zipmap == "columns":
        for number, name in enumerate(names):
            column = np.array(number, dtype=np.int64)
            graph.node("Gather", rows, column, axis=1, output=name)
        return
    kind = "strings" if labels.dtype == object else "int64s"
    keys = {f"classlabels_{kind}": labels.tolist()}
    graph.node("ZipMap", rows, output=names[0], op_domain="ai.onnx.ml", **keys)


def register_classifier():
    """Tell skl2onnx how to convert classifiers."""
    update_registered_converter(
        ConvAutoencoderClassifier,
        _ALIAS,
        _set_shapes,
        _convert,
        parser=parse_classifier,
        options={"zipmap": [True, False, "columns"], "nocl": [False]},
    )
