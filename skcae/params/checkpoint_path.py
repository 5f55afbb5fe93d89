"""Whether a checkpoint can be written where it is to be."""

import os
from pathlib import Path


def check_checkpoint_path(checkpoint):
    """Raise ValueError for a path to which no file can be written."""
    if checkpoint is None:
        return
    name = os.fspath(checkpoint)
    try:
        reason = _what_prevents_files(Path(name)) if name else "no name"
    except OSError as error:
        reason = f"a name that cannot be looked up ({error.strerror})"
    if reason is not None:
        raise ValueError(
            f"Got checkpoint={name!r}, which is {reason}; expected the name of a file, "
            "new or of the same fit, or a folder. Correct the name, or create the "
            "folder."
        )


def _what_prevents_files(path):
    """Return why no file can be written, None if it can."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return f"in no folder that exists: {str(folder)!r}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"in a folder that cannot be written to: {str(folder)!r}"
    if path.exists() and path != folder and not path.is_file():
        return "no ordinary file"
    if path.is_file() and not os.access(path, os.R_OK):
        return "a file that cannot be read"
    return None
