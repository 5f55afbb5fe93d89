"""The table of kinds of noise: a new one is a row and its function."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CorruptionKind:
    """Noise on the input of a denoising autoencoder.

    Parameters
    ----------
    name : str
        What users call it; also the name of its function in `skcae.nn.corruption`.
    noise : {"rand", "randn"}
        Name of the function in `torch` that draws a number for every value.
    level_is_share : bool
        Whether its level is a share of the values, of at most 1.
    """

    name: str
    noise: str
    level_is_share: bool


_ROWS = (
    CorruptionKind("mask", "rand", level_is_share=True),
    CorruptionKind("gaussian", "randn", level_is_share=False),
    CorruptionKind("salt_and_pepper", "rand", level_is_share=True),
)
CORRUPTIONS = {row.name: row for row in _ROWS}
