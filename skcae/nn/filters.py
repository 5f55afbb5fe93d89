"""Filters as rows of numbers: how they are drawn, and without what mean."""

import math

import torch
from torch import Tensor


@torch.no_grad()
def remove_mean_(weight: Tensor) -> None:
    """Subtract the mean of every filter of 3 values or more, in place."""
    if weight[0].numel() > 2:
        weight -= weight.mean(tuple(range(1, weight.ndim)), keepdim=True)


@torch.no_grad()
def normalise_(weight: Tensor) -> None:
    """Give every filter unit norm, in place; one of zeros alone remains.

    Parameters
    ----------
    weight : Tensor of shape (K, C, *kernel)
        Filters.
    """
    axes = tuple(range(1, weight.ndim))
    norms = torch.linalg.vector_norm(weight, dim=axes, keepdim=True)
    weight /= norms.clamp_min_(torch.finfo(weight.dtype).tiny)


def draw_filters(weight: Tensor, generator: torch.Generator) -> None:
    """Fill `weight` with random filters of unit norm and, from 3 values on, no mean.

    What a filter without mean finds does not depend on the brightness.
    """
    rows = torch.randn(len(weight), weight[0].numel(), generator=generator)
    remove_mean_(rows)
    normalise_(rows)
    weight.copy_(rows.view(weight.shape))


def draw_uniform(weight: Tensor, fan_in: int, generator: torch.Generator) -> None:
    """Fill `weight` with uniform numbers within plus/minus 1/sqrt(`fan_in`)."""
    values = torch.rand(weight.shape, generator=generator)
    weight.copy_((2 * values - 1) / math.sqrt(fan_in))
