"""Files that are written as a whole or not at all, and read without running code."""

import hashlib
import io
import os
import re
import time
from contextlib import contextmanager, suppress
from uuid import uuid4

import torch

from ..runtime.devices import reason_of

# One more whenever checkpoints hold other things, or training draws and computes in
# another order.
FORMAT = 1
_HEAD = re.compile(rb"skcae checkpoint (\d+) ([0-9a-f]{64})")
# No file takes so long to write: whoever began it is gone.
_SECONDS_TO_WRITE = 3600
_DAMAGED = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def explains_damage(path):
    """Turn errors about what a file holds into one about the file."""
    try:
        yield
    except _DAMAGED as error:
        raise _damage(path, reason_of(error)) from error


def _damage(path, reason):
    return ValueError(
        f"Got checkpoint={str(path)!r}, which cannot be read ({reason}); expected a "
        "file that fit has written. Name another file, or remove this one."
    )


def read(path):
    """Return what `write` has written to a file.

    Nothing in the file is run. What it holds is what was written: damage is found.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    content : dict

    Raises
    ------
    ValueError
        If it was not written by `write`, in this format, as it is.
    """
    head, _, payload = path.read_bytes().partition(b"\n")
    found = _HEAD.fullmatch(head)
    if not found:
        raise _damage(path, "it is no checkpoint of skcae")
    if int(found[1]) != FORMAT:
        raise _damage(path, f"it has format {int(found[1])}, this skcae {FORMAT}")
    if hashlib.sha256(payload).hexdigest().encode() != found[2]:
        raise _damage(path, "it was damaged")
    try:
        return dict(torch.load(io.BytesIO(payload), weights_only=True))
    except Exception as error:  # whatever foreign content leads torch to
        raise _damage(path, reason_of(error)) from error


def write(path, content):
    """Put content in place of a file, as a whole or not at all.

    Parameters
    ----------
    path : Path
        A file, which need not be there yet.
    content : dict
        Tensors and plain values.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getbuffer()
    head = f"skcae checkpoint {FORMAT} {hashlib.sha256(payload).hexdigest()}\n"
    unfinished = path.with_name(f"{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        with open(unfinished, "xb") as file:
            file.write(head.encode())
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    """Let the new name of a file survive a power cut, where folders can be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(path):
    """Remove what was being written when this fit was killed."""
    pattern = re.compile(rf"{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")
    latest = time.time() - _SECONDS_TO_WRITE
    with suppress(OSError):
        for left in path.parent.iterdir():
            if pattern.fullmatch(left.name) and left.stat().st_mtime < latest:
                left.unlink()
