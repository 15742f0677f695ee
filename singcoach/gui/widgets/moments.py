"""Moments as rows: hear it, whether it helped, what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from singcoach.gui.texts import clock, text
from singcoach.gui.theme import XS, S
from singcoach.gui.view_models.review import Moment
from singcoach.gui.widgets.base import Body, Hint, IconButton, Tag, clear
from singcoach.gui.widgets.marks import MarkLabel


class MomentList(QWidget):
    """What moved a score, each with a button that plays it."""

    moment_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(S)

    def set_moments(self, moments: Sequence[Moment], *, empty: str) -> None:
        """Show moments in the given order, or ``empty`` where there are none."""
        clear(self._box)
        if not moments:
            self._box.addWidget(Hint(empty))
        for moment in moments:
            self._box.addWidget(self._row(moment))

    def _row(self, moment: Moment) -> QWidget:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        words = text("review.play_moment", time=clock(moment.start_s), words=moment.text)
        play = IconButton(
            "play",
            words,
            ink="accent",
            on_click=lambda: self.moment_chosen.emit(moment.id),
        )
        box.addWidget(play, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.setContentsMargins(0, XS, 0, 0)
        column.addWidget(Body(moment.text))
        line = QHBoxLayout()
        line.setSpacing(S)
        line.addWidget(MarkLabel(moment.dimension, pixels=12))
        line.addWidget(Hint(moment.detail), 1)
        column.addLayout(line)
        box.addLayout(column, 1)
        tag = Tag(("+ " if moment.helped else "− ") + text(_side(moment)))
        box.addWidget(tag, 0, Qt.AlignmentFlag.AlignTop)
        return row


def _side(moment: Moment) -> str:
    return "review.helped" if moment.helped else "review.cost"
