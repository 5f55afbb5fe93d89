"""Products with a matrix whose results do not depend on the other rows."""

from torch import Tensor
from torch.nn import functional as F


def linear(x: Tensor, weight: Tensor, bias: Tensor, *, exact: bool) -> Tensor:
    """Return ``x @ weight.T + bias``.

    A matrix product sums in an order that depends on a row's place in the batch.  In
    double precision, an exact one, that does not reach the digits of the result.
    """
    if not exact or x.device.type != "cpu":
        return F.linear(x, weight, bias)
    return F.linear(x.double(), weight.double(), bias.double()).float()
