"""The module of a classifier."""

import pytest
import torch

from skcae.nn.classifier import ConvClassifier
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"n_components": 3},
        {"n_components": 3, "pooling": "avg"},
        {"n_components": 3, "pooling": "avg", "feature_stages": "all", "power": 0.5},
        {"tied_weights": True},
    ],
)
def test_every_weight_has_a_part_in_the_logits(params):
    stage = Stage(2, 3, 1, 2, "same", "tanh")
    module = ConvClassifier(Architecture([stage, stage], (8, 8), **params), 4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(0.1)
    module(torch.randn(5, 1, 8, 8)).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
