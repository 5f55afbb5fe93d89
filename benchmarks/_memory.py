"""Peak memory of a piece of work, in a process of its own (Linux only)."""

import ctypes
import gc
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

MB = 1e6
CAN_MEASURE = Path("/proc/self/clear_refs").exists()


def in_fresh_process(function, *arguments):
    """Return what a function of the main script returns in a new interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def resident(field="VmRSS"):
    """Return a size of /proc/self/status in bytes."""
    if not CAN_MEASURE:
        raise SystemExit("Found no /proc/self/clear_refs: measured on Linux only")
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def peak_memory(work):
    """Run something and return by how many bytes memory rose above the level before.

    Two numbers: the kernel's own high-water mark, which counts what was allocated and
    pages of mapped files; and what was allocated alone, sampled every few
    milliseconds.  What the work returns is kept until then.
    """
    gc.collect()
    # Memory freed before must not hide what the work allocates.
    ctypes.CDLL(None).malloc_trim(0)
    total_before, anonymous_before = resident(), resident("RssAnon")
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
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
