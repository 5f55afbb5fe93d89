"""The table of ways to keep codes sparse: a new one is a row and its objective."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Sparsity:
    """How codes are kept sparse in training.

    Parameters
    ----------
    name : str
        What users call it.
    objective : str, default=None
        Module and class in `skcae.training` of an objective that is made with the
        number of the stage, `sparsity_level`, `crop_size` and a generator. It trains
        one stage, so that it needs `is_stagewise`. None: that of a reconstruction.
    penalty : callable, default=None
        Function of the code, a tensor, that is added to the loss of a reconstruction,
        `sparsity_level` times.
    is_stagewise : bool, default=False
        Whether each stage is trained by itself, one after the other.
    fits_decoder : bool, default=False
        Whether the decoder is fitted to the dense code afterwards.
    uses_crops : bool, default=False
        Whether it looks at random parts of samples, of side `crop_size`.
    check : callable, default=None
        Raises ValueError for a transformer, with its stages, that cannot be trained
        like that.
    """

    name: str
    objective: str | None = None
    penalty: Callable | None = None
    is_stagewise: bool = False
    fits_decoder: bool = False
    uses_crops: bool = False
    check: Callable | None = None


def _check_winner_take_all(estimator, stages):
    if len(stages) > 1 and not estimator.layerwise:
        raise ValueError(
            f"Got sparsity='winner_take_all' with {len(stages)} stages; expected one "
            "stage at a time. Set layerwise=True."
        )
    if estimator.corruption is not None:
        raise ValueError(
            f"Got corruption={estimator.corruption!r} with "
            "sparsity='winner_take_all'; expected one of the two. Set one to None."
        )
    if estimator.tied_weights:
        raise ValueError(
            "Got tied_weights=True with sparsity='winner_take_all'; expected False: "
            "while they learn, filters are tied anyway, and then the decoder is fitted "
            "to the dense code. Set tied_weights=False."
        )
    for stage in stages:
        if stage.stride != 1:
            raise ValueError(
                f"Got stride={stage.stride} with sparsity='winner_take_all'; expected "
                "1, as winners may lie anywhere. Set stride=1 and use pool_size."
            )


_ROWS = (
    Sparsity(
        "winner_take_all",
        objective="winner_take_all.WinnerTakeAll",
        is_stagewise=True,
        fits_decoder=True,
        uses_crops=True,
        check=_check_winner_take_all,
    ),
    Sparsity("l1", penalty=lambda code: code.abs().mean()),
)
SPARSITIES = {row.name: row for row in _ROWS}
