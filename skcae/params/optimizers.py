"""The table of optimizers: a new one is a row here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of PyTorch.

    Parameters
    ----------
    name : str
        What users call it.
    torch : str
        Name of the class in `torch.optim`.
    is_fused : bool, default=False
        Whether it has an argument `fused`, which makes small steps faster.
    """

    name: str
    torch: str
    is_fused: bool = False


_ROWS = (
    Optimizer("adam", "Adam", is_fused=True),
    Optimizer("adamw", "AdamW", is_fused=True),
    Optimizer("sgd", "SGD", is_fused=True),
    Optimizer("rmsprop", "RMSprop"),
)
OPTIMIZERS = {row.name: row for row in _ROWS}
