"""Peak memory of a piece of work, in a process of its own (Linux only)."""

import ctypes
import gc
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

MB = 1e6


def in_fresh_process(function, *arguments):
    """Return what a function of the main script returns in a new interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def resident(field="VmRSS"):
    """Return a size of /proc/self/status in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        raise SystemExit("Found no /proc/self/status: measured on Linux only") from None
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def peak_memory(work):
    """Run something and return by how much memory rose above the level before.

    Parameters
    ----------
    work : callable
        What it returns is kept until the peak has been read.

    Returns
    -------
    total : int
        Bytes, from the kernel's own high-water mark: what was allocated, and pages of
        mapped files.
    anonymous : int
        Bytes without pages of files, sampled every few milliseconds.
    """
    gc.collect()
    # Memory freed before must not hide what the work allocates.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    total_before, anonymous_before = resident(), resident("RssAnon")
    anonymous, done = [anonymous_before], threading.Event()

    def sample():
        while not done.wait(0.005):
            anonymous.append(resident("RssAnon"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        result = work()
    finally:
        done.set()
        sampler.join()
    anonymous.append(resident("RssAnon"))
    total = resident("VmHWM") - total_before
    del result
    return total, max(anonymous) - anonymous_before
