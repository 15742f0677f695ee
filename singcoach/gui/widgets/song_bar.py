"""The whole song as a line: where it is sung, where the phrases are, what is practised."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from singcoach.gui.texts import clock, text
from singcoach.gui.theme import colour, theme
from singcoach.gui.view_models.sing_session import SingSession

_TRACK: Final = 6.0
_KNOB: Final = 7.0
_STEP_S: Final = 5.0


class SongBar(QWidget):
    """Click or drag to a place; the arrow keys go by five seconds, with Ctrl by phrases."""

    sought = Signal(float)
    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text("sing.place"))
        self._session: SingSession | None = None
        self._time_s = 0.0
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A thin line with room for the knob."""
        return QSize(600, 28)

    def show_session(self, session: SingSession | None) -> None:
        """Show another song."""
        self._session = session
        self.update()

    def show_moment(self, time_s: float) -> None:
        """Move the knob to a second of the song."""
        self._time_s = time_s
        self.setAccessibleDescription(clock(time_s))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        session = self._session
        middle = self.height() / 2.0
        self._bar(painter, 0.0, self._duration_s, "line")
        if session is not None:
            for phrase in session.phrases:
                self._bar(painter, phrase.start_s, phrase.end_s, "melody")
            if session.section is not None:
                self._bar(painter, *session.section, "accent_soft", thick=18.0)
                for phrase in session.phrases[session.loop[0] : session.loop[1] + 1]:  # type: ignore[index]
                    self._bar(painter, phrase.start_s, phrase.end_s, "accent")
        knob = QPointF(self._x(self._time_s), middle)
        painter.setPen(QPen(colour("background"), 2.0))
        painter.setBrush(colour("accent"))
        painter.drawEllipse(knob, _KNOB, _KNOB)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent"), 2.0))
            painter.drawEllipse(knob, _KNOB + 4.0, _KNOB + 4.0)
        painter.end()

    def _bar(
        self, painter: QPainter, start_s: float, end_s: float, ink: str, *, thick: float = _TRACK
    ) -> None:
        left, right = self._x(start_s), self._x(end_s)
        box = QRectF(left, self.height() / 2.0 - thick / 2.0, max(2.0, right - left), thick)
        path = QPainterPath()
        radius = min(thick, box.width()) / 2.0
        path.addRoundedRect(box, radius, radius)
        painter.fillPath(path, colour(ink))

    @property
    def _duration_s(self) -> float:
        return self._session.duration_s if self._session is not None else 0.0

    def _x(self, time_s: float) -> float:
        room = self.width() - 2 * (_KNOB + 5.0)
        share = time_s / self._duration_s if self._duration_s > 0.0 else 0.0
        return _KNOB + 5.0 + room * min(1.0, max(0.0, share))

    def _seek(self, x: float) -> None:
        room = max(1.0, self.width() - 2 * (_KNOB + 5.0))
        share = min(1.0, max(0.0, (x - _KNOB - 5.0) / room))
        self.sought.emit(share * self._duration_s)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go where it was pressed."""
        self._seek(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go along."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Left and right go by seconds, with Ctrl by phrases; Home and End to the ends."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.stepped.emit(step)
        elif step:
            self.sought.emit(max(0.0, self._time_s + step * _STEP_S))
        elif event.key() == Qt.Key.Key_Home:
            self.sought.emit(0.0)
        elif event.key() == Qt.Key.Key_End:
            self.sought.emit(self._duration_s)
        else:
            super().keyPressEvent(event)
