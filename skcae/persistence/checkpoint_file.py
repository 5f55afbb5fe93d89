"""Files that are written as a whole or not at all, and read without running code."""

import hashlib
import io
import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from uuid import uuid4

import torch

from ..runtime.devices import reason_of

# One more whenever checkpoints hold other things, or training draws its random numbers
# or computes in another order.
FORMAT = 1
# The format, the fit that the file belongs to, and the checksum of all that follows.
_HEAD = re.compile(rb"skcae checkpoint (\d+) ([0-9a-f]{16}) ([0-9a-f]{64})\n")
_LENGTH_OF_HEAD = 128
# A file that was begun longer ago is no longer being written.
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
    """Turn errors about the content of a file into one that names the file."""
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

    Nothing in the file is run, and damage is found.

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
        If `write` has not written it in this format, or it has changed since.
    """
    content = path.read_bytes()
    found = _HEAD.match(content)
    if not found:
        raise _damage(path, "it is no checkpoint of skcae")
    if int(found[1]) != FORMAT:
        raise _damage(path, f"it has format {int(found[1])}, this skcae {FORMAT}")
    payload = content[found.end() :]
    if hashlib.sha256(payload).hexdigest().encode() != found[3]:
        raise _damage(path, "it was damaged")
    try:
        return dict(torch.load(io.BytesIO(payload), weights_only=True))
    except Exception as error:  # foreign content may raise any error in torch
        raise _damage(path, reason_of(error)) from error


def write(path, content, owner):
    """Put content in place of a file, as a whole or not at all.

    Parameters
    ----------
    path : Path
        A file, which need not exist.
    content : dict
        Tensors and plain values.
    owner : str
        16 hexadecimal digits that name the fit.

    Raises
    ------
    FileExistsError
        If there is a file of another fit. It is left alone.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getbuffer()
    sha = hashlib.sha256(payload).hexdigest()
    head = f"skcae checkpoint {FORMAT} {owner} {sha}\n".encode()
    unfinished = path.with_name(f"{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        with open(unfinished, "xb", opener=_opener_like(path)) as file:
            file.write(head)
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(unfinished, path, owner)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _opener_like(path):
    """Return an opener of files with the permissions of the one that is replaced."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None

    def opener(name, flags):
        descriptor = os.open(name, flags, mode)
        if hasattr(os, "fchmod"):  # os.open has taken away those of the umask
            os.fchmod(descriptor, mode)
        return descriptor

    return opener


def _put_in_place(unfinished, path, owner):
    """Rename a finished file, unless a file of another fit has the name."""
    if not path.exists():
        try:
            _create(unfinished, path)
        except FileExistsError:  # made just now, by the same fit or another
            pass
        else:
            return
    with open(path, "rb") as file:
        found = _HEAD.match(file.read(_LENGTH_OF_HEAD))
    if found is None or found[2] != owner.encode():
        raise FileExistsError(f"{str(path)!r} belongs to another fit")
    os.replace(unfinished, path)


def _create(unfinished, path):
    """Rename a finished file to a name that no file has; of two fits, one succeeds."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # some file systems have no links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o666))
        os.replace(unfinished, path)


def _sync_folder(folder):
    """Make the new name of a file survive a power cut, if folders can be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(path):
    """Remove what fits were writing to this file when they were killed."""
    pattern = re.compile(rf"{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")
    latest = time.time() - _SECONDS_TO_WRITE
    with suppress(OSError):
        for left in path.parent.iterdir():
            if pattern.fullmatch(left.name) and left.stat().st_mtime < latest:
                left.unlink()
