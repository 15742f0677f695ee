"""The screens: which there are and where they live. Each is imported at its first visit."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from singcoach.gui.context import AppContext


class Screen(Protocol):
    """What the window asks of a screen, which is a ``QWidget`` made from the context alone."""

    def enter(self, **arguments: Any) -> None:
        """Come into view, with what the one who navigated here handed over."""

    def leave(self) -> None:
        """Go out of view: stop playing, recording and timers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenEntry:
    """Where a screen is.

    Attributes
    ----------
    target
        ``module:Class``.
    icon
        Its icon in the navigation.
    place
        ``main`` and ``foot`` are the two groups of the navigation; ``none``: reached from others.
    """

    target: str
    icon: str
    place: str


def _entry(target: str, icon: str, place: str) -> ScreenEntry:
    return ScreenEntry(target=f"singcoach.gui.screens.{target}", icon=icon, place=place)


SCREENS: Final[Mapping[str, ScreenEntry]] = {
    "home": _entry("home:HomeScreen", "home", "main"),
    "sing": _entry("sing:SingScreen", "microphone", "main"),
    "queue": _entry("queue:QueueScreen", "import", "main"),
    "library": _entry("library:LibraryScreen", "library", "main"),
    "compare": _entry("compare:CompareScreen", "compare", "main"),
    "progress": _entry("progress:ProgressScreen", "progress", "main"),
    "review": _entry("review:ReviewScreen", "review", "none"),
    "sound": _entry("sound:SoundScreen", "speaker", "foot"),
    "settings": _entry("settings:SettingsScreen", "settings", "foot"),
}


def available() -> list[str]:
    """Return the names of the screens whose modules are there, in the order of the navigation."""
    return [
        name
        for name, entry in SCREENS.items()
        if importlib.util.find_spec(entry.target.partition(":")[0]) is not None
    ]


def make_screen(name: str, context: AppContext) -> QWidget:
    """Import and make a screen.

    Raises
    ------
    ValueError
        There is no such screen.
    """
    if name not in SCREENS:
        raise ValueError(f"no screen is called {name!r}")
    module, _, class_name = SCREENS[name].target.partition(":")
    made = getattr(importlib.import_module(module), class_name)(context)
    return cast("QWidget", made)
