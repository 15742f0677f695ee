"""Giving memory back to the system, which glibc keeps after large arrays and screens are gone."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> bool:
    """Return unused memory to the system; says whether this system needs and allows it.

    Takes a few milliseconds. Other systems than Linux with glibc do it by themselves.
    """
    gc.collect()
    if not sys.platform.startswith("linux"):
        return False
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return False
    trim(0)
    return True
