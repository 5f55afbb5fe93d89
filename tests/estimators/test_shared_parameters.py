"""Texts of shared parameters are whole in every docstring."""

import inspect

import pytest
from numpydoc.docscrape import ClassDoc

from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer
from skcae.estimators.shared_parameters import _TEXTS, fill_in_shared_parameters
from skcae.params.constraints import CHOICES

ESTIMATORS = [ConvAutoencoderTransformer, ConvAutoencoderClassifier]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_text_is_there(cls):
    entries = {entry.name: entry for entry in ClassDoc(cls)["Parameters"]}
    for name, (kind, text) in _TEXTS.items():
        words = " ".join(entries[name].desc).split()
        assert words[: len(text.split())] == text.split()
        if kind == f"%(values of {name})s":
            kind = "{" + ", ".join(f'"{value}"' for value in CHOICES[name]) + "}"
        assert entries[name].type.startswith(f"{kind}, default=")
    assert "%(" not in inspect.getdoc(cls)


def test_lines_are_no_longer_than_those_of_the_sources():
    for cls in ESTIMATORS:
        lines = inspect.getdoc(cls).splitlines()
        assert not [line for line in lines if len(line) > 84 and " : " not in line]


def test_text_of_one_class_follows_the_shared_one():
    class Estimator:
        """Do things.

        Parameters
        ----------
        %(lr)s
            Of the head
            alone.
        %(verbose)s
        """

        def __init__(self, lr=0.5, verbose="no"):
            pass

    filled = fill_in_shared_parameters(Estimator)
    assert filled is Estimator
    lr, verbose = ClassDoc(Estimator)["Parameters"]
    assert lr.type == "float, default=0.5"
    assert lr.desc == ["Learning rate. Of the head alone."]
    assert verbose.type == 'int, default="no"'


def test_there_may_be_no_docstring():
    class Estimator:
        def __init__(self, lr=0.5):
            pass

    assert fill_in_shared_parameters(Estimator).__doc__ is None
