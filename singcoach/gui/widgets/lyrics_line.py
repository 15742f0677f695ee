"""The words that are on, filled as they are sung, and the line that comes next."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from singcoach.gui.texts import text
from singcoach.gui.theme import colour, scaled_font, theme
from singcoach.songs.lyrics import SungLine, SungText

_NOW_PIXELS: Final = 27
_NEXT_PIXELS: Final = 16
_AHEAD_S: Final = 1.5
"""A line comes up this long before it begins, if the one before has ended by then."""
_GAP: Final = 4


class LyricsLine(QWidget):
    """Two lines of words around a moment of the song."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._text: SungText | None = None
        self._time_s = 0.0
        self._shown: int | None = None
        self.setAccessibleName(text("sing.words"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Two lines."""
        return QSize(600, _NOW_PIXELS + _NEXT_PIXELS + 24)

    def show_text(self, words: SungText | None) -> None:
        """Show another song's words."""
        self._text = words
        self._shown = None
        self.update()

    def show_moment(self, time_s: float) -> None:
        """Move to a second of the song."""
        self._time_s = time_s
        index = self.current
        if index != self._shown:
            self._shown = index
            if self._text is not None and index is not None:
                self.setAccessibleDescription(self._text.lines[index].text)
        self.update()

    @property
    def current(self) -> int | None:
        """The number of the line that is shown as the one to sing."""
        if self._text is None:
            return None
        index = self._text.line_at(self._time_s)
        following = 0 if index is None else index + 1
        if following < len(self._text.lines):
            begins_s = self._text.lines[following].start_s
            over = index is None or self._text.lines[index].end_s < self._time_s
            if over and begins_s - self._time_s <= max(_AHEAD_S, 0.0):
                return following
        if index is None:
            return 0
        return index

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw both lines."""
        index = self.current
        if self._text is None or index is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self._text.lines[index]
        self._paint_now(painter, line)
        if index + 1 < len(self._text.lines):
            painter.setFont(scaled_font(_NEXT_PIXELS))
            painter.setPen(colour("text_soft"))
            words = QFontMetricsF(painter.font()).elidedText(
                self._text.lines[index + 1].text, Qt.TextElideMode.ElideRight, self.width()
            )
            top = _NOW_PIXELS + 12 + _GAP
            painter.drawText(QRectF(0, top, self.width(), _NEXT_PIXELS + 8), _CENTRE, words)
        painter.end()

    def _paint_now(self, painter: QPainter, line: SungLine) -> None:
        """Draw the line softly, and over it, strongly, the part that has been sung."""
        font = scaled_font(_NOW_PIXELS, bold=True)
        width = QFontMetricsF(font).horizontalAdvance(line.text)
        if width > self.width() > 0:
            font = scaled_font(max(13, int(_NOW_PIXELS * self.width() / width)), bold=True)
            width = QFontMetricsF(font).horizontalAdvance(line.text)
        left = (self.width() - width) / 2.0
        box = QRectF(left, 0, width + 2.0, _NOW_PIXELS + 12)
        painter.setFont(font)
        painter.setPen(self._unsung())
        painter.drawText(box, _START, line.text)
        sung = self._sung_width(line, QFontMetricsF(font))
        if sung > 0.0:
            painter.save()
            painter.setClipRect(QRectF(left - 4, 0, sung + 4, box.height()))
            painter.setPen(colour("accent"))
            painter.drawText(box, _START, line.text)
            painter.restore()

    def _unsung(self) -> QColor:
        return colour("text")

    def _sung_width(self, line: SungLine, metrics: QFontMetricsF) -> float:
        """Return how many pixels of the line have been sung."""
        if self._text is not None and not self._text.words_timed:
            return metrics.horizontalAdvance(line.text) if self._time_s >= line.start_s else 0.0
        before = ""
        for syllable in line.syllables:
            if self._time_s < syllable.start_s:
                break
            share = (self._time_s - syllable.start_s) / max(0.01, syllable.end_s - syllable.start_s)
            start = metrics.horizontalAdvance(before.lstrip())
            before += syllable.text
            end = metrics.horizontalAdvance(before.lstrip().rstrip())
            if share < 1.0:
                return start + share * max(0.0, end - start)
        return metrics.horizontalAdvance(before.strip())


_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)
_START: Final = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignVCenter)
