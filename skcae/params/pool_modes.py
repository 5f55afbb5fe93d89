"""The table of what pooling keeps of a window: a new one is a row here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PoolMode:
    """What pooling keeps of the values of a window.

    Parameters
    ----------
    name : str
        What users call it.
    torch : str
        Name of the functions in `torch.nn.functional` without the number of axes at
        its end: "max_pool" stands for `max_pool1d` and its kin and, over a grid, for
        `adaptive_max_pool1d` and its kin.
    onnx : str
        Name of the operator in ONNX.
    is_mean : bool, default=False
        Whether it is the mean, which is a product with a matrix. Else what it keeps
        must not depend on how often a value occurs.
    of_pair : str, default=None
        Name of the function in `torch` that keeps the same of two values. None: there
        is none.
    commutes_with_monotone : bool, default=False
        Whether a monotone function of the maps may as well be applied behind it.
    """

    name: str
    torch: str
    onnx: str
    is_mean: bool = False
    of_pair: str | None = None
    commutes_with_monotone: bool = False


_ROWS = (
    PoolMode(
        "max", "max_pool", "MaxPool", of_pair="maximum", commutes_with_monotone=True
    ),
    PoolMode("avg", "avg_pool", "AveragePool", is_mean=True),
)
POOL_MODES = {row.name: row for row in _ROWS}
