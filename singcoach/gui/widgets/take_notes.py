"""A teacher's notes on moments: read, write, change, delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from singcoach.gui.texts import clock, text
from singcoach.gui.theme import XS, S
from singcoach.gui.widgets.base import (
    Body,
    Hint,
    IconButton,
    PlainButton,
    PrimaryButton,
    Strong,
    clear,
    row,
)
from singcoach.library.values import TakeNote


class _Field(QPlainTextEdit):
    """A few lines of text: Ctrl+Enter keeps them, Esc leaves."""

    kept = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep or leave."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.kept.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class NoteEditor(QWidget):
    """Where a note is written on some seconds."""

    saved = Signal(object, float, float, str)
    """Id of the note that is changed (None for a new one), start, end, words."""
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note_id: str | None = None
        self._span = (0.0, 0.0)
        self._title = Strong("")
        self._field = _Field()
        self._field.setPlaceholderText(text("review.note_place"))
        self._field.setAccessibleName(text("review.note_place"))
        self._field.setFixedHeight(84)
        self._field.setTabChangesFocus(True)
        self._field.kept.connect(self._on_save)
        self._field.left.connect(self.left)
        self._save = PrimaryButton(text("common.save"), on_click=self._on_save)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(self._title)
        box.addWidget(self._field)
        box.addLayout(
            row(1, PlainButton(text("common.cancel"), on_click=self.left.emit), self._save)
        )

    def write(
        self, start_s: float, end_s: float, *, note_id: str | None = None, words: str = ""
    ) -> None:
        """Begin a note on some seconds, or change one."""
        self._note_id, self._span = note_id, (start_s, end_s)
        self._title.setText(text("review.note_at", time=clock(start_s)))
        self._field.setPlainText(words)
        self._field.setFocus()

    def _on_save(self) -> None:
        words = self._field.toPlainText().strip()
        if words:
            self.saved.emit(self._note_id, *self._span, words)
        else:
            self.left.emit()


class NoteList(QWidget):
    """The notes of a take."""

    note_chosen = Signal(str)
    edit_wished = Signal(str)
    delete_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(S)

    def set_notes(self, notes: Sequence[TakeNote]) -> None:
        """Show notes in order of time."""
        clear(self._box)
        if not notes:
            self._box.addWidget(Hint(text("review.notes_none")))
        for note in notes:
            self._box.addWidget(self._row(note))

    def _row(self, note: TakeNote) -> QWidget:
        holder = QWidget()
        box = QHBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        words = text("review.play_moment", time=clock(note.start_s), words=note.text[:120])
        play = IconButton(
            "play", words, ink="accent", on_click=lambda: self.note_chosen.emit(note.id)
        )
        box.addWidget(play, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.setContentsMargins(0, XS, 0, 0)
        column.addWidget(Body(note.text))
        column.addWidget(Hint(f"{clock(note.start_s)} – {clock(note.end_s)}"))
        box.addLayout(column, 1)
        for icon, name, wish in (
            ("edit", "note_edit", partial(self.edit_wished.emit, note.id)),
            ("delete", "note_delete", partial(self.delete_wished.emit, note.id)),
        ):
            button = IconButton(icon, text(f"review.{name}"), on_click=wish)
            box.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return holder
