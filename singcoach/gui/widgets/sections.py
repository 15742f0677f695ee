"""Pitch accuracy by section as a row of bars that can be clicked and heard."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from singcoach.core.wording import clock
from singcoach.gui.texts import percent, text
from singcoach.gui.theme import colour, scaled_font, theme
from singcoach.report.pitch_sections import PitchSection, PitchSections

_HEIGHT: Final = 132
_LEAN_CENTS: Final = 15.0
_FOOT: Final = 22.0
_HEAD: Final = 20.0


def section_words(section: PitchSection) -> str:
    """Say one section in words, such as "0:12 to 0:30: 85%, a little low"."""
    if section.state == "not_sung":
        state = text("review.not_sung")
    elif section.accuracy is None:
        state = text("review.too_little")
    else:
        share = percent(round(section.accuracy * 20.0) / 20.0)
        state = share
        if section.state == "part":
            state = text("review.section_part", percent=share)
        if section.lean_cents is not None and abs(section.lean_cents) >= _LEAN_CENTS:
            side = "leans_low" if section.lean_cents < 0 else "leans_high"
            state = f"{state}, {text(f'review.{side}')}"
    return text(
        "review.section_words",
        start=clock(section.start_s),
        end=clock(section.end_s),
        state=state,
    )


class SectionBars(QWidget):
    """A bar for each section, up to 100 %. Sections that cannot be judged are dashed, not low."""

    section_chosen = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sections: tuple[PitchSection, ...] = ()
        self._beside: tuple[float | None, ...] = ()
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(_HEIGHT)
        self.setAccessibleName(text("review.pitch_sections"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the usual size."""
        return QSize(480, _HEIGHT)

    def set_sections(self, found: PitchSections, *, beside: tuple[float | None, ...] = ()) -> None:
        """Show sections; ``beside`` are another take's accuracies of the same ones."""
        self._sections = found.sections
        self._beside = beside
        self._current = -1
        self.setAccessibleDescription(". ".join(section_words(s) for s in found.sections))
        self.update()

    def _box(self, index: int) -> QRectF:
        n = max(1, len(self._sections))
        slot = self.width() / n
        width = min(64.0, slot - 6.0)
        left = index * slot + (slot - width) / 2.0
        return QRectF(left, _HEAD, width, self.height() - _HEAD - _FOOT)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, section in enumerate(self._sections):
            box = self._box(index)
            self._paint_bar(painter, index, section, box)
            painter.setFont(scaled_font(11, mono_digits=True))
            painter.setPen(colour("text_soft"))
            slot = self.width() / len(self._sections)
            if slot >= 38.0 or index % 2 == 0:
                foot = QRectF(box.center().x() - 30.0, box.bottom() + 4.0, 60.0, _FOOT - 4.0)
                painter.drawText(foot, int(Qt.AlignmentFlag.AlignCenter), clock(section.start_s))
        painter.end()

    def _paint_bar(self, painter: QPainter, index: int, section: PitchSection, box: QRectF) -> None:
        focused = self.hasFocus() and index == max(0, self._current)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("sunken"))
        painter.drawRoundedRect(box, 6.0, 6.0)
        if section.accuracy is None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("line_strong"), 1.2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6.0, 6.0)
        else:
            height = max(4.0, section.accuracy * box.height())
            fill = QRectF(box.left(), box.bottom() - height, box.width(), height)
            tone = QColor(colour("accent"))
            tone.setAlphaF(1.0 if section.state == "sung" else 0.55)
            painter.setBrush(tone)
            painter.drawRoundedRect(fill, 6.0, 6.0)
            painter.setFont(scaled_font(11, bold=True, mono_digits=True))
            painter.setPen(colour("text"))
            head = QRectF(box.center().x() - 26.0, 0.0, 52.0, _HEAD - 3.0)
            share = percent(round(section.accuracy * 20.0) / 20.0)
            painter.drawText(head, int(Qt.AlignmentFlag.AlignCenter), share)
            self._paint_lean(painter, section, fill)
        if index < len(self._beside) and (other := self._beside[index]) is not None:
            y = box.bottom() - other * box.height()
            painter.setPen(QPen(colour("text"), 2.5))
            painter.drawLine(QPointF(box.left() - 3.0, y), QPointF(box.right() + 3.0, y))
        if focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("text"), 2.0))
            painter.drawRoundedRect(box.adjusted(-3, -3, 3, 3), 8.0, 8.0)

    def _paint_lean(self, painter: QPainter, section: PitchSection, fill: QRectF) -> None:
        """Draw an arrow down or up where the section was sung low or high."""
        lean = section.lean_cents
        if lean is None or abs(lean) < _LEAN_CENTS or fill.height() < 24.0:
            return
        painter.setPen(QPen(colour("on_accent"), 2.0))
        way = 1.0 if lean < 0 else -1.0
        x, y = fill.center().x(), fill.bottom() - 12.0
        for side in (-4.0, 4.0):
            painter.drawLine(QPointF(x + side, y - 2.0 * way), QPointF(x, y + 3.0 * way))

    def section_at(self, x: float) -> int:
        """Return the number of the section at a pixel, -1 for none."""
        n = len(self._sections)
        return min(n - 1, int(x / self.width() * n)) if n and 0 <= x < self.width() else -1

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._sections):
            self._current = index
            section = self._sections[index]
            self.setAccessibleDescription(section_words(section))
            self.update()
            self.section_chosen.emit(section.start_s, section.end_s)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the section under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(self.section_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Walk with the arrows; Enter plays."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        key = Qt.Key(event.key())
        last = len(self._sections) - 1
        if key in steps:
            self._current = min(last, max(0, self._current + steps[key]))
            if last >= 0:
                self.setAccessibleDescription(section_words(self._sections[self._current]))
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(max(0, self._current))
        else:
            super().keyPressEvent(event)

    def event(self, event: object) -> bool:
        """Say a section where the pointer rests."""
        if isinstance(event, QHelpEvent):
            index = self.section_at(float(event.x()))
            if index >= 0:
                QToolTip.showText(event.globalPos(), section_words(self._sections[index]), self)
            return True
        return bool(super().event(event))  # type: ignore[arg-type]
