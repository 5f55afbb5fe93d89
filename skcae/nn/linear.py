"""Products with a matrix whose results do not depend on the other rows."""

from torch import Tensor
from torch.nn import functional as F


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, exact: bool):
    """Return ``x @ weight.T + bias``.

    Parameters
    ----------
    x : Tensor of shape (N, ..., n_in)
        Rows.
    weight : Tensor of shape (n_out, n_in)
        Matrix.
    bias : Tensor of shape (n_out,) or None, default=None
        Added to every row.
    exact : bool
        Whether results on a CPU must not depend on the other rows. Products sum in an
        order that depends on the place of a row in the batch; in double precision, the
        error of that does not reach the digits of the result.

    Returns
    -------
    y : Tensor of shape (N, ..., n_out)
    """
    if not exact or x.device.type != "cpu":
        return F.linear(x, weight, bias)
    bias = None if bias is None else bias.double()
    return F.linear(x.double(), weight.double(), bias).float()
