"""While a song is made ready: what happens, how far it is, and a way out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from singcoach.gui.texts import text
from singcoach.gui.theme import XXL, L, M
from singcoach.gui.widgets.base import Body, Heading, Hint, IconLabel, PlainButton


class Preparing(QWidget):
    """One calm card in the middle."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QWidget()
        column.setFixedWidth(440)
        box = QVBoxLayout(column)
        box.setSpacing(M)
        box.addWidget(IconLabel("note", ink="accent", pixels=44), 0, Qt.AlignmentFlag.AlignHCenter)
        self.title = Heading("")
        self.words = Body("")
        self.hint = Hint(text("sing.once"))
        for label in (self.title, self.words, self.hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName(text("common.working"))
        box.addWidget(self.title)
        box.addWidget(self.words)
        box.addSpacing(M)
        box.addWidget(self.progress)
        box.addWidget(self.hint)
        box.addSpacing(L)
        self.button = PlainButton(text("common.cancel"), on_click=self.cancelled.emit)
        box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(XXL, XXL, XXL, XXL)
        outer.addStretch(2)
        outer.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)

    def show_song(self, title: str) -> None:
        """Begin with a song."""
        self.title.setText(title)
        self.words.setText(text("sing.preparing"))
        self.hint.show()
        self.button.show()
        self.progress.setValue(0)

    def show_keeping(self, title: str) -> None:
        """Say that a take is being kept; there is no way out of that."""
        self.title.setText(title)
        self.words.setText(text("sing.keeping"))
        self.hint.hide()
        self.button.hide()
        self.progress.setValue(0)

    def show_progress(self, fraction: float) -> None:
        """Show how far it is."""
        self.progress.setValue(round(1000 * fraction))
