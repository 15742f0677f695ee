"""The radar chart of the four dimensions, with ranges, earlier takes and another take beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore
from singcoach.gui.texts import text
from singcoach.gui.theme import FONT_SMALL, colour, scaled_font, theme
from singcoach.gui.view_models.radar import (
    HIGHEST,
    LOWEST,
    Place,
    RadarShape,
    axis_at,
    direction,
    radar_shape,
    ring,
)
from singcoach.gui.view_models.review import ScoreLine
from singcoach.gui.widgets.marks import paint_mark

_LABEL_ROOM: Final = 46.0
_SIDE_ROOM: Final = 40.0
_MARK_PX: Final = 13.0
_BAND_PX: Final = 12.0


class RadarChart(QWidget):
    """Four axes from 1 to 5. Clicking one, or choosing it with arrows and Enter, tells it.

    A dimension without a score has a dashed axis that says so; nothing is drawn on it.
    """

    axis_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: dict[Dimension, ScoreLine] = {}
        self._shape: RadarShape | None = None
        self._earlier: dict[Dimension, float] = {}
        self._other: RadarShape | None = None
        self._other_name = ""
        self._chosen: Dimension | None = None
        self._hovered: Dimension | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)
        self.setAccessibleName(text("review.chart"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size at which the labels have room."""
        return QSize(360, 320)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the smallest size that can be read."""
        return QSize(300, 270)

    def set_scores(
        self, lines: Sequence[ScoreLine], dimensions: Mapping[Dimension, DimensionScore]
    ) -> None:
        """Show a take."""
        self._lines = {line.subject: line for line in lines if line.subject != "overall"}
        self._shape = radar_shape(dimensions)
        self._describe()

    def set_earlier(self, mean: Mapping[Dimension, float]) -> None:
        """Show the mean of earlier takes; empty for none."""
        self._earlier = dict(mean)
        self._describe()

    def set_other(self, name: str, dimensions: Mapping[Dimension, DimensionScore] | None) -> None:
        """Show another take beside; None for none."""
        self._other_name = name
        self._other = None if dimensions is None else radar_shape(dimensions)
        self._describe()

    def choose(self, dimension: Dimension | None) -> None:
        """Mark an axis without telling :attr:`axis_chosen`."""
        self._chosen = dimension
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(" ".join(line.spoken for line in self._lines.values()))
        self.update()

    # --- drawing ------------------------------------------------------------------------------

    def _frame(self) -> tuple[QPointF, float]:
        side = QRectF(self.rect())
        radius = min(side.width() / 2.0 - _SIDE_ROOM, side.height() / 2.0 - _LABEL_ROOM)
        return side.center(), max(40.0, radius)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the chart."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre, radius = self._frame()
        self._paint_grid(painter, centre, radius)
        if self._shape is not None:
            self._paint_band(painter, self._shape, centre, radius)
            self._paint_earlier(painter, centre, radius)
            if self._other is not None:
                pen = QPen(colour("text_soft"), 2.0, Qt.PenStyle.DotLine)
                self._paint_line(painter, self._other.values, centre, radius, pen)
                self._paint_dots(painter, self._other.values, centre, radius)
            self._paint_line(
                painter, self._shape.values, centre, radius, QPen(colour("accent"), 2.4)
            )
            for index, name in enumerate(DIMENSIONS):
                place = self._shape.values[index]
                if place is not None:
                    size = _MARK_PX + (4.0 if name in (self._chosen, self._hovered) else 0.0)
                    paint_mark(painter, name, _at(centre, radius, place), size)
        self._paint_labels(painter, centre, radius)
        if self.hasFocus():
            painter.setPen(QPen(colour("accent"), 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()

    def _paint_grid(self, painter: QPainter, centre: QPointF, radius: float) -> None:
        painter.setFont(scaled_font(11))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for score in range(int(LOWEST), int(HIGHEST) + 1):
            corners = [
                _at(centre, radius, _along(index, ring(score))) for index in range(len(DIMENSIONS))
            ]
            painter.setPen(QPen(colour("line"), 1.0))
            painter.drawPolygon(QPolygonF(corners))
        for index, name in enumerate(DIMENSIONS):
            missing = name in self._lines and self._lines[name].score is None
            pen = QPen(colour("line_strong" if missing else "line"), 1.0)
            if missing:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawLine(centre, _at(centre, radius, direction(index)))
        painter.setPen(colour("text_soft"))
        for score in (1, 3, 5):
            x, y = _along(0, ring(score))
            place = _at(centre, radius, (x, y))
            painter.drawText(QRectF(place.x() + 5.0, place.y() - 8.0, 16.0, 16.0), str(score))

    def _paint_band(
        self, painter: QPainter, shape: RadarShape, centre: QPointF, radius: float
    ) -> None:
        """Shade where the scores probably lie: a ring, or bars where a dimension is missing."""
        fill = QColor(colour("accent"))
        fill.setAlphaF(0.30 if theme().dark else 0.18)
        lows = [None if p is None else _at(centre, radius, p) for p in shape.lows]
        highs = [None if p is None else _at(centre, radius, p) for p in shape.highs]
        if shape.complete:
            path = QPainterPath()
            path.setFillRule(Qt.FillRule.OddEvenFill)
            for corners in (highs, lows):
                path.addPolygon(QPolygonF([p for p in corners if p is not None]))
                path.closeSubpath()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.fillPath(path, fill)
            return
        for low, high in zip(lows, highs, strict=True):
            if low is None or high is None:
                continue
            pen = QPen(fill, _BAND_PX)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(low, high)

    def _paint_earlier(self, painter: QPainter, centre: QPointF, radius: float) -> None:
        places = [
            _along(index, ring(self._earlier[name])) if name in self._earlier else None
            for index, name in enumerate(DIMENSIONS)
        ]
        pen = QPen(colour("text_soft"), 1.6, Qt.PenStyle.DashLine)
        self._paint_line(painter, places, centre, radius, pen)

    def _paint_line(
        self,
        painter: QPainter,
        places: Sequence[Place | None],
        centre: QPointF,
        radius: float,
        pen: QPen,
    ) -> None:
        """Join neighbouring scores; where one is missing, nothing leads over it."""
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for index, place in enumerate(places):
            following = places[(index + 1) % len(places)]
            if place is not None and following is not None:
                painter.drawLine(_at(centre, radius, place), _at(centre, radius, following))

    def _paint_dots(
        self, painter: QPainter, places: Sequence[Place | None], centre: QPointF, radius: float
    ) -> None:
        painter.setPen(QPen(colour("text_soft"), 1.6))
        painter.setBrush(colour("surface"))
        for place in places:
            if place is not None:
                painter.drawEllipse(_at(centre, radius, place), 4.0, 4.0)

    def _paint_labels(self, painter: QPainter, centre: QPointF, radius: float) -> None:
        """Name the axes: above, below, and over the ends at the sides, where the chart is thin."""
        strong, plain = scaled_font(FONT_SMALL, bold=True), scaled_font(FONT_SMALL)
        height = QFontMetricsF(strong).height()
        width = float(self.width())
        for index, name in enumerate(DIMENSIONS):
            x, y = direction(index)
            edge = _at(centre, radius, (x, y))
            line = self._lines.get(name)
            below = "" if line is None else line.short or text("review.not_enough")
            if abs(x) < 0.5:
                top = edge.y() - 2.0 * height - 8.0 if y < 0 else edge.y() + 6.0
                box, side = QRectF(0.0, top, width, height), Qt.AlignmentFlag.AlignHCenter
            elif x > 0:
                box = QRectF(centre.x(), centre.y() - 2.0 * height - 12.0, width / 2.0, height)
                side = Qt.AlignmentFlag.AlignRight
            else:
                box = QRectF(0.0, centre.y() - 2.0 * height - 12.0, width / 2.0, height)
                side = Qt.AlignmentFlag.AlignLeft
            painter.setFont(strong)
            painter.setPen(colour("accent" if name in (self._chosen, self._hovered) else "text"))
            painter.drawText(box, int(side), text(f"common.{name}"))
            painter.setFont(plain)
            painter.setPen(colour("text_soft"))
            painter.drawText(box.translated(0.0, height), int(side), below)

    # --- choosing -----------------------------------------------------------------------------

    def axis_under(self, place: QPointF) -> Dimension | None:
        """Return the axis at a place of the widget."""
        centre, radius = self._frame()
        return axis_at((place.x() - centre.x()) / radius, (place.y() - centre.y()) / radius)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Light up the axis under the pointer."""
        hovered = self.axis_under(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if hovered else Qt.CursorShape.ArrowCursor
            )
            self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: N802, ARG002 - Qt's names
        """Forget the pointer."""
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the axis under the pointer."""
        found = self.axis_under(event.position())
        if event.button() == Qt.MouseButton.LeftButton and found is not None:
            self._choose(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Walk round with the arrows; Enter tells the axis."""
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        key = Qt.Key(event.key())
        if key in steps:
            index = DIMENSIONS.index(self._chosen) + steps[key] if self._chosen else 0
            self._choose(DIMENSIONS[index % len(DIMENSIONS)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._chosen is not None:
            self._choose(self._chosen)
        else:
            super().keyPressEvent(event)

    def _choose(self, dimension: Dimension) -> None:
        self.choose(dimension)
        self.axis_chosen.emit(dimension)

    def event(self, event: object) -> bool:
        """Say a whole score where the pointer rests."""
        if isinstance(event, QHelpEvent):
            found = self.axis_under(QPointF(event.pos()))
            if found is not None and found in self._lines:
                QToolTip.showText(event.globalPos(), self._lines[found].spoken, self)
            else:
                QToolTip.hideText()
            return True
        return bool(super().event(event))  # type: ignore[arg-type]


def _along(index: int, away: float) -> Place:
    x, y = direction(index)
    return (x * away, y * away)


def _at(centre: QPointF, radius: float, place: Place) -> QPointF:
    return QPointF(centre.x() + place[0] * radius, centre.y() + place[1] * radius)
