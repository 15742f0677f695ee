"""How loud the microphone is, with the highest of the last second."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from singcoach.gui.texts import number, text
from singcoach.gui.theme import colour, theme

FLOOR_DB: Final = -60.0
QUIET_DB: Final = -42.0
LOUD_DB: Final = -6.0
_FALL_DB: Final = 0.7
_HEIGHT: Final = 8


class LevelMeter(QWidget):
    """A bar from -60 to 0 dB; the marks show where a voice is well recorded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(120)
        self._level_db = self._peak_db = FLOOR_DB
        self._clipped = False
        self.setAccessibleName(text("sing.level"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A thin bar."""
        return QSize(180, _HEIGHT + 8)

    def show_level(self, level_db: float, peak_db: float, *, clipped: bool = False) -> None:
        """Show a level; it rises at once and falls softly, so that it can be read."""
        self._level_db = max(level_db, self._level_db - _FALL_DB, FLOOR_DB)
        self._peak_db = max(peak_db, self._peak_db - _FALL_DB, FLOOR_DB)
        self._clipped = clipped
        self.setAccessibleDescription(f"{number(level_db, 0)} dB")
        self.update()

    def reset(self) -> None:
        """Show silence."""
        self._level_db = self._peak_db = FLOOR_DB
        self._clipped = False
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0, (self.height() - _HEIGHT) / 2.0, self.width(), _HEIGHT)
        track = QPainterPath()
        track.addRoundedRect(box, _HEIGHT / 2, _HEIGHT / 2)
        painter.fillPath(track, colour("line"))
        painter.setClipPath(track)
        fill = QRectF(box)
        fill.setWidth(self._x(self._level_db))
        ink = "danger" if self._clipped else "good" if self._level_db >= QUIET_DB else "text_soft"
        painter.fillRect(fill, colour(ink))
        peak = self._x(self._peak_db)
        if self._peak_db > FLOOR_DB:
            painter.fillRect(QRectF(peak - 1.5, box.top(), 3.0, box.height()), colour("text"))
        painter.setClipping(False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("line_strong"))
        for mark_db in (QUIET_DB, LOUD_DB):
            painter.drawRect(QRectF(self._x(mark_db) - 0.5, box.top() - 3.0, 1.0, _HEIGHT + 6.0))
        painter.end()

    def _x(self, level_db: float) -> float:
        return self.width() * min(1.0, max(0.0, (level_db - FLOOR_DB) / -FLOOR_DB))
