"""The signs of the four dimensions: a shape and a colour each, so that no colour speaks alone."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from singcoach.core.scores import Dimension
from singcoach.gui.theme import colour, theme

SHAPES: Final[dict[Dimension, str]] = {
    "breath": "circle",
    "timbre": "square",
    "emotion": "diamond",
    "technique": "triangle",
}


def paint_mark(
    painter: QPainter,
    dimension: Dimension,
    centre: QPointF,
    size: float,
    *,
    hollow: bool = False,
    ink: QColor | None = None,
) -> None:
    """Draw the sign of a dimension, ``size`` pixels high, around ``centre``."""
    fill = colour(dimension) if ink is None else ink
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(fill, 1.8) if hollow else QPen(colour("surface"), 1.2))
    painter.setBrush(colour("surface") if hollow else fill)
    half = size / 2.0
    shape = SHAPES[dimension]
    if shape == "circle":
        painter.drawEllipse(centre, half, half)
    elif shape == "square":
        side = half * 0.9
        painter.drawRect(QRectF(centre.x() - side, centre.y() - side, 2 * side, 2 * side))
    else:
        corners = (
            ((0.0, -1.1), (1.1, 0.0), (0.0, 1.1), (-1.1, 0.0))
            if shape == "diamond"
            else ((0.0, -1.05), (1.1, 0.85), (-1.1, 0.85))
        )
        painter.drawPolygon(
            QPolygonF([QPointF(centre.x() + x * half, centre.y() + y * half) for x, y in corners])
        )
    painter.restore()


class MarkLabel(QWidget):
    """The sign of a dimension, only to be seen."""

    def __init__(
        self, dimension: Dimension, *, pixels: int = 14, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._dimension = dimension
        self.setFixedSize(pixels, pixels)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign."""
        painter = QPainter(self)
        centre = QRectF(self.rect()).center()
        paint_mark(painter, self._dimension, centre, min(self.width(), self.height()) - 2.0)
        painter.end()
