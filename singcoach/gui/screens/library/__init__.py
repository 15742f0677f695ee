"""The library: every take, song and singer, and what was deleted."""

from __future__ import annotations

from typing import Any, Final, Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from singcoach.gui.context import AppContext
from singcoach.gui.screens.library.deleted_page import DeletedPage
from singcoach.gui.screens.library.singers_page import SingersPage
from singcoach.gui.screens.library.songs_page import SongsPage
from singcoach.gui.screens.library.takes_page import TakesPage
from singcoach.gui.texts import text
from singcoach.gui.theme import XL, XXL, M
from singcoach.gui.view_models.library import opening_words
from singcoach.gui.widgets.base import ScreenHeader, Segments, row, set_role
from singcoach.gui.window import bind

_WIDEST: Final = 1120
_HEADER_HEIGHT: Final = 46
_TABS: Final = ("takes", "songs", "singers", "deleted")
_LOOK_MS: Final = 2000
"""How often it is asked whether another window changed something."""


class _Tab(Protocol):
    def refresh(self) -> None:
        """Read the lines again."""

    def header_buttons(self) -> list[QWidget]:
        """Buttons for the header, the main one last."""

    def leave(self) -> None:
        """Stop what runs."""


class LibraryScreen(QWidget):
    """Four lists behind one choice, with the actions of each in the header."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        set_role(self, "screen")
        self._context = context
        self._revision: tuple[int, int] | None = None
        self._told = False
        self.takes = TakesPage(context)
        self.songs = SongsPage(context)
        self.singers = SingersPage(context)
        self.deleted = DeletedPage(context)
        self.songs.takes_wanted.connect(self._on_songs_takes_wanted)
        self.singers.takes_wanted.connect(self._on_singers_takes_wanted)
        self._pages: dict[str, Any] = {
            "takes": self.takes,
            "songs": self.songs,
            "singers": self.singers,
            "deleted": self.deleted,
        }
        self._actions = [
            button for page in self._pages.values() for button in page.header_buttons()
        ]
        self._tabs = Segments(
            [(name, text(f"library.tab_{name}")) for name in _TABS], name=text("library.view")
        )
        self._tabs.chosen.connect(self.show_tab)
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        box = QVBoxLayout(column)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(M)
        header = ScreenHeader(text("library.title"), self._actions)
        header.setMinimumHeight(_HEADER_HEIGHT)  # where a list has no buttons nothing moves
        box.addWidget(header)
        box.addLayout(row(self._tabs, 1))
        box.addWidget(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(XXL, XL, XXL, XL)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._on_look_timeout)
        for signal in (context.library_changed, context.take_changed):
            signal.connect(self._on_context_changed)
        bind(self, "Ctrl+F", self._on_search_wanted)
        self.show_tab("takes")

    @property
    def tab(self) -> str:
        """Which list is in view."""
        return self._tabs.value

    def show_tab(self, name: str) -> None:
        """Bring one of the lists into view."""
        self._tabs.choose(name)
        page = self._pages[name]
        self._stack.setCurrentWidget(page)
        shown = page.header_buttons()
        for button in self._actions:
            button.setVisible(button in shown)
        if self._look.isActive():
            page.refresh()

    def enter(self, tab: str = "takes", **chosen: Any) -> None:
        """Show a list; ``song_id`` and ``singer_id`` choose among the takes."""
        if "song_id" in chosen or "singer_id" in chosen:
            self.takes.choose(singer_id=chosen.get("singer_id"), song_id=chosen.get("song_id"))
        self.show_tab(tab if tab in self._pages else "takes")
        self._pages[self.tab].refresh()
        self._revision = self._context.library.revision()
        self._look.start()
        self._tell_once()

    def leave(self) -> None:
        """Stop looking."""
        self._look.stop()
        for page in self._pages.values():
            page.leave()

    def _tell_once(self) -> None:
        """Say what was put right when the library was opened, at the first visit."""
        if not self._told:
            self._told = True
            for words in opening_words(self._context.library.report):
                self._context.tell(words, kind="warning")

    def _on_context_changed(self, *_: object) -> None:
        if self._look.isActive():
            self._pages[self.tab].refresh()
            self._revision = self._context.library.revision()

    def _on_look_timeout(self) -> None:
        revision = self._context.library.revision()
        if revision != self._revision:
            self._revision = revision
            self._pages[self.tab].refresh()

    def _on_search_wanted(self) -> None:
        page = self._pages[self.tab]
        if hasattr(page, "search"):
            page.search.setFocus()
            page.search.selectAll()

    def _on_songs_takes_wanted(self, song_id: str) -> None:
        self.takes.choose(song_id=song_id)
        self.show_tab("takes")

    def _on_singers_takes_wanted(self, singer_id: str) -> None:
        self.takes.choose(singer_id=singer_id)
        self.show_tab("takes")
