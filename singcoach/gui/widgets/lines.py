"""Samples of the lines that charts are drawn with."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from singcoach.gui.theme import colour, theme


class LineSample(QWidget):
    """A short piece of a line of the chart, for its legend."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setFixedSize(26, 14)
        theme().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._kind == "range":
            fill = colour("accent")
            fill.setAlphaF(0.30 if theme().dark else 0.18)
            painter.fillRect(self.rect().adjusted(1, 1, -1, -1), fill)
        else:
            ink, width, style = {
                "take": ("accent", 2.4, Qt.PenStyle.SolidLine),
                "earlier": ("text_soft", 1.6, Qt.PenStyle.DashLine),
                "other": ("text_soft", 2.0, Qt.PenStyle.DotLine),
            }[self._kind]
            painter.setPen(QPen(colour(ink), width, style))
            y = self.height() / 2
            painter.drawLine(1, round(y), self.width() - 1, round(y))
        painter.end()
