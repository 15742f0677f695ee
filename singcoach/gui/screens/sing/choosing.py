"""The first page of singing: choose a song, add one, or sing freely."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from singcoach.gui.texts import text
from singcoach.gui.theme import XS, M, S
from singcoach.gui.widgets.base import (
    Body,
    Card,
    Heading,
    Hint,
    IconLabel,
    Line,
    Page,
    PlainButton,
    PrimaryButton,
    ScreenHeader,
    Strong,
    Tag,
    clear,
)
from singcoach.library.values import LibrarySong

MOST_SHOWN: Final = 60
_TYPING_MS: Final = 200


class SongChoice(QWidget):
    """The songs of the library with a search, and the way to sing without one."""

    song_chosen = Signal(str)
    free_chosen = Signal()
    demo_chosen = Signal()
    add_chosen = Signal()
    files_dropped = Signal(list)
    searched = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        page = Page(most_width=860)
        outer.addWidget(page)
        add = PlainButton(
            text("sing.add_song"), "plus", shortcut="Ctrl+O", on_click=self.add_chosen.emit
        )
        page.body.addWidget(
            ScreenHeader(text("sing.title"), (add,), words=text("sing.choose_words"))
        )
        page.body.addWidget(self._free_card())
        self.search = QLineEdit()
        self.search.setPlaceholderText(text("sing.search"))
        self.search.setAccessibleName(text("sing.search"))
        self.search.setClearButtonEnabled(True)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(lambda: self.searched.emit(self.search.text()))
        self.search.textChanged.connect(lambda _text: self._typing.start())
        page.body.addWidget(self.search)
        self._list = QVBoxLayout()
        self._list.setSpacing(S)
        page.body.addLayout(self._list)
        page.body.addStretch(1)

    def stop(self) -> None:
        """Let no timer run on."""
        self._typing.stop()

    def show_songs(self, songs: Sequence[LibrarySong], *, searching: bool) -> None:
        """Show the songs that were found; without any song at all, the one that ships."""
        clear(self._list)
        self.search.setVisible(bool(songs) or searching)
        if not songs:
            self._list.addWidget(self._nothing_found() if searching else self._demo_card())
            return
        card = Card()
        card.body.setSpacing(0)
        for number, song in enumerate(songs[:MOST_SHOWN]):
            if number:
                card.body.addWidget(Line())
            card.body.addWidget(self._row(song))
        self._list.addWidget(card)
        if len(songs) > MOST_SHOWN:
            more = Hint(text("sing.more_songs", count=len(songs) - MOST_SHOWN))
            more.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._list.addWidget(more)

    def _row(self, song: LibrarySong) -> QWidget:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, M, 0, M)
        box.setSpacing(M)
        box.addWidget(IconLabel("note", ink="accent"))
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(Strong(song.title))
        about = [song.artist] if song.artist else []
        if song.takes:
            about.append(text("sing.takes", count=song.takes))
        if about:
            column.addWidget(Hint(" · ".join(about)))
        box.addLayout(column, 1)
        if song.lyrics is not None:
            box.addWidget(Tag(text("sing.has_words")))
        button = PlainButton(text("sing.sing"), "microphone")
        button.setAccessibleName(text("sing.sing_this", title=song.title))
        button.clicked.connect(partial(self.song_chosen.emit, song.id))
        box.addWidget(button)
        return row

    def _free_card(self) -> QWidget:
        card = Card()
        box = QHBoxLayout()
        box.setSpacing(M)
        box.addWidget(IconLabel("microphone", ink="accent", pixels=28))
        column = QVBoxLayout()
        column.setSpacing(XS)
        column.addWidget(Strong(text("sing.freely")))
        column.addWidget(Hint(text("sing.freely_words")))
        box.addLayout(column, 1)
        button = PlainButton(text("sing.freely_button"), on_click=self.free_chosen.emit)
        box.addWidget(button)
        card.body.addLayout(box)
        return card

    def _demo_card(self) -> QWidget:
        card = Card(Heading(text("sing.no_songs")), Body(text("sing.no_songs_words")))
        box = QHBoxLayout()
        box.setSpacing(S)
        box.addWidget(
            PrimaryButton(text("sing.demo"), "microphone", on_click=self.demo_chosen.emit)
        )
        box.addWidget(PlainButton(text("sing.add_song"), "plus", on_click=self.add_chosen.emit))
        box.addStretch(1)
        card.body.addSpacing(S)
        card.body.addLayout(box)
        return card

    def _nothing_found(self) -> QWidget:
        words = Body(text("sing.nothing_found"))
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return words

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files of this machine may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Add the song that was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)
