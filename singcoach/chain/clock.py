"""Seconds and memory of each stage."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Clock:
    """Adds up the wall seconds of named stages."""

    def __init__(self) -> None:
        self._start_s = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block under ``name``; the same name again adds to it."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start_s)

    def add(self, name: str, elapsed_s: float) -> None:
        """Add the seconds of a stage that was timed elsewhere."""
        self._stages[name] = self._stages.get(name, 0.0) + elapsed_s

    def timings(self, duration_s: float) -> dict[str, float]:
        """Return ``<stage>_s`` for each stage, ``total_s`` and ``realtime_factor``."""
        total_s = time.perf_counter() - self._start_s
        timings = {f"{name}_s": round(seconds, 4) for name, seconds in self._stages.items()}
        timings["total_s"] = round(total_s, 4)
        timings["realtime_factor"] = round(total_s / duration_s, 4) if duration_s > 0 else 0.0
        return timings


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far, in MB."""
    peak_mb = peak_of("self")
    if peak_mb:
        return peak_mb
    import psutil

    memory = psutil.Process().memory_info()
    return float(getattr(memory, "peak_wset", memory.rss)) / 1e6


def resident_mb() -> float:
    """Return what this process holds in memory now, in MB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6


def peak_of(process: int | str) -> float:
    """Return the peak resident size in MB of a process (``"self"`` too); 0 where unknown.

    Linux only: unlike ``ru_maxrss`` this counter starts anew when a process loads its program, so
    a large parent does not show in it.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) * 1024 / 1e6 if found else 0.0
