"""What the four lists share: a search field, a list or a word in its place, a bar of actions."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.texts import text
from singcoach.gui.theme import M, S, theme
from singcoach.gui.widgets.base import Action, Banner, EmptyState, clear, row
from singcoach.gui.widgets.icons import icon
from singcoach.gui.widgets.row_list import RowList
from singcoach.library.values import UndoToken

_TYPING_MS = 150


class SearchField(QLineEdit):
    """A field that tells what to search for once the typing pauses."""

    def __init__(self, words: str, on_search: Callable[[], None]) -> None:
        super().__init__()
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(160)
        self._sign = QAction(self)
        self.addAction(self._sign, QLineEdit.ActionPosition.LeadingPosition)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_TYPING_MS)
        self._pause.timeout.connect(on_search)
        self.textChanged.connect(lambda _: self._pause.start())
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def stop(self) -> None:
        """Forget a search that has not begun."""
        self._pause.stop()

    def _on_theme_changed(self) -> None:
        self._sign.setIcon(icon("search", "text_soft"))


class Choice(QComboBox):
    """A field of a few choices, each with a key of the program."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(17)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def offer(self, choices: list[tuple[str | None, str]]) -> None:
        """Offer other choices; the chosen one stays where it is still there."""
        kept = self.key
        self.blockSignals(True)
        self.clear()
        for key, words in choices:
            self.addItem(words, key)
        self.setCurrentIndex(max(0, self.findData(kept)))
        self.blockSignals(False)

    @property
    def key(self) -> str | None:
        """The chosen one."""
        key = self.currentData()
        return None if key is None else str(key)

    def choose(self, key: str | None) -> None:
        """Choose without telling anybody."""
        self.blockSignals(True)
        self.setCurrentIndex(max(0, self.findData(key)))
        self.blockSignals(False)


class ListingPage(QWidget):
    """A list, what stands in its place when it is empty, and a place for undoing."""

    def __init__(self, context: AppContext, rows: RowList) -> None:
        super().__init__()
        self._context = context
        self.rows = rows
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(M)
        self._stack = QStackedWidget()
        self._stack.addWidget(rows)
        self._empty = QWidget()
        self._empty_box = QVBoxLayout(self._empty)
        self._empty_box.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._empty)
        self._bar = QWidget()
        self._bar_box = QVBoxLayout(self._bar)
        self._bar_box.setContentsMargins(0, 0, 0, 0)
        self._bar_box.setSpacing(S)
        self._undo_place = QVBoxLayout()
        rows.chosen.connect(self._on_rows_chosen)

    def put_together(self, fields: list[QWidget], actions: list[QWidget | int]) -> None:
        """Lay everything out: fields above the list, actions below."""
        if fields:
            line = row(*fields)
            line.setStretchFactor(fields[0], 1)
            self.box.addLayout(line)
        self.box.addWidget(self._stack, 1)
        self.box.addLayout(self._undo_place)
        self._bar_box.addLayout(row(*actions))
        self.box.addWidget(self._bar)
        self._on_rows_chosen()

    def show_empty(
        self, title: str, words: str, action: tuple[str, Action] | None, sign: str
    ) -> None:
        """Say what stands in the place of the list."""
        clear(self._empty_box)
        self._empty_box.addWidget(EmptyState(title, words, action, icon_name=sign))
        self._stack.setCurrentWidget(self._empty)
        self._bar.hide()

    def show_list(self) -> None:
        """Show the list."""
        self._stack.setCurrentWidget(self.rows)
        self._bar.show()
        if not self.rows.keys:
            self.rows.choose_first()

    def offer_undo(self, words: str, tokens: list[UndoToken]) -> None:
        """Offer to bring back what was just deleted."""
        self.forget_undo()

        def bring_back() -> None:
            for token in tokens:
                self._context.library.undo(token)

        def undo() -> None:
            self.forget_undo()
            self.guarded(bring_back)
            self._context.library_changed.emit()

        banner = Banner("info", words, (text("common.undo"), undo))
        banner.closed.connect(self.forget_undo, Qt.ConnectionType.QueuedConnection)
        if banner.button is not None:
            banner.button.setShortcut("Ctrl+Z")
        self._undo_place.addWidget(banner)

    def forget_undo(self) -> None:
        """Take the offer away."""
        clear(self._undo_place)

    def guarded(self, step: Callable[[], object]) -> bool:
        """Do something with the library; a fault is told, and False returned."""
        try:
            step()
        except SingCoachError as error:
            self._context.tell_fault(error)
            return False
        return True

    def refresh(self) -> None:
        """Read the lines again."""
        raise NotImplementedError

    def header_buttons(self) -> list[QWidget]:
        """Buttons for the header, the main one last."""
        return []

    def leave(self) -> None:
        """Forget what can be undone."""
        self.forget_undo()

    def _on_rows_chosen(self) -> None:
        """Say which actions are possible now."""
