"""How much memory this process may have."""

import os
from pathlib import Path

# Where Linux says what a container may have, in the second and in the first version.
_LIMITS_OF_CONTAINERS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def total_memory():
    """Return the bytes that this process may have at most; None if nobody knows.

    That is the memory of the machine, or less if a container or the system's limit on
    address space allows no more.
    """
    limits = [_of_machine(), *map(_of_container, _LIMITS_OF_CONTAINERS), _of_process()]
    return min((limit for limit in limits if limit is not None), default=None)


def _of_machine():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return None


def _of_container(path):
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such container, or "max"
        return None


def _of_process():
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
