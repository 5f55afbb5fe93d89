"""The table of kinds of noise: a new one is a row here.

Their functions take tensors and use nothing but methods of these.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CorruptionKind:
    """Noise on the input of a denoising autoencoder.

    Parameters
    ----------
    name : str
        What users call it.
    noise : {"rand", "randn"}
        Name of the function in `torch` that draws a number for every value.
    function : callable
        Returns noisy samples. Takes clean ones, the numbers drawn, the level, and a
        function that returns the extremes of each channel.
    level_is_share : bool, default=False
        Whether its level is a share of the values, of at most 1.
    """

    name: str
    noise: str
    function: Callable
    level_is_share: bool = False


def _mask(x, noise, level, extremes):
    return x * (noise >= level)


def _add(x, noise, level, extremes):
    return x + level * noise


def _replace_by_extremes(x, noise, level, extremes):
    low, high = extremes()
    x = low.where(noise < level / 2, x)
    return high.where(noise > 1 - level / 2, x)


_ROWS = (
    CorruptionKind("mask", "rand", _mask, level_is_share=True),
    CorruptionKind("gaussian", "randn", _add),
    CorruptionKind(
        "salt_and_pepper", "rand", _replace_by_extremes, level_is_share=True
    ),
)
CORRUPTIONS = {row.name: row for row in _ROWS}
