"""How exactly a device multiplies: float32, TF32 or bfloat16."""

import warnings
from contextlib import nullcontext

import torch
from torch.nn import functional as F

from .devices import reason_of
from .shared_switch import SharedSwitch

# NVIDIA's Ampere: the first with TF32 and bfloat16 in its tensor cores.
_AMPERE = (8, 0)


def trains_in_bfloat16(precision, device):
    """Whether convolutions are trained in bfloat16.

    Parameters
    ----------
    precision : {"auto", "float32", "tf32", "bfloat16"}
        What the user asks for.
    device : str
        A resolved device.

    Raises
    ------
    ValueError
        If that is asked for and the device cannot do it.
    """
    if precision == "bfloat16":
        _check_bfloat16(device)
        return True
    device = torch.device(device)
    return (
        precision == "auto"
        and device.type == "cuda"
        and torch.cuda.get_device_capability(device) >= _AMPERE
    )


def _check_bfloat16(device):
    x = torch.zeros(1, 1, 2, 2, device=device)
    try:
        with warnings.catch_warnings(action="error"):
            in_bfloat16(lambda _, x: F.conv2d(x, x))(None, x)
    except (RuntimeError, UserWarning) as error:
        raise ValueError(
            f"Got precision='bfloat16' with device={str(device)!r}, which cannot "
            f"({reason_of(error)}); expected a device with bfloat16 arithmetic. Use "
            "precision='auto'."
        ) from None


def in_bfloat16(function):
    """Return ``function(module, x)`` with bfloat16 convolutions and a float32 result.

    Weights and gradients stay in float32.
    """

    def rounded(module, x):
        with torch.autocast(x.device.type, torch.bfloat16):
            y = function(module, x)
        return y.float()

    return rounded


def matmul_precision(precision, device):
    """Return a context in which a device multiplies as `precision` allows.

    Products of a GPU are those of float32, or of TF32 with anything but "float32". A
    CPU multiplies exactly. What the user has set for the process is as before
    afterwards.
    """
    if torch.device(device).type == "cuda":
        return MULTIPLICATION.set_to(precision != "float32")
    return nullcontext() if _is_exact_on_cpus() else MULTIPLICATION.set_to(False)


def _is_exact_on_cpus():
    products = _read_if_possible(torch.get_float32_matmul_precision)
    convolution = getattr(torch.backends.mkldnn, "conv", None)
    precision = getattr(convolution, "fp32_precision", "ieee")
    return products == "highest" and precision in ("none", "ieee")


# PyTorch 2.9 has new switches beside the old ones. Reading an old one fails where the
# new ones contradict it, and torch.compile reads the old ones. Setting an old one sets
# new ones, too. So old ones are set first, then new ones, and both are set back.


def _new_switches():
    """Return the switches for convolutions of GPUs, of CPUs, and for products."""
    cudnn, mkldnn = torch.backends.cudnn, torch.backends.mkldnn
    of_gpus = getattr(cudnn, "conv", None), getattr(cudnn, "rnn", None)
    of_cpus = (getattr(mkldnn, "conv", None),)
    products = torch.backends.cuda.matmul, getattr(mkldnn, "matmul", None)
    return [
        [switch for switch in switches if hasattr(switch, "fp32_precision")]
        for switches in (of_gpus, of_cpus, products)
    ]


def _read_if_possible(read):
    try:
        return read()
    except RuntimeError:  # set by the new switches alone
        return None


def _read():
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    with warnings.catch_warnings(action="ignore"):
        return (
            _read_if_possible(torch.get_float32_matmul_precision),
            _read_if_possible(lambda: cuda.matmul.allow_tf32),
            _read_if_possible(lambda: cudnn.allow_tf32),
            [
                (switch, switch.fp32_precision)
                for switches in _new_switches()
                for switch in switches
            ],
        )


def _allow_tf32(allowed):
    with warnings.catch_warnings(action="ignore"):
        torch.set_float32_matmul_precision("high" if allowed else "highest")
        torch.backends.cudnn.allow_tf32 = allowed
        # An old switch that is off leaves the new ones to what all backends share.
        of_gpus, of_cpus, _ = _new_switches()
        for switch in of_gpus:
            switch.fp32_precision = "tf32" if allowed else "ieee"
        for switch in of_cpus:
            switch.fp32_precision = "ieee"


def _restore(before):
    products, products_of_cuda, convolutions, new = before
    with warnings.catch_warnings(action="ignore"):
        if products is not None:
            torch.set_float32_matmul_precision(products)
        elif products_of_cuda is not None:
            torch.backends.cuda.matmul.allow_tf32 = products_of_cuda
        if convolutions is not None:
            torch.backends.cudnn.allow_tf32 = convolutions
        for switch, value in new:
            switch.fp32_precision = value


MULTIPLICATION = SharedSwitch(_read, _allow_tf32, _restore)
