"""Tells that memory has run out, frees what can be freed, and bounds what is taken of the CPU's."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
import sys
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAID: Final = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|_ALLOC_FAILED"
    r"|CUDNN_STATUS_NOT_SUPPORTED",  # what cuDNN says of batches that are too large for it
    re.IGNORECASE,
)
_OutOfMemory: Final = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)  # of 2.5
_SHARE: Final = 0.9
"""How much of the free memory of the CPU may be taken: the rest of the machine wants to live, too."""


def has_run_out(error: BaseException) -> bool:
    """Say whether an exception means that memory has run out, on a device or on the CPU."""
    if isinstance(error, (MemoryError, _OutOfMemory)):
        return True
    return isinstance(error, RuntimeError) and _SAID.search(str(error)) is not None


def free() -> None:
    """Give back what is no longer used, on all devices."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def trim() -> None:
    """Have the allocator of the CPU give back what it holds of what was freed, where it is glibc's.

    What one pass leaves behind in pieces would else stand beside what the next one takes.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def bounded(device: torch.device) -> Iterator[None]:
    """Let the memory of the CPU run out with an exception, where it is where the work is done.

    Linux promises more memory than there is, and kills the process that uses it. So the address space of
    the process is bounded by what is free now. Where that is not known nothing is done.
    """
    available = _available() if device.type == "cpu" else None
    if available is None:
        yield
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    with open("/proc/self/statm", encoding="ascii") as stream:
        taken = int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    wanted = taken + int(available * _SHARE)
    allowed = [one for one in before if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *allowed]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _available() -> int | None:
    """Return how many bytes of memory are free, for this process and its container; None if not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            lines = dict(line.split(":", 1) for line in stream)
        found = int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return None
    folder = "/sys/fs/cgroup"
    with contextlib.suppress(OSError, KeyError, ValueError):
        with open(f"{folder}/memory.max", encoding="ascii") as stream:
            most = int(stream.read())
        with open(f"{folder}/memory.current", encoding="ascii") as stream:
            current = int(stream.read())
        with open(f"{folder}/memory.stat", encoding="ascii") as stream:
            stat = dict(line.split() for line in stream)
        found = min(found, most - current + int(stat["inactive_file"]))
    return max(found, 0)
