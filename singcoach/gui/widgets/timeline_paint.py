"""Drawing the lanes of the timeline: only what is in view, a few points for each pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from singcoach.core.arrays import RealArray
from singcoach.core.wording import clock
from singcoach.gui.theme import colour, scaled_font, theme
from singcoach.gui.view_models.review import Moment
from singcoach.gui.view_models.timeline import TimeView, in_view, pitch_lines, wave_columns
from singcoach.gui.view_models.timeline_content import TimelineContent
from singcoach.gui.widgets.icons import paint_icon
from singcoach.gui.widgets.marks import paint_mark
from singcoach.report.wording import note_name

GUTTER: Final = 44.0
RULER: Final = 22.0
MARK_ROW: Final = 16.0
NOTE_ROW: Final = 20.0
OVERVIEW: Final = 26.0
LEAST_WAVE: Final = 34.0
LEAST_HEIGHT_FOR_WAVE: Final = 270.0
_GAP: Final = 6.0
_NARROW_BAR_PX: Final = 1.5
_PIECE_POINTS: Final = 24
_WHITE_KEYS: Final = frozenset({0, 2, 4, 5, 7, 9, 11})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Where each lane lies in the widget; all share left and right."""

    ruler: QRectF
    marks: QRectF
    notes: QRectF
    pitch: QRectF
    wave: QRectF
    overview: QRectF

    @property
    def left(self) -> float:
        """Left edge of time."""
        return self.ruler.left()

    @property
    def width(self) -> float:
        """Pixels that time has."""
        return self.ruler.width()


def lanes_of(width: float, height: float, *, n_mark_rows: int, with_notes: bool) -> Lanes:
    """Divide a widget into lanes; the pitch gets what the others leave."""
    left, time_width = GUTTER, max(10.0, width - GUTTER - 8.0)
    y = 0.0

    def lane(lane_height: float) -> QRectF:
        nonlocal y
        box = QRectF(left, y, time_width, max(0.0, lane_height))
        y += lane_height
        return box

    ruler = lane(RULER)
    marks = lane(n_mark_rows * MARK_ROW + (4.0 if n_mark_rows else 0.0))
    notes = lane(NOTE_ROW if with_notes else 0.0)
    # Low windows need the room for the pitch; the overview shows the waveform there.
    wave_height = 0.0 if height < LEAST_HEIGHT_FOR_WAVE else max(LEAST_WAVE, 0.16 * height)
    gaps = _GAP * (2.0 if wave_height else 1.0)
    pitch = lane(max(40.0, height - y - wave_height - OVERVIEW - gaps - 1.0))
    y += _GAP
    wave = lane(wave_height)
    y += _GAP if wave_height else 0.0
    return Lanes(
        ruler=ruler, marks=marks, notes=notes, pitch=pitch, wave=wave, overview=lane(OVERVIEW)
    )


class Canvas:
    """A painter with what it needs to place things.

    Attributes
    ----------
    semitone_px
        Pixels of a semitone.
    """

    def __init__(
        self, painter: QPainter, lanes: Lanes, view: TimeView, content: TimelineContent
    ) -> None:
        self.painter, self.lanes, self.view, self.content = painter, lanes, view, content
        self._px_per_s = lanes.width / view.shown_s
        self._left = lanes.left - view.start_s * self._px_per_s
        self.semitone_px = lanes.pitch.height() / (content.high - content.low)
        self._bottom = lanes.pitch.bottom() + content.low * self.semitone_px

    def x(self, time_s: float) -> float:
        """Pixel of a time."""
        return self._left + time_s * self._px_per_s

    def y(self, semitone: float) -> float:
        """Pixel of a height in the pitch lane."""
        return self._bottom - semitone * self.semitone_px


def paint_still(canvas: Canvas) -> None:
    """Draw everything that stays while a take plays."""
    painter = canvas.painter
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _clipped(canvas, canvas.lanes.pitch, _paint_grid)
    _paint_pitch_names(canvas)
    _paint_ruler(canvas)
    _clipped(canvas, canvas.lanes.pitch, _paint_phrases)
    _clipped(canvas, canvas.lanes.pitch, _paint_bars)
    _clipped(canvas, canvas.lanes.pitch, _paint_pitch)
    _paint_wave(canvas, canvas.lanes.wave, canvas.view)
    paint_overview(canvas)


def _clipped(canvas: Canvas, lane: QRectF, paint: Callable[[Canvas], None]) -> None:
    canvas.painter.save()
    canvas.painter.setClipRect(lane)
    paint(canvas)
    canvas.painter.restore()


def _paint_grid(canvas: Canvas) -> None:
    painter, lane = canvas.painter, canvas.lanes.pitch
    painter.fillRect(lane, colour("surface"))
    shade = QColor(colour("sunken"))
    shade.setAlphaF(0.75 if theme().dark else 0.6)
    for semitone in range(canvas.content.low, canvas.content.high + 1):
        if semitone % 12 not in _WHITE_KEYS:
            top = canvas.y(semitone + 0.5)
            painter.fillRect(QRectF(lane.left(), top, lane.width(), canvas.semitone_px), shade)
    painter.setPen(QPen(colour("line"), 1.0))
    for semitone in range(canvas.content.low, canvas.content.high + 1):
        if semitone % 12 == 0:
            y = canvas.y(semitone - 0.5)
            painter.drawLine(QLineF(lane.left(), y, lane.right(), y))


def _paint_pitch_names(canvas: Canvas) -> None:
    painter = canvas.painter
    painter.setFont(scaled_font(11))
    painter.setPen(colour("text_soft"))
    step = 1 if canvas.semitone_px >= 15 else 0
    named = (0, 4, 7) if canvas.semitone_px >= 5 else (0,)
    for semitone in range(canvas.content.low, canvas.content.high + 1):
        white = semitone % 12 in _WHITE_KEYS
        if (step and white) or semitone % 12 in named:
            y = canvas.y(semitone)
            if canvas.lanes.pitch.top() + 6 < y < canvas.lanes.pitch.bottom() - 4:
                box = QRectF(0.0, y - 8.0, GUTTER - 8.0, 16.0)
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(box, int(right), note_name(semitone))


def _paint_ruler(canvas: Canvas) -> None:
    painter, lane = canvas.painter, canvas.lanes.ruler
    painter.setFont(scaled_font(11, mono_digits=True))
    ticks = canvas.view.ticks(lane.width())
    fine = len(ticks) > 1 and ticks[1] - ticks[0] < 1.0
    for time_s in ticks:
        x = canvas.x(time_s)
        painter.setPen(QPen(colour("line"), 1.0))
        painter.drawLine(QLineF(x, lane.bottom() - 5.0, x, canvas.lanes.pitch.bottom()))
        painter.setPen(colour("text_soft"))
        words = f"{clock(time_s)}.{round(time_s * 10) % 10}" if fine else clock(time_s)
        painter.drawText(
            QRectF(x + 4.0, lane.top(), 70.0, lane.height()),
            int(Qt.AlignmentFlag.AlignVCenter),
            words,
        )


def _paint_phrases(canvas: Canvas) -> None:
    content, lane = canvas.content, canvas.lanes.pitch
    if canvas.x(content.longest_s.get("phrases", 0.0)) - canvas.x(0.0) < 2.0:
        return
    wash = QColor(colour("accent"))
    wash.setAlphaF(0.07 if theme().dark else 0.045)
    for phrase in in_view(content.phrases, content.starts["phrases"], canvas.view):
        left, right = canvas.x(phrase.start_s), canvas.x(phrase.end_s)
        if right - left >= 2.0:
            canvas.painter.fillRect(QRectF(left, lane.top(), right - left, lane.height()), wash)


def _paint_bars(canvas: Canvas) -> None:
    painter, content = canvas.painter, canvas.content
    height = min(16.0, max(3.0, 0.8 * canvas.semitone_px))
    written_fill = QColor(colour("melody"))
    written_fill.setAlphaF(0.55)
    for written in (True, False):
        bars = content.written if written else content.sung
        name = "written" if written else "sung"
        if written:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(written_fill)
        else:
            painter.setPen(QPen(colour("line_strong"), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        # Two hours hold 14,000 notes: far out most are too narrow, and those are not looked at.
        least_s = _NARROW_BAR_PX * canvas.view.shown_s / canvas.lanes.width
        if content.longest_s.get(name, 0.0) < least_s:
            continue
        shown = in_view(bars, content.starts[name], canvas.view)
        for bar in shown:
            left, right = canvas.x(bar.start_s), canvas.x(bar.end_s)
            if right - left >= _NARROW_BAR_PX:
                top = canvas.y(bar.semitone) - height / 2.0
                painter.drawRoundedRect(QRectF(left, top, right - left, height), 3.0, 3.0)


def _paint_pitch(canvas: Canvas) -> None:
    content = canvas.content
    if content.overlay is not None:
        pen = QPen(colour("technique"), 2.0)
        pen.setDashPattern([3.0, 2.0])
        _draw_lines(canvas, content.overlay.times_s, content.overlay.semitones, pen)
    _draw_lines(canvas, content.times_s, content.semitones, QPen(colour("voice"), 2.0))


def _draw_lines(canvas: Canvas, times_s: RealArray, semitones: RealArray, pen: QPen) -> None:
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    canvas.painter.setPen(pen)
    canvas.painter.setBrush(Qt.BrushStyle.NoBrush)
    for line in pitch_lines(times_s, semitones, canvas.view, round(canvas.lanes.width)):
        points = [QPointF(canvas.x(t), canvas.y(s)) for t, s in line.tolist()]
        if len(points) == 1:
            canvas.painter.drawPoint(points[0])
        # Long jagged lines in one piece take the painter a hundred times as long.
        for start in range(0, len(points) - 1, _PIECE_POINTS):
            piece = points[start : start + _PIECE_POINTS + 1]
            canvas.painter.drawPolyline(QPolygonF(piece))


def _paint_wave(canvas: Canvas, lane: QRectF, view: TimeView) -> None:
    """Draw the waveform, louder takes to the same height as soft ones."""
    painter, content = canvas.painter, canvas.content
    if lane.height() < 4.0:
        return
    width = round(lane.width())
    columns = wave_columns(content.peaks, view, width, peaks_per_s=content.peaks_per_s)
    loudest = float(np.abs(content.peaks).max()) if content.peaks.size else 0.0
    middle, half = lane.center().y(), lane.height() / 2.0
    painter.setPen(QPen(colour("line"), 1.0))
    painter.drawLine(QLineF(lane.left(), middle, lane.right(), middle))
    if loudest <= 0.0:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(colour("waveform"), 1.0))
    scaled = columns / loudest * half
    painter.drawLines(
        [
            QLineF(lane.left() + i, middle - high, lane.left() + i, middle - low)
            for i, (low, high) in enumerate(scaled.tolist())
            if high - low > 0.5
        ]
    )
    painter.restore()


def paint_overview(canvas: Canvas) -> None:
    """Draw the whole take small, with a frame around what is in view."""
    painter, lane = canvas.painter, canvas.lanes.overview
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour("sunken"))
    painter.drawRoundedRect(lane, 6.0, 6.0)
    _paint_wave(canvas, lane.adjusted(0, 3, 0, -3), canvas.view.fitted())
    duration_s = canvas.view.duration_s
    left = lane.left() + canvas.view.start_s / duration_s * lane.width()
    width = max(6.0, canvas.view.shown_s / duration_s * lane.width())
    wash = QColor(colour("accent"))
    wash.setAlphaF(0.0 if canvas.view.whole else 0.14)
    painter.setBrush(wash)
    painter.setPen(QPen(colour("line_strong" if canvas.view.whole else "accent"), 1.4))
    painter.drawRoundedRect(
        QRectF(left, lane.top(), width, lane.height()).adjusted(1, 1, -1, -1), 6.0, 6.0
    )


# --- what can be pointed at ---------------------------------------------------------------------


def mark_box(canvas: Canvas, index: int) -> QRectF:
    """Return where a moment is drawn in its lane, wide enough to be hit."""
    item, row = canvas.content.moments[index], canvas.content.mark_rows[index]
    left, right = canvas.x(item.start_s), canvas.x(item.end_s)
    return QRectF(
        left,
        canvas.lanes.marks.top() + row * MARK_ROW + 2.0,
        max(MARK_ROW, right - left),
        MARK_ROW - 3.0,
    )


def paint_moment(canvas: Canvas, index: int, *, lit: bool) -> None:
    """Draw a moment: its sign, a plus or minus, its length; lit, a wash over its seconds."""
    painter, item = canvas.painter, canvas.content.moments[index]
    box = mark_box(canvas, index)
    tint = QColor(colour(item.dimension))
    if lit:
        wash = QColor(tint)
        wash.setAlphaF(0.20)
        lane = canvas.lanes.pitch
        seconds = QRectF(
            canvas.x(item.start_s),
            lane.top(),
            canvas.x(item.end_s) - canvas.x(item.start_s),
            lane.height(),
        )
        painter.fillRect(seconds.intersected(lane), wash)
    tint.setAlphaF(0.55 if lit else 0.26)
    painter.setPen(QPen(colour("text"), 1.6) if lit else Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    painter.drawRoundedRect(box, 5.0, 5.0)
    centre = QPointF(box.left() + 9.0, box.center().y())
    paint_mark(painter, item.dimension, centre, 10.0)
    if box.width() >= 34.0:
        painter.setPen(QPen(colour("text"), 1.5))
        x, y = box.left() + 22.0, box.center().y()
        painter.drawLine(QLineF(x - 3.5, y, x + 3.5, y))
        if item.helped:
            painter.drawLine(QLineF(x, y - 3.5, x, y + 3.5))


def moment_words(item: Moment) -> str:
    """What a moment says where the pointer rests."""
    return f"{item.text}\n{item.detail}"


def note_box(canvas: Canvas, index: int) -> QRectF:
    """Return where a teacher's note is drawn."""
    item = canvas.content.notes[index]
    left = canvas.x(item.start_s)
    return QRectF(left, canvas.lanes.notes.top() + 1.0, NOTE_ROW, NOTE_ROW - 3.0)


def paint_note(canvas: Canvas, index: int, *, lit: bool) -> None:
    """Draw a teacher's note: a small page above its first second, a line along its seconds."""
    painter, item = canvas.painter, canvas.content.notes[index]
    box = note_box(canvas, index)
    painter.setPen(QPen(colour("accent"), 2.0))
    right = canvas.x(item.end_s)
    if right > box.right():
        painter.drawLine(QLineF(box.right(), box.center().y(), right, box.center().y()))
    side = box.height()
    paint_icon(
        painter,
        "edit",
        QRectF(box.left(), box.top(), side, side),
        colour("text" if lit else "accent"),
    )


def paint_selection(canvas: Canvas, start_s: float, end_s: float) -> None:
    """Draw the chosen seconds."""
    lanes = canvas.lanes
    wash = QColor(colour("accent"))
    wash.setAlphaF(0.14)
    box = QRectF(
        canvas.x(start_s),
        lanes.pitch.top(),
        canvas.x(end_s) - canvas.x(start_s),
        lanes.wave.bottom() - lanes.pitch.top(),
    ).intersected(QRectF(lanes.left, 0.0, lanes.width, lanes.wave.bottom()))
    canvas.painter.fillRect(box, wash)
    canvas.painter.setPen(QPen(colour("accent"), 1.5))
    for x in (box.left(), box.right()):
        canvas.painter.drawLine(QLineF(x, box.top(), x, box.bottom()))


def paint_playhead(canvas: Canvas, position_s: float) -> None:
    """Draw where it plays, in the lanes and in the overview."""
    painter, lanes = canvas.painter, canvas.lanes
    painter.setPen(QPen(colour("text"), 1.6))
    x = canvas.x(position_s)
    if lanes.left - 0.5 <= x <= lanes.left + lanes.width + 0.5:
        painter.drawLine(QLineF(x, lanes.ruler.bottom() - 6.0, x, lanes.wave.bottom()))
        painter.setBrush(colour("text"))
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(x - 5.0, lanes.ruler.bottom() - 10.0),
                    QPointF(x + 5.0, lanes.ruler.bottom() - 10.0),
                    QPointF(x, lanes.ruler.bottom() - 3.0),
                ]
            )
        )
    at = lanes.left + position_s / canvas.view.duration_s * lanes.width
    painter.drawLine(QLineF(at, lanes.overview.top() + 2, at, lanes.overview.bottom() - 2))
