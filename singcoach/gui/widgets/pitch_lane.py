"""The lane in which notes come towards the singer and the own voice draws its line.

Painted anew at every frame of the screen; nothing here allocates more than what is in view. Right
and wrong differ by width and fill, not by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from singcoach.core.music import SongNote
from singcoach.gui.texts import text
from singcoach.gui.theme import CARD_RADIUS, FONT_SMALL, L, S, colour, scaled_font, theme
from singcoach.gui.view_models.sing_session import Match, SingSession, TracePoint

PIXELS_PER_S: Final = 150.0
PLAYHEAD_SHARE: Final = 0.3
_LEAST_SEMITONES: Final = 15.0
_MARGIN_SEMITONES: Final = 3.0
_NAMES_WIDTH: Final = 36.0
_EASE: Final = 0.08
_GAP_S: Final = 0.07
_LEAP_SEMITONES: Final = 3.0
_NAMES: Final = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")
_WIDTHS: Final[dict[Match, float]] = {"hit": 4.5, "near": 3.0, "off": 2.0, "free": 3.0}
_GOOD_SHARE: Final = 0.6
_UNPITCHED: Final = ("freestyle", "rap", "rap_golden")


class PitchLane(QWidget):
    """Note bars, words and the sung line around the moment that is heard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(190)
        self.setAccessibleName(text("sing.lane"))
        self._session: SingSession | None = None
        self._time_s = 0.0
        self._count = 0
        self._running = False
        self._low, self._high = 53.0, 53.0 + _LEAST_SEMITONES
        self._settled = False
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As much as there is."""
        return QSize(760, 320)

    def show_session(self, session: SingSession | None) -> None:
        """Show another song, or nothing."""
        self._session = session
        self._settled = False
        self.update()

    def show_moment(self, time_s: float, *, count: int = 0, running: bool = False) -> None:
        """Move to a second of the song; ``count`` is the number of a count-in, 0 for none."""
        self._time_s, self._count, self._running = time_s, count, running
        self._follow()
        self.update()

    # --- geometry -----------------------------------------------------------------------------

    @property
    def span_s(self) -> tuple[float, float]:
        """Seconds of the song at the left and the right border."""
        left_s = self._time_s - PLAYHEAD_SHARE * self.width() / PIXELS_PER_S
        return left_s, left_s + self.width() / PIXELS_PER_S

    def x_of(self, time_s: float) -> float:
        """Return where a second of the song is drawn."""
        return PLAYHEAD_SHARE * self.width() + (time_s - self._time_s) * PIXELS_PER_S

    def y_of(self, midi: float) -> float:
        """Return where a height is drawn."""
        return self.height() * (1.0 - (midi - self._low) / (self._high - self._low))

    def _follow(self) -> None:
        """Let the heights in view glide to those of the notes, or of the voice without notes."""
        session = self._session
        if session is None:
            return
        start_s, end_s = self.span_s
        heights = [
            float(note.midi + session.semitones)
            for _, note in session.notes_between(start_s, end_s)
            if note.kind not in _UNPITCHED
        ]
        if not heights and not session.notes:
            heights = [point.midi for point in list(session.trace)[-400:]]
        if not heights:
            return
        low, high = min(heights) - _MARGIN_SEMITONES, max(heights) + _MARGIN_SEMITONES
        if (missing := _LEAST_SEMITONES - (high - low)) > 0.0:
            low, high = low - missing / 2.0, high + missing / 2.0
        ease = _EASE if self._settled else 1.0
        self._low += ease * (low - self._low)
        self._high += ease * (high - self._high)
        self._settled = True

    # --- painting -----------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the lane."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QPainterPath()
        ground.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, 12)
        painter.fillPath(ground, colour("surface"))
        painter.setClipPath(ground)
        self._paint_lines(painter)
        session = self._session
        if session is not None:
            self._paint_section(painter, session)
            self._paint_notes(painter, session)
        self._paint_playhead(painter)
        if session is not None:
            self._paint_trace(painter, list(session.trace))
        self._paint_names(painter)
        if session is not None:
            self._paint_hint(painter, session)
        if self._count:
            self._paint_count(painter)
        painter.setClipping(False)
        painter.setPen(QPen(colour("line"), 1.0))
        painter.drawPath(ground)
        painter.end()

    def _naturals(self) -> list[int]:
        """Return the heights in view that are white keys."""
        heights = range(int(self._low), int(self._high) + 2)
        return [midi for midi in heights if _NAMES[midi % 12]]

    def _paint_lines(self, painter: QPainter) -> None:
        line = colour("line")
        line.setAlpha(130)
        painter.setPen(QPen(line, 1.0))
        for midi in self._naturals():
            y = self.y_of(midi)
            painter.drawLine(QPointF(_NAMES_WIDTH, y), QPointF(self.width(), y))

    def _paint_names(self, painter: QPainter) -> None:
        """Write the names of the heights on a strip of their own, over whatever passes below."""
        painter.fillRect(QRectF(0, 0, _NAMES_WIDTH, self.height()), colour("surface"))
        painter.setFont(scaled_font(11))
        painter.setPen(colour("text_soft"))
        for midi in self._naturals():
            y = self.y_of(midi)
            if 8.0 <= y <= self.height() - 8.0:
                name = _NAMES[midi % 12]
                label = f"{name}{midi // 12 - 1}" if name == "C" else name
                painter.drawText(QRectF(0, y - 9, _NAMES_WIDTH - 6, 18), _RIGHT, label)

    def _paint_section(self, painter: QPainter, session: SingSession) -> None:
        """Veil what lies outside of the practised section."""
        if session.section is None:
            return
        start_s, end_s = session.section
        veil = colour("sunken")
        veil.setAlpha(190)
        left, right = self.x_of(start_s), self.x_of(end_s)
        painter.fillRect(QRectF(0, 0, max(0.0, left), self.height()), veil)
        painter.fillRect(QRectF(right, 0, max(0.0, self.width() - right), self.height()), veil)
        pen = QPen(colour("accent"), 1.5, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        for x in (left, right):
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def _paint_notes(self, painter: QPainter, session: SingSession) -> None:
        start_s, end_s = self.span_s
        thick = min(22.0, max(9.0, 0.85 * self.height() / (self._high - self._low)))
        for index, note in session.notes_between(start_s, end_s):
            left, right = self.x_of(note.onset_s), self.x_of(note.offset_s)
            y = self.y_of(note.midi + session.semitones)
            bar = QRectF(left + 1.0, y - thick / 2.0, max(4.0, right - left - 2.0), thick)
            self._paint_bar(painter, bar, note, session.hit_share(index))
            self._paint_syllable(painter, bar, note)

    def _paint_bar(
        self, painter: QPainter, bar: QRectF, note: SongNote, share: float | None
    ) -> None:
        radius = min(bar.height(), bar.width()) / 2.0
        shape = QPainterPath()
        shape.addRoundedRect(bar, radius, radius)
        if note.kind in _UNPITCHED:
            painter.setPen(QPen(colour("melody"), 1.5, Qt.PenStyle.DotLine))
            painter.drawPath(shape)
            return
        ground = colour("melody")
        ground.setAlpha(110)
        painter.fillPath(shape, ground)
        passed = self.x_of(self._time_s)
        if share is not None and bar.left() < passed:
            painter.save()
            painter.setClipRect(
                QRectF(bar.left(), bar.top(), passed - bar.left(), bar.height()),
                Qt.ClipOperation.IntersectClip,
            )
            fill = colour("accent")
            fill.setAlpha(150 if share >= _GOOD_SHARE else 45)
            painter.fillPath(shape, fill)
            painter.restore()
        if note.kind == "golden":
            painter.setPen(QPen(colour("technique"), 2.0))
            painter.drawPath(shape)

    def _paint_syllable(self, painter: QPainter, bar: QRectF, note: SongNote) -> None:
        words = note.syllable.strip()
        if not words or words == "~":
            return
        is_on = note.onset_s <= self._time_s <= note.offset_s
        painter.setFont(scaled_font(FONT_SMALL, bold=is_on))
        painter.setPen(colour("text" if is_on else "text_soft"))
        painter.drawText(
            QRectF(bar.left(), bar.bottom() + 1.0, max(160.0, bar.width()), 18.0), _LEFT, words
        )

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_of(self._time_s)
        painter.setPen(QPen(colour("accent" if self._running else "line_strong"), 1.5))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def _paint_trace(self, painter: QPainter, trace: list[TracePoint]) -> None:
        start_s, _ = self.span_s
        for match, points in _strokes(point for point in trace if point.time_s >= start_s):
            line = QPolygonF([QPointF(self.x_of(p.time_s), self.y_of(p.midi)) for p in points])
            pen = QPen(self._ink(match), _WIDTHS[match])
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPolyline(line)
        if self._running and trace and self._time_s - trace[-1].time_s < 0.25:
            head = QPointF(self.x_of(trace[-1].time_s), self.y_of(trace[-1].midi))
            painter.setPen(QPen(colour("surface"), 2.0))
            painter.setBrush(self._ink(trace[-1].match))
            painter.drawEllipse(head, 6.5, 6.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _ink(self, match: Match) -> QColor:
        return colour({"hit": "accent", "near": "accent", "off": "warning"}.get(match, "voice"))

    def _paint_hint(self, painter: QPainter, session: SingSession) -> None:
        if session.notes or session.trace or self._count:
            return
        words = text("sing.free_lane") if session.song is None else text("sing.no_melody")
        painter.setFont(scaled_font(FONT_SMALL + 2))
        painter.setPen(colour("text_soft"))
        painter.drawText(
            QRectF(self.rect()).adjusted(L, S, -L, -S),
            int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap),
            words,
        )

    def _paint_count(self, painter: QPainter) -> None:
        centre = QPointF(self.x_of(self._time_s), self.height() / 2.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("accent"))
        painter.drawEllipse(centre, 42.0, 42.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(colour("on_accent"))
        painter.setFont(scaled_font(42, bold=True, mono_digits=True))
        box = QRectF(centre.x() - 42, centre.y() - 42, 84, 84)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), str(self._count))


_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)


def _strokes(points: Iterable[TracePoint]) -> list[tuple[Match, list[TracePoint]]]:
    """Part the line where it breaks off, leaps or changes its meaning; strokes of a line touch."""
    strokes: list[tuple[Match, list[TracePoint]]] = []
    last: TracePoint | None = None
    for point in points:
        joined = (
            last is not None
            and point.time_s - last.time_s <= _GAP_S
            and abs(point.midi - last.midi) <= _LEAP_SEMITONES
        )
        if joined and strokes[-1][0] == point.match:
            strokes[-1][1].append(point)
        elif joined and last is not None:
            strokes.append((point.match, [last, point]))
        else:
            strokes.append((point.match, [point]))
        last = point
    return strokes
