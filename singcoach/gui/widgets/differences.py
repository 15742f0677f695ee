"""Scores of two takes on one scale each, with what may be said about their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from singcoach.core.scores import DimensionScore
from singcoach.gui.texts import text
from singcoach.gui.theme import S, colour, theme
from singcoach.gui.view_models.compare import DifferenceLine
from singcoach.gui.view_models.radar import HIGHEST, LOWEST
from singcoach.gui.widgets.base import Hint, Strong, clear, set_role
from singcoach.gui.widgets.marks import MarkLabel

_END_PX: Final = 8.0
_HEIGHT: Final = 40


class PairBar(QWidget):
    """The scale from 1 to 5: above the first take's range and score, below the second's."""

    def __init__(self, line: DifferenceLine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = line
        self.setMinimumSize(110, _HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the usual size."""
        return QSize(180, _HEIGHT)

    def _x(self, score: float) -> float:
        share = (score - LOWEST) / (HIGHEST - LOWEST)
        return _END_PX + share * (self.width() - 2.0 * _END_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw both ranges."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2.0
        painter.setPen(QPen(colour("line"), 1.5))
        painter.drawLine(QPointF(self._x(LOWEST), middle), QPointF(self._x(HIGHEST), middle))
        painter.setPen(QPen(colour("line_strong"), 1.0))
        for score in range(1, 6):
            x = self._x(float(score))
            painter.drawLine(QPointF(x, middle - 3.0), QPointF(x, middle + 3.0))
        self._paint_range(painter, self._line.first, middle - 10.0, first=True)
        self._paint_range(painter, self._line.second, middle + 10.0, first=False)
        painter.end()

    def _paint_range(
        self, painter: QPainter, score: DimensionScore, y: float, *, first: bool
    ) -> None:
        if score.score is None or score.low is None or score.high is None:
            return
        left, right = self._x(score.low), self._x(score.high)
        box = QRectF(left, y - 4.0, right - left, 8.0)
        band = QColor(colour("accent" if first else "text_soft"))
        band.setAlphaF(0.30 if first else 0.20)
        painter.setPen(Qt.PenStyle.NoPen if first else QPen(colour("text_soft"), 1.0))
        painter.setBrush(band)
        painter.drawRoundedRect(box, 4.0, 4.0)
        painter.setPen(QPen(colour("accent" if first else "text"), 2.0))
        painter.setBrush(colour("accent") if first else colour("surface"))
        painter.drawEllipse(QPointF(self._x(score.score), y), 4.5, 4.5)


class DifferenceList(QWidget):
    """The whole score and the four below, each with its verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(S)

    def set_lines(self, lines: Sequence[DifferenceLine]) -> None:
        """Show the scores of two takes."""
        clear(self._box)
        for line in lines:
            self._box.addWidget(_row(line))


def _row(line: DifferenceLine) -> QWidget:
    holder = QWidget()
    spoken = text(
        "compare.difference_spoken",
        name=line.name,
        first=line.first_value or text("review.not_enough"),
        second=line.second_value or text("review.not_enough"),
        words=line.words,
    )
    holder.setAccessibleName(spoken)
    holder.setToolTip(spoken)
    box = QHBoxLayout(holder)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(S)
    if line.subject == "overall":
        box.addSpacing(14)
    else:
        box.addWidget(MarkLabel(line.subject), 0, Qt.AlignmentFlag.AlignVCenter)
    column = QVBoxLayout()
    column.setSpacing(0)
    column.addWidget(Strong(line.name))
    words = Hint(line.words)
    if line.verdict in ("higher", "lower"):
        set_role(words, "strong")
    column.addWidget(words)
    box.addLayout(column, 6)
    box.addWidget(PairBar(line), 5)
    values = QVBoxLayout()
    values.setSpacing(0)
    for value in (line.first_value, line.second_value):
        figure = Hint(value or "–")
        figure.setAlignment(Qt.AlignmentFlag.AlignRight)
        figure.setWordWrap(False)
        figure.setMinimumWidth(46)
        values.addWidget(figure)
    box.addLayout(values)
    return holder
