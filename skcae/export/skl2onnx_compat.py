"""Parts of skl2onnx without a promise of stability, imported in this file alone.

`tests/utils/test_private_parts.py` lists them and says when one of them is gone.
"""

from skl2onnx._parse import (
    _parse_sklearn,
    _parse_sklearn_simple_model,
    sklearn_parsers_map,
)


def parse(scope, model, inputs, custom_parsers=None):
    """Declare the operators and outputs of any estimator that skl2onnx can convert.

    Parameters
    ----------
    scope : skl2onnx Scope
        Gets them.
    model : estimator
        A fitted one.
    inputs : list of skl2onnx Variable
        What it takes.
    custom_parsers : dict or None, default=None
        Those of the user.

    Returns
    -------
    outputs : list of skl2onnx Variable
    """
    return _parse_sklearn(scope, model, inputs, custom_parsers)


def parse_unregistered(scope, model, inputs, custom_parsers=None):
    """Declare the operator and outputs of an estimator without a registered parser.

    Parameters
    ----------
    scope, model, inputs, custom_parsers
        As of `parse`.

    Returns
    -------
    outputs : list of skl2onnx Variable
    """
    return _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)


def registered_parser(kind):
    """Return the parser that is registered for a class, None without one.

    Parameters
    ----------
    kind : type
        A class of estimators.

    Returns
    -------
    parser : callable or None
    """
    return sklearn_parsers_map.get(kind)
