"""The report's figures drawn on a PDF canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.platypus.flowables import Flowable

from singcoach.core.scores import Dimension, DimensionScore
from singcoach.core.wording import clock
from singcoach.report.figures import PitchRow, Point, radar_axes
from singcoach.report.pdf_fonts import runs
from singcoach.report.svg import IN_TUNE_CENTS
from singcoach.report.wording import ReportWords, note_name

INK = HexColor("#20242c")
SOFT = HexColor("#5a6270")
LINE = HexColor("#d8d3c8")
GRID = HexColor("#e9e5dd")
ACCENT = HexColor("#0072b2")
UP = HexColor("#00735a")
DOWN = HexColor("#b34700")
_NOTE = HexColor("#b9d9ee")
_FLAT = HexColor("#f2b98c")
_SHARP = HexColor("#d9a3c2")
_SHARP_INK = HexColor("#93447a")
_NATURAL = {0, 2, 4, 5, 7, 9, 11}


def _wash(color: Any, alpha: float) -> Color:
    return Color(color.red, color.green, color.blue, alpha=alpha)


def draw_text(
    canvas: Any,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    color: Any = INK,
    bold: bool = False,
    align: str = "left",
    language: str = "en",
) -> None:
    """Write one line with a font for each character; ``align`` is left, center or right."""
    pieces = runs(text, bold=bold, language=language)
    width = sum(canvas.stringWidth(stretch, name, size) for name, stretch in pieces)
    x -= {"left": 0.0, "center": width / 2, "right": width}[align]
    canvas.setFillColor(color)
    for name, stretch in pieces:
        canvas.setFont(name, size)
        canvas.drawString(x, y, stretch)
        x += canvas.stringWidth(stretch, name, size)


class RadarFigure(Flowable):  # type: ignore[misc]
    """The radar chart: own values over their 80 % intervals."""

    def __init__(self, dimensions: Mapping[Dimension, DimensionScore], words: ReportWords) -> None:
        super().__init__()
        self._dimensions = dimensions
        self._words = words
        self.width, self.height = 240.0, 196.0
        self.hAlign = "CENTER"

    def wrap(self, *_: float) -> tuple[float, float]:
        """Size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw around the middle of the box."""
        canvas = self.canv
        radius = 68.0
        axes = radar_axes(self._dimensions, radius)
        canvas.saveState()
        canvas.translate(self.width / 2, self.height / 2)
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.5)
        for ring in range(1, 6):
            _polygon(canvas, [_at(axis.direction, radius * ring / 5) for axis in axes])
        for axis in axes:
            x, y = _at(axis.direction, radius)
            canvas.setDash(() if axis.value is not None else (2, 3))
            canvas.line(0, 0, x, y)
        canvas.setDash(())
        canvas.setStrokeColor(_wash(ACCENT, 0.28))
        canvas.setLineWidth(5)
        canvas.setLineCap(1)
        for axis in axes:
            if axis.low is not None and axis.high is not None:
                canvas.line(*_up(axis.low), *_up(axis.high))
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(1.6)
        for first, second in zip(axes, [*axes[1:], axes[0]], strict=True):
            if first.value is not None and second.value is not None:
                canvas.line(*_up(first.value), *_up(second.value))
        canvas.setFillColor(ACCENT)
        for axis in axes:
            if axis.value is not None:
                canvas.circle(*_up(axis.value), 3, stroke=0, fill=1)
        for ring in (1, 3, 5):
            draw_text(canvas, 3, radius * ring / 5 - 7, str(ring), size=6, color=SOFT)
        for axis in axes:
            self._label(axis.dimension, _at(axis.direction, radius + 8))
        canvas.restoreState()

    def _label(self, name: Dimension, place: Point) -> None:
        x, y = place
        score = self._dimensions[name].score
        words = self._words
        value = words.say("not_scored") if score is None else words.score(score)

        def write(line: str, base: float, align: str, *, strong: bool = False) -> None:
            draw_text(
                self.canv, x, base, line, size=8.5 if strong else 8,
                color=ACCENT if strong else INK, bold=strong, align=align, language=words.language,
            )  # fmt: skip

        if abs(x) < 1:
            base = y + 12 if y > 0 else y - 8
            write(words.dimension(name), base, "center")
            write(value, base - 10, "center", strong=True)
            return
        align = "left" if x > 0 else "right"
        lines = words.axes[name]
        for number, line in enumerate(lines):
            write(line, 8 - 9 * number, align)
        write(value, -2 - 9 * (len(lines) - 1), align, strong=True)


class ScaleFigure(Flowable):  # type: ignore[misc]
    """A score on its scale from 1 to 5 with its range."""

    def __init__(self, score: float, low: float, high: float, *, width: float) -> None:
        super().__init__()
        self._score, self._low, self._high = score, low, high
        self.width, self.height = width, 10.0

    def wrap(self, *_: float) -> tuple[float, float]:
        """Size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw the track, the range and the value."""
        canvas = self.canv

        def x_of(value: float) -> float:
            return 4 + (value - 1) / 4 * (self.width - 8)

        canvas.setLineCap(1)
        canvas.setLineWidth(3.5)
        canvas.setStrokeColor(GRID)
        canvas.line(x_of(1), 5, x_of(5), 5)
        canvas.setStrokeColor(_wash(ACCENT, 0.4))
        canvas.line(x_of(self._low), 5, x_of(self._high), 5)
        canvas.setFillColor(ACCENT)
        canvas.circle(x_of(self._score), 5, 3.2, stroke=0, fill=1)


class PitchFigure(Flowable):  # type: ignore[misc]
    """One row of the pitch line."""

    _left = 26.0
    _semitone = 5.2
    _head = 16.0
    _foot = 13.0

    def __init__(self, row: PitchRow, *, width: float, seconds: float) -> None:
        super().__init__()
        self._row = row
        self._scale = (width - self._left) / seconds
        self.width = width
        self._body = (row.high_midi - row.low_midi) * self._semitone
        self.height = self._head + self._body + self._foot

    def wrap(self, *_: float) -> tuple[float, float]:
        """Size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw grid, marks, notes, pitch."""
        self._grid()
        canvas, row = self.canv, self._row
        top = self._foot + self._body
        for moment in row.moments:
            x1, x2 = self._x(moment.evidence.start_s), self._x(moment.evidence.end_s)
            canvas.setFillColor(_wash(UP if moment.evidence.effect >= 0 else DOWN, 0.13))
            canvas.rect(x1, self._foot, max(1.0, x2 - x1), self._body, stroke=0, fill=1)
        canvas.setStrokeColor(SOFT)
        canvas.setLineWidth(0.8)
        for phrase in row.phrases:
            x1, x2 = self._x(phrase.start_s), self._x(phrase.end_s)
            canvas.lines(
                [(x1, top + 2, x2, top + 2), (x1, top, x1, top + 2), (x2, top, x2, top + 2)]
            )
        canvas.setDash((2, 1.5))
        canvas.setLineWidth(0.6)
        for written in row.song_notes:
            x1, x2 = self._x(written.onset_s), self._x(written.offset_s)
            canvas.roundRect(x1, self._y(written.midi) - 3.2, max(1.0, x2 - x1), 6.4, 1.5)
        canvas.setDash(())
        self._notes()
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(0.9)
        canvas.setLineJoin(1)
        for segment in row.segments:
            path = canvas.beginPath()
            for index, (time_s, midi) in enumerate(segment.tolist()):
                step = path.moveTo if index == 0 else path.lineTo
                step(round(self._x(time_s), 2), round(self._y(midi), 2))
            canvas.drawPath(path)
        last = -100.0
        for moment in row.moments:
            x = max(self._x(moment.evidence.start_s) + 5, last + 12)
            last = x
            canvas.setFillColor(UP if moment.evidence.effect >= 0 else DOWN)
            canvas.circle(x, top + 9, 5, stroke=0, fill=1)
            draw_text(
                canvas, x, top + 6.8, str(moment.number), size=6, color=HexColor("#ffffff"),
                bold=True, align="center",
            )  # fmt: skip

    def _x(self, time_s: float) -> float:
        row = self._row
        return self._left + (min(max(time_s, row.start_s), row.end_s) - row.start_s) * self._scale

    def _y(self, midi: float) -> float:
        return self._foot + (midi - self._row.low_midi) * self._semitone

    def _notes(self) -> None:
        canvas = self.canv
        for note in self._row.notes:
            x1, x2 = self._x(note.onset_s), self._x(note.offset_s)
            y = self._y(note.midi)
            flat = note.cents_deviation < -IN_TUNE_CENTS
            sharp = note.cents_deviation > IN_TUNE_CENTS
            canvas.setFillColor(_FLAT if flat else _SHARP if sharp else _NOTE)
            canvas.roundRect(x1, y - 2.3, max(1.0, x2 - x1), 4.6, 1.2, stroke=0, fill=1)
            if flat or sharp:
                side = 1 if sharp else -1
                path = canvas.beginPath()
                middle = (x1 + x2) / 2
                path.moveTo(middle - 2.2, y + side * 3.4)
                path.lineTo(middle + 2.2, y + side * 3.4)
                path.lineTo(middle, y + side * 6.6)
                path.close()
                canvas.setFillColor(_SHARP_INK if sharp else DOWN)
                canvas.drawPath(path, stroke=0, fill=1)

    def _grid(self) -> None:
        canvas, row = self.canv, self._row
        right = self._x(row.end_s)
        canvas.setLineWidth(0.4)
        for midi in range(row.low_midi, row.high_midi + 1):
            y = self._y(midi)
            if midi % 12 in _NATURAL:
                canvas.setStrokeColor(LINE if midi % 12 == 0 else GRID)
                canvas.line(self._left, y, right, y)
            if midi % 12 in {0, 4, 7, 9} and row.low_midi < midi < row.high_midi:
                draw_text(
                    canvas,
                    self._left - 4,
                    y - 2,
                    note_name(midi),
                    size=6,
                    color=SOFT,
                    align="right",
                )
        canvas.setStrokeColor(GRID)
        for second in range(int(row.start_s) + 1, int(row.end_s) + 1):
            if second % 2:
                continue
            x = self._x(second)
            canvas.line(x, self._foot, x, self._foot + self._body)
            if x + 8 < right:
                draw_text(canvas, x, 4, clock(second), size=6, color=SOFT, align="center")


def _at(direction: Point, length: float) -> Point:
    return (direction[0] * length, -direction[1] * length)


def _up(point: Point) -> Point:
    return (point[0], -point[1])


def _polygon(canvas: Any, corners: Sequence[Point]) -> None:
    path = canvas.beginPath()
    path.moveTo(*corners[0])
    for corner in corners[1:]:
        path.lineTo(*corner)
    path.close()
    canvas.drawPath(path)
