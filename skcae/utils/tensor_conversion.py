"""From torch tensors to numpy arrays, without importing torch for other things."""

import sys


def from_torch(X, name):
    """Return a numpy array where `X` is a torch tensor, else `X` itself.

    Parameters
    ----------
    X : object
        Anything.
    name : str
        What messages call it.

    Raises
    ------
    TypeError
        If it is a tensor that numpy has no array for.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(X, torch.Tensor):
        return X
    try:
        X = X.detach().cpu()
        return X.float().numpy() if X.dtype == torch.bfloat16 else X.numpy()
    except (RuntimeError, TypeError):
        raise TypeError(
            f"Got {name} as a torch tensor of dtype {X.dtype}, layout {X.layout} and "
            f"device {X.device}; expected a dense tensor of real numbers. Pass "
            "X.to_dense(), X.dequantize() or a numpy array."
        ) from None


def fits_torch(array):
    """Whether torch can use an array where it lies in memory.

    An axis of length 1 may have any stride for numpy, even in an array that it calls
    contiguous, but not for torch.
    """
    return array.flags.aligned and all(
        stride >= 0 and stride % array.itemsize == 0 for stride in array.strides
    )
