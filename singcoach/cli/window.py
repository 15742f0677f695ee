"""``singcoach`` without a command: the window."""

from __future__ import annotations

import importlib.util

from singcoach.cli.choices import EXIT_USAGE
from singcoach.cli.console import say
from singcoach.gui.display import has_screen

_PARTS = ("PySide6", "pyqtgraph")


def run() -> int:
    """Open the window and return when it is closed; without Qt or a screen, say what to do."""
    missing = [part for part in _PARTS if importlib.util.find_spec(part) is None]
    if missing:
        say(
            f"the window needs {' and '.join(missing)}, which is not installed",
            'Install it with: pip install "singcoach[desktop]"; the command line works '
            "without it (singcoach --help)",
        )
        return EXIT_USAGE
    if not has_screen():
        say(
            "there is no screen here to open the window on",
            "Start singcoach in a desktop session, or use the command line (singcoach --help)",
        )
        return EXIT_USAGE
    from singcoach.gui.app import run as run_window

    return run_window()
