"""How loud the microphone is, with the range in which a voice is recorded well."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from singcoach.gui.texts import number, text
from singcoach.gui.theme import FONT_SMALL, XS, colour, scaled_font, theme

FLOOR_DB: Final = -60.0
GOOD_DB: Final = (-42.0, -9.0)
"""Mean levels of a well recorded voice."""

_BAR: Final = 16
_FALL_DB: Final = 0.9
_HOLD: Final = 25


class MicrophoneMeter(QWidget):
    """A wide bar from -60 to 0 dB with three named ranges; rises at once, falls softly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text("sound.level"))
        self._level_db = self._peak_db = FLOOR_DB
        self._held = 0
        self._clipped = False
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A bar with words below."""
        return QSize(320, _BAR + XS + self._small().pixelSize() + 8)

    def show_level(self, level_db: float, peak_db: float, *, clipped: bool) -> None:
        """Show the mean level and the highest sample, both in dB below full scale."""
        self._level_db = max(level_db, self._level_db - _FALL_DB, FLOOR_DB)
        self._held -= 1
        if peak_db >= self._peak_db or self._held <= 0:
            self._peak_db, self._held = max(peak_db, FLOOR_DB), _HOLD
        self._clipped = clipped
        self.setAccessibleDescription(f"{number(level_db, 0)} dB")
        self.update()

    def reset(self) -> None:
        """Show silence."""
        self._level_db = self._peak_db = FLOOR_DB
        self._clipped = False
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw bar, level, peak and the names of the ranges."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(0.0, 0.0, self.width(), _BAR)
        shape = QPainterPath()
        shape.addRoundedRect(bar, _BAR / 2, _BAR / 2)
        painter.fillPath(shape, colour("sunken"))
        painter.setClipPath(shape)
        left, right = (self._x(value) for value in GOOD_DB)
        painter.fillRect(QRectF(left, 0.0, right - left, _BAR), colour("good_soft"))
        good = GOOD_DB[0] <= self._level_db
        ink = "danger" if self._clipped else "good" if good else "line_strong"
        painter.fillRect(QRectF(0.0, 0.0, self._x(self._level_db), _BAR), colour(ink))
        if self._peak_db > FLOOR_DB:
            painter.fillRect(QRectF(self._x(self._peak_db) - 1.5, 0, 3.0, _BAR), colour("text"))
        painter.setClipping(False)
        painter.setFont(self._small())
        painter.setPen(colour("text_soft"))
        edges = (0.0, left, right, float(self.width()))
        sides = (
            Qt.AlignmentFlag.AlignLeft,
            Qt.AlignmentFlag.AlignHCenter,
            Qt.AlignmentFlag.AlignRight,
        )
        for number_, name in enumerate(("low", "right", "high")):
            box = QRectF(edges[number_], _BAR + XS, edges[number_ + 1] - edges[number_], 24.0)
            if name == "high":
                box.setLeft(left)
            words = text(f"sound.range.{name}")
            painter.drawText(box, int(sides[number_] | Qt.AlignmentFlag.AlignTop), words)
        painter.end()

    def _small(self) -> QFont:
        return scaled_font(FONT_SMALL)

    def _x(self, level_db: float) -> float:
        return self.width() * min(1.0, max(0.0, (level_db - FLOOR_DB) / -FLOOR_DB))
