"""The table of losses: a new one is a row here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """What a reconstruction costs, as a mean over all elements.

    Parameters
    ----------
    name : str
        What users call it.
    torch : str
        Name of the function in `torch.nn.functional`, of output and target.
    factor : float, default=1.0
        What its value is multiplied by.
    implies_output : str, default=None
        The activation of the reconstruction that the function contains, so that it is
        computed from the output before it. None: any activation, applied first.
    """

    name: str
    torch: str
    factor: float = 1.0
    implies_output: str | None = None


_ROWS = (
    Loss("squared_error", "mse_loss", factor=0.5),
    Loss("absolute_error", "l1_loss"),
    Loss("huber", "huber_loss"),
    Loss("log_loss", "binary_cross_entropy_with_logits", implies_output="sigmoid"),
)
LOSSES = {row.name: row for row in _ROWS}
