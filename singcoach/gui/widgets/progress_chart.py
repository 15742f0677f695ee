"""One curve of scores over time: a band for the intervals, a dot for every take."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from singcoach.gui.theme import FONT_SMALL, M, S, colour, scaled_font, theme
from singcoach.gui.view_models.progress import HIGHEST, LOWEST, Curve, nearest

_LEFT: Final = 28
_BOTTOM: Final = 30
_TOP: Final = 14
_RIGHT: Final = 20
_DOT: Final = 5.0
_CATCH_PIXELS: Final = 24.0
_WHISKERS_UP_TO: Final = 60
"""With more takes than this the band alone shows the intervals."""


def curve_colour(dimension: str) -> QColor:
    """Return the colour of a dimension; overall has the accent."""
    return colour("accent" if dimension == "overall" else dimension)


class ProgressChart(QWidget):
    """Draws a :class:`Curve`. The arrow keys go from take to take, Enter opens one."""

    opened = Signal(str)
    """A take was clicked or Enter pressed on it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve: Curve | None = None
        self._at: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(170)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size with room for the curve."""
        return QSize(640, 200)

    def set_curve(self, curve: Curve | None) -> None:
        """Draw another curve."""
        self._curve = curve
        self._at = None
        self.setAccessibleName("" if curve is None else curve.spoken)
        self.update()

    @property
    def marked(self) -> str | None:
        """The take that is marked."""
        if self._curve is None or self._at is None:
            return None
        return self._curve.dots[self._at].take_id

    def mark(self, number: int | None) -> None:
        """Mark a take and say what it is."""
        self._at = number
        self.update()
        if self._curve is not None and number is not None:
            dot = self._curve.dots[number]
            words = self._curve.words(number)
            self.setAccessibleDescription(words.replace("\n", ", "))
            QToolTip.showText(
                self.mapToGlobal(self._place(dot.x, dot.score).toPoint()), words, self
            )
        else:
            QToolTip.hideText()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw scale, band, line and dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._scale(painter)
        if self._curve is not None and self._curve.dots:
            self._band(painter, self._curve)
            self._dots(painter, self._curve)
        if self.hasFocus():
            painter.setPen(QPen(colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Mark the take under the pointer."""
        number = self._under(event.position())
        if number != self._at:
            self.mark(number)
        shape = Qt.CursorShape.ArrowCursor if number is None else Qt.CursorShape.PointingHandCursor
        self.setCursor(shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Open the take under the pointer."""
        number = self._under(event.position())
        if number is not None and self._curve is not None:
            self.opened.emit(self._curve.dots[number].take_id)

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Mark nothing."""
        if not self.hasFocus():
            self.mark(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Go from take to take; Enter opens."""
        dots = () if self._curve is None else self._curve.dots
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if dots and event.key() in steps:
            step = steps[Qt.Key(event.key())]
            at = len(dots) - 1 if self._at is None else self._at + step
            self.mark(min(len(dots) - 1, max(0, at)))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.marked:
            self.opened.emit(self.marked)
        else:
            super().keyPressEvent(event)

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT + M, _TOP, -_RIGHT, -_BOTTOM)

    def _place(self, x: float, score: float) -> QPointF:
        area = self._area()
        up = (score - LOWEST) / (HIGHEST - LOWEST)
        return QPointF(area.left() + x * area.width(), area.bottom() - up * area.height())

    def _under(self, at: QPointF) -> int | None:
        if self._curve is None or not self._curve.dots:
            return None
        area = self._area()
        number = nearest(self._curve.dots, (at.x() - area.left()) / max(1.0, area.width()))
        if number is None:
            return None
        dot = self._curve.dots[number]
        return number if abs(self._place(dot.x, dot.score).x() - at.x()) < _CATCH_PIXELS else None

    def _scale(self, painter: QPainter) -> None:
        font = scaled_font(FONT_SMALL, mono_digits=True)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        area = self._area()
        for score in range(int(LOWEST), int(HIGHEST) + 1):
            y = self._place(0.0, score).y()
            painter.setPen(QPen(colour("line"), 1))
            painter.drawLine(QPointF(area.left() - S, y), QPointF(self.width() - S, y))
            painter.setPen(colour("text_soft"))
            painter.drawText(
                QRectF(0, y - 10, _LEFT, 20),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                str(score),
            )
        if self._curve is None:
            return
        places: list[tuple[float, float, str]] = []
        for tick in self._curve.ticks:
            width = float(metrics.horizontalAdvance(tick.words))
            left = area.left() + tick.x * area.width() - width / 2.0
            left = min(self.width() - S - width, max(float(_LEFT), left))
            places.append((left, left + width, tick.words))
        painter.setPen(colour("text_soft"))
        shown: list[tuple[float, float, str]] = []
        for place in (*places[-1:], *places[:-1]):  # the last day matters most
            if all(place[1] + M < left or place[0] > right + M for left, right, _ in shown):
                shown.append(place)
                painter.drawText(QPointF(place[0], self.height() - 8.0), place[2])

    def _band(self, painter: QPainter, curve: Curve) -> None:
        ink = curve_colour(curve.dimension)
        soft = QColor(ink)
        soft.setAlphaF(0.18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(soft)
        if len(curve.dots) > 1:
            band = QPainterPath(self._place(curve.dots[0].x, curve.dots[0].high))
            for dot in curve.dots[1:]:
                band.lineTo(self._place(dot.x, dot.high))
            for dot in reversed(curve.dots):
                band.lineTo(self._place(dot.x, dot.low))
            band.closeSubpath()
            painter.drawPath(band)
        if len(curve.dots) <= _WHISKERS_UP_TO:
            faint = QColor(ink)
            faint.setAlphaF(0.55)
            painter.setPen(QPen(faint, 1.5))
            for dot in curve.dots:
                painter.drawLine(self._place(dot.x, dot.low), self._place(dot.x, dot.high))
        line = QPainterPath(self._place(curve.dots[0].x, curve.dots[0].score))
        for dot in curve.dots[1:]:
            line.lineTo(self._place(dot.x, dot.score))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 2))
        painter.drawPath(line)

    def _dots(self, painter: QPainter, curve: Curve) -> None:
        ink = curve_colour(curve.dimension)
        small = _DOT if len(curve.dots) <= _WHISKERS_UP_TO else 2.5
        for number, dot in enumerate(curve.dots):
            marked = number == self._at
            painter.setPen(QPen(colour("surface"), 2))
            painter.setBrush(ink)
            radius = 8.0 if marked else small
            painter.drawEllipse(self._place(dot.x, dot.score), radius, radius)
