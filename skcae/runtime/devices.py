"""Which device computes, and what is said where its memory runs out."""

import re
from functools import wraps

import torch

from ..utils.user_warnings import warn

# Kinds of devices beside the CPU that torch has a part of the same name for.
ACCELERATORS = ("cuda", "xpu", "mps")
# Parts of the messages of errors that say that memory has run out.
_SIGNS_OF_GPUS = ("out of memory", "ALLOC_FAILED")
_SIGNS_OF_CPUS = ("can't allocate memory", "not enough memory")


def is_cpu(device):
    """Whether a device is the processor, whose memory is that of the arrays."""
    return torch.device(device).type == "cpu"


def resolve_device(device, gpu="cuda"):
    """Return the device that ``device="auto"`` and its like mean here.

    "auto" takes the CPU, with a warning, where there is a GPU that cannot be used now.

    Parameters
    ----------
    device : str
        As the user names it.
    gpu : str, default="cuda"
        The GPU that "auto" means: that of this process, where several share a fit.

    Raises
    ------
    ValueError
        If there is no such device.
    MemoryError
        If others have taken all of its memory.
    """
    device = str(device)
    if device == "auto":
        return _resolve_auto(gpu)
    error = _what_fails(device)
    if error is None:
        return device
    if is_out_of_memory(error):
        raise MemoryError(_explain(error))
    raise ValueError(
        f"Got device={device!r}, which PyTorch cannot use here ({reason_of(error)}); "
        "expected 'auto', 'cpu', or an available accelerator such as 'cuda'. Use "
        "device='auto'."
    )


def _resolve_auto(gpu):
    if not torch.cuda.is_available():
        return "cpu"
    error = _what_fails(gpu)
    if error is None:
        return gpu
    warn(
        f"PyTorch cannot use the GPU now ({reason_of(error)}), so the CPU computes. "
        "Run fewer processes on the GPU (such as those of n_jobs), or set "
        "device='cpu'."
    )
    return "cpu"


def _what_fails(device):
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        # Its traceback would keep alive what it passed through.
        return error.with_traceback(None)
    return None


def reason_of(error):
    """Return the first sentence of an error of torch."""
    lines = str(error).splitlines() or [type(error).__name__]
    return _first_sentence(lines[0])


def _first_sentence(text):
    # A point ends no sentence in "114. MiB", as numpy writes.
    return re.split(r"\. (?![KMGT]iB)", text)[0]


def is_out_of_memory(error):
    """Whether an error says that the memory of a device has run out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error)
    return any(sign in text for sign in (*_SIGNS_OF_GPUS, *_SIGNS_OF_CPUS))


def _is_of_cpu(error):
    return isinstance(error, MemoryError) or any(
        sign in str(error) for sign in _SIGNS_OF_CPUS
    )


def _explain(error):
    lines = str(error).splitlines() or ["no more is free"]
    if _is_of_cpu(error):
        # torch begins with the line of its source that has failed.
        reason = _first_sentence(lines[0].rpartition("CPUAllocator: ")[2])
        return (
            f"Got no more memory ({reason}); expected room for the weights and for "
            "what one batch takes. Lower batch_size or n_filters, pool more, or run "
            "fewer processes on this machine."
        )
    # What was asked for and what is free; then torch goes on about its allocator.
    reason = ". ".join(lines[0].split(". ")[:3]).rstrip(". ")
    return (
        f"Got no more memory on the device ({reason}); expected room for the weights "
        "and for what one batch takes. Lower batch_size, run fewer processes on the "
        "same GPU (such as those of n_jobs), or set device='cpu'."
    )


def explains_out_of_memory(function):
    """Let a function raise a MemoryError in three parts where memory runs out."""

    @wraps(function)
    def explaining(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or str(error).startswith("Got "):
                raise
            message = _explain(error)
        # Not while handling torch's error, whose traceback holds tensors: they would
        # stay on the device for as long as someone looks at this one.
        _forget_unused_blocks()
        raise MemoryError(message)

    return explaining


def free_memory(device):
    """Return how many bytes a device has left; 0 where nobody knows."""
    device = torch.device(device)
    backend = getattr(torch, device.type, None)
    if not hasattr(backend, "mem_get_info"):
        return 0
    try:
        return backend.mem_get_info(device)[0]
    except RuntimeError:  # some drivers cannot tell
        return 0


def release_cached_memory(device):
    """Leave the memory that torch keeps for later to other processes."""
    if not is_cpu(device):
        _forget_unused_blocks()


def _forget_unused_blocks():
    for kind in ACCELERATORS:
        backend = getattr(torch, kind)
        # Some of them fail where nothing has used such a device; that of Metal cannot
        # tell whether anything has.
        is_used = getattr(backend, "is_initialized", torch.backends.mps.is_available)
        if is_used():
            backend.empty_cache()
