"""Seconds and memory of each stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


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
            elapsed_s = time.perf_counter() - start_s
            self._stages[name] = self._stages.get(name, 0.0) + elapsed_s

    def timings(self, duration_s: float) -> dict[str, float]:
        """Return ``<stage>_s`` for each stage, ``total_s`` and ``realtime_factor``."""
        total_s = time.perf_counter() - self._start_s
        timings = {f"{name}_s": round(seconds, 4) for name, seconds in self._stages.items()}
        timings["total_s"] = round(total_s, 4)
        timings["realtime_factor"] = round(total_s / duration_s, 4) if duration_s > 0 else 0.0
        return timings


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far, in MB; 0 where unknown."""
    try:
        import resource
    except ImportError:
        return _windows_peak_memory_mb()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (1e6 if sys.platform == "darwin" else 1e3)


def _windows_peak_memory_mb() -> float:
    if sys.platform != "win32":
        return 0.0
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    process = ctypes.windll.kernel32.GetCurrentProcess()
    ctypes.windll.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    return float(counters.PeakWorkingSetSize) / 1e6
