"""Whether there is a screen to draw on. No Qt here: it ends the process where there is none."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Return whether Qt will find a screen: on Linux a display server or a chosen platform."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
