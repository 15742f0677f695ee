"""How much memory is free, what fits into it, and giving back what is no longer needed."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from singcoach.errors import ModelError

RESERVED_BYTES = 300_000_000
"""Left alone on the host: the rest of the program grows too, and the system must not stall."""

RESERVED_SHARE = 0.1
"""Share of the free memory that is left alone: others take memory while a song is worked on."""

_UNLIMITED_BYTES = 1 << 60
_HINT = "Close other programs, choose a smaller model pack, or use the profile balanced"


class OutOfMemoryError(ModelError):
    """A network ran out of memory while it ran; a smaller batch may still fit."""


class NotEnoughMemoryError(ModelError):
    """Not even the smallest plan fits; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeMemory:
    """Bytes that this process may still take, and all that it could ever have."""

    free_bytes: int
    total_bytes: int


def host_memory(*, root: Path = Path("/")) -> FreeMemory:
    """Return the memory of the machine, or of the container where that is less.

    The least of what the system calls available, of every control group that holds this process
    (version 1 and 2; cached files that can be dropped count as free) and of the address space that
    ``ulimit -v`` leaves.

    Parameters
    ----------
    root
        Where ``proc`` and ``sys`` are.
    """
    import psutil

    machine = psutil.virtual_memory()
    free, total = int(machine.available), int(machine.total)
    for limit, used in _group_limits(root):
        total = min(total, limit)
        free = min(free, max(0, limit - used))
    space = _address_space()
    if space is not None:
        free = min(free, space)
    return FreeMemory(free_bytes=free, total_bytes=total)


def plan_batch(free_bytes: int, *, bytes_fixed: int, bytes_per_item: int, at_most: int) -> int:
    """Return how many items go through a network at once: 1, 2, 4, ... up to ``at_most``.

    Powers of two, so that a little more or less free memory mostly gives the same plan and with it
    the same numbers.

    Parameters
    ----------
    free_bytes
        What may be taken; a tenth of it is left alone.
    bytes_fixed, bytes_per_item
        What is taken whatever the batch (weights that are not loaded yet), and for each item.
    at_most
        Most items that are of any use, at least 1.

    Raises
    ------
    NotEnoughMemoryError
        When not even one item fits.
    ValueError
        When a number is out of range.
    """
    if at_most < 1 or bytes_fixed < 0 or bytes_per_item < 1:
        raise ValueError(
            f"at_most {at_most}, bytes_fixed {bytes_fixed}, bytes_per_item {bytes_per_item}; "
            "1, 0 and 1 or more would work"
        )
    room = usable(free_bytes) - bytes_fixed
    if room < bytes_per_item:
        raise not_enough(needed_bytes=bytes_fixed + bytes_per_item, free_bytes=free_bytes)
    batch = 1
    while 2 * batch <= at_most and 2 * batch * bytes_per_item <= room:
        batch *= 2
    return batch


def usable(free_bytes: int) -> int:
    """Return the part of the free memory that a plan may use."""
    return int(free_bytes * (1.0 - RESERVED_SHARE))


def require_host(needed_bytes: int, *, memory: FreeMemory, name: str = "This network") -> None:
    """Refuse work that the host has no memory for, before it starts.

    Raises
    ------
    NotEnoughMemoryError
        Saying how much is needed and how much is free.
    """
    if needed_bytes > usable(memory.free_bytes) - RESERVED_BYTES:
        raise not_enough(
            needed_bytes=needed_bytes + RESERVED_BYTES, free_bytes=memory.free_bytes, name=name
        )


def not_enough(
    *, needed_bytes: int, free_bytes: int, name: str = "This network"
) -> NotEnoughMemoryError:
    """Return the sentence that says how much is needed and how much is free."""
    return NotEnoughMemoryError(
        f"{name} needs {needed_bytes / (1.0 - RESERVED_SHARE) / 1e9:.1f} GB of memory, and "
        f"{free_bytes / 1e9:.1f} GB are free",
        hint=_HINT,
    )


def peak_of_process_mb(process: int) -> float:
    """Return the most that a process held in memory so far, in MB; 0 where it cannot be seen.

    Where the system does not keep the peak (macOS) it is what the process holds now.
    """
    import psutil

    with contextlib.suppress(OSError, ValueError):
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024 / 1e6
    with contextlib.suppress(psutil.Error):
        memory = psutil.Process(process).memory_info()
        return float(getattr(memory, "peak_wset", memory.rss)) / 1e6
    return 0.0


def return_freed_memory() -> None:
    """Give freed memory back to the system where the C library keeps it (glibc); milliseconds."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(OSError, AttributeError):
        return ctypes.CDLL(None).malloc_trim
    return None


def _group_limits(root: Path) -> Iterator[tuple[int, int]]:
    """Yield limit and use in bytes of every control group that holds this process."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # In a container the path is often that of the host: then only the base is there.
        place = PurePosixPath(path.lstrip("/"))
        for folder in dict.fromkeys((place, *place.parents, PurePosixPath())):
            if ".." in folder.parts:
                continue
            limits = _limit(base / folder, *names)
            if limits is not None:
                yield limits


def _limit(folder: Path, limit_name: str, used_name: str, droppable: str) -> tuple[int, int] | None:
    limit, used = _number(folder / limit_name), _number(folder / used_name)
    if limit is None or used is None or limit >= _UNLIMITED_BYTES:
        return None
    found = None
    with contextlib.suppress(OSError, UnicodeDecodeError):
        statistics = (folder / "memory.stat").read_text(encoding="utf-8")
        found = re.search(rf"^{droppable} (\d+)$", statistics, re.MULTILINE)
    return limit, max(0, used - int(found.group(1) if found else 0))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))  # "max" is no number: no limit
    except (OSError, ValueError):
        return None


def _address_space() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    import psutil

    return max(0, limit - int(psutil.Process().memory_info().vms))
