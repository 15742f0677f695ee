"""The two figures of the HTML report as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from singcoach.core.scores import Dimension, DimensionScore
from singcoach.core.wording import clock
from singcoach.report.figures import Axis, PitchRow, Point, radar_axes
from singcoach.report.wording import ReportWords, note_name

ROW_WIDTH = 1000.0
SEMITONE_HEIGHT = 9.0
AXIS_WIDTH = 44.0
HEAD_HEIGHT = 26.0
FOOT_HEIGHT = 22.0
IN_TUNE_CENTS = 25.0

_Place = Callable[[float], float]
_NATURAL = {0, 2, 4, 5, 7, 9, 11}


def radar_svg(dimensions: Mapping[Dimension, DimensionScore], words: ReportWords) -> str:
    """Draw the radar chart: own value over its 80 % interval; empty when nothing was scored."""
    axes = radar_axes(dimensions, 100.0)
    if all(axis.value is None for axis in axes):
        return ""
    described = "; ".join(_score_sentence(name, score, words) for name, score in dimensions.items())
    parts = [
        '<svg class="radar" viewBox="-184 -142 368 284" role="img" '
        'aria-labelledby="radar-title radar-desc">',
        f'<title id="radar-title">{escape(words.say("radar_title"))}</title>',
        f'<desc id="radar-desc">{escape(described)}</desc>',
    ]
    for ring in range(1, 6):
        corners = [_scaled(axis.direction, 20.0 * ring) for axis in axes]
        parts.append(f'<polygon class="ring" points="{_points(corners)}"/>')
    for axis in axes:
        x, y = _scaled(axis.direction, 100.0)
        kind = "spoke" if axis.value is not None else "spoke missing"
        parts.append(f'<line class="{kind}" x1="0" y1="0" x2="{_n(x)}" y2="{_n(y)}"/>')
    parts += _radar_shape(axes)
    for ring in (1, 3, 5):
        parts.append(f'<text class="tick" x="4" y="{_n(-20.0 * ring + 9)}">{ring}</text>')
    parts += [_radar_label(axis, dimensions[axis.dimension], words) for axis in axes]
    parts.append("</svg>")
    return "".join(parts)


def _radar_shape(axes: Sequence[Axis]) -> list[str]:
    parts = []
    values = [axis.value for axis in axes if axis.value is not None]
    lows = [axis.low for axis in axes if axis.low is not None]
    highs = [axis.high for axis in axes if axis.high is not None]
    if len(lows) == len(highs) == len(axes):
        path = f"M{_points(highs)}Z M{_points(lows[::-1])}Z"
        parts.append(f'<path class="band" fill-rule="evenodd" d="{path}"/>')
    for axis in axes:
        if axis.low is not None and axis.high is not None:
            (x1, y1), (x2, y2) = axis.low, axis.high
            parts.append(
                f'<line class="whisker" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'
            )
    if len(values) == len(axes):
        parts.append(f'<polygon class="value" points="{_points(values)}"/>')
    else:  # connect neighbours only, so that no line runs through an axis without a score
        for first, second in zip(axes, [*axes[1:], axes[0]], strict=True):
            if first.value is not None and second.value is not None:
                ends = _points([first.value, second.value])
                parts.append(f'<polyline class="value" points="{ends}"/>')
    parts += [f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="4.5"/>' for x, y in values]
    return parts


def _radar_label(axis: Axis, score: DimensionScore, words: ReportWords) -> str:
    x, y = _scaled(axis.direction, 112.0)
    anchor = "middle" if abs(x) < 1 else "start" if x > 0 else "end"
    value = words.say("not_scored") if score.score is None else words.score(score.score)
    if abs(x) < 1:
        y = y - 14 if y < 0 else y + 10
    else:
        y -= 12
    name = words.dimension(axis.dimension)
    lines = [name] if abs(x) < 1 else words.axes[axis.dimension]
    spans = "".join(
        f'<tspan x="{_n(x)}" dy="{0 if index == 0 else 14}">{escape(line)}</tspan>'
        for index, line in enumerate(lines)
    )
    return (
        f'<text class="axis" text-anchor="{anchor}" y="{_n(y)}">{spans}'
        f'<tspan class="axis-value" x="{_n(x)}" dy="15">{escape(value)}</tspan></text>'
    )


def _score_sentence(name: Dimension, score: DimensionScore, words: ReportWords) -> str:
    if score.score is None or score.low is None or score.high is None:
        return words.say("radar_unscored", name=words.dimension(name))
    return words.say(
        "radar_score",
        name=words.dimension(name),
        score=words.score(score.score),
        range=words.range(score.low, score.high),
    )


def pixels_per_second(rows: Sequence[PitchRow]) -> float:
    """Scale that all rows share: the longest fills the width."""
    return (ROW_WIDTH - AXIS_WIDTH) / max(10.0, *(row.duration_s for row in rows))


def row_title(row: PitchRow, words: ReportWords) -> str:
    """Say which seconds a row shows."""
    return words.say("pitch_row", start=clock(row.start_s), end=clock(row.end_s))


def pitch_row_svg(row: PitchRow, words: ReportWords, *, scale: float, number: int) -> str:
    """Draw one row of the pitch figure at ``scale`` pixels per second."""
    width = AXIS_WIDTH + row.duration_s * scale + 2
    body = (row.high_midi - row.low_midi) * SEMITONE_HEIGHT
    height = HEAD_HEIGHT + body + FOOT_HEIGHT
    title = row_title(row, words)

    def x_of(time_s: float) -> float:
        return AXIS_WIDTH + (min(max(time_s, row.start_s), row.end_s) - row.start_s) * scale

    def y_of(midi: float) -> float:
        return HEAD_HEIGHT + (row.high_midi - midi) * SEMITONE_HEIGHT

    parts = [
        f'<svg class="pitch" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-labelledby="row-{number}">',
        f'<title id="row-{number}">{escape(title)}</title>',
    ]
    parts += _grid(row, x_of, y_of, scale, height)
    for moment in row.moments:
        left, right = x_of(moment.evidence.start_s), x_of(moment.evidence.end_s)
        kind = "up" if moment.evidence.effect >= 0 else "down"
        parts.append(
            f'<rect class="mark {kind}" data-moment="{moment.number}" x="{_n(left)}" '
            f'y="{_n(HEAD_HEIGHT)}" width="{_n(max(2.0, right - left))}" height="{_n(body)}"/>'
        )
    for phrase in row.phrases:
        left, right = x_of(phrase.start_s), x_of(phrase.end_s)
        y = HEAD_HEIGHT - 3
        parts.append(f'<path class="phrase" d="M{_n(left)} {_n(y + 4)}V{_n(y)}H{_n(right)}v4"/>')
    for written in row.song_notes:
        left, right = x_of(written.onset_s), x_of(written.offset_s)
        parts.append(
            f'<rect class="target" x="{_n(left)}" y="{_n(y_of(written.midi) - 5.5)}" '
            f'width="{_n(max(2.0, right - left))}" height="11" rx="3"/>'
        )
    for note in row.notes:
        left, right = x_of(note.onset_s), x_of(note.offset_s)
        kind = _tune_class(note.cents_deviation)
        parts.append(
            f'<rect class="note {kind}" x="{_n(left)}" y="{_n(y_of(note.midi) - 4)}" '
            f'width="{_n(max(2.0, right - left))}" height="8" rx="2.5"/>'
        )
        if kind != "tuned":
            middle = (left + right) / 2
            parts.append(_arrow(middle, y_of(note.midi), up=kind == "sharp"))
    for segment in row.segments:
        path = " ".join(f"{_n(x_of(t))},{_n(y_of(m))}" for t, m in segment.tolist())
        parts.append(f'<polyline class="f0" points="{path}"/>')
    parts += _badges(row, words, x_of)
    parts.append("</svg>")
    return "".join(parts)


def _grid(row: PitchRow, x_of: _Place, y_of: _Place, scale: float, height: float) -> list[str]:
    right = AXIS_WIDTH + row.duration_s * scale
    parts = []
    for midi in range(row.low_midi, row.high_midi + 1):
        y = y_of(midi)
        if midi % 12 in _NATURAL:
            line = "grid c" if midi % 12 == 0 else "grid"
            parts.append(
                f'<line class="{line}" x1="{_n(AXIS_WIDTH)}" x2="{_n(right)}" '
                f'y1="{_n(y)}" y2="{_n(y)}"/>'
            )
        if midi % 12 in {0, 4, 7, 9} and row.low_midi < midi < row.high_midi:
            parts.append(
                f'<text class="name" x="{_n(AXIS_WIDTH - 7)}" y="{_n(y + 4)}">'
                f"{escape(note_name(midi))}</text>"
            )
    every = 2 if scale >= 30 else 5
    first = -(-int(row.start_s * 1000) // (every * 1000)) * every
    for second in range(first, int(row.end_s) + 1, every):
        if second < row.start_s:
            continue
        x = x_of(second)
        parts.append(
            f'<line class="second" x1="{_n(x)}" x2="{_n(x)}" y1="{_n(HEAD_HEIGHT)}" '
            f'y2="{_n(height - FOOT_HEIGHT)}"/>'
        )
        if x + 14 < right:
            parts.append(
                f'<text class="time" x="{_n(x)}" y="{_n(height - 6)}">{clock(second)}</text>'
            )
    return parts


def _badges(row: PitchRow, words: ReportWords, x_of: _Place) -> list[str]:
    parts = []
    last = -100.0
    for moment in row.moments:
        x = max(x_of(moment.evidence.start_s) + 9, last + 20)
        last = x
        kind = "up" if moment.evidence.effect >= 0 else "down"
        label = escape(words.say("moment", number=moment.number))
        parts.append(
            f'<a class="badge {kind}" href="#moment-{moment.number}" '
            f'aria-label="{label}"><circle cx="{_n(x)}" cy="11" r="9"/>'
            f'<text x="{_n(x)}" y="15">{moment.number}</text></a>'
        )
    return parts


def _tune_class(cents: float) -> str:
    if abs(cents) <= IN_TUNE_CENTS:
        return "tuned"
    return "sharp" if cents > 0 else "flat"


def _arrow(x: float, y: float, *, up: bool) -> str:
    y, tip = (y - 6, y - 12) if up else (y + 6, y + 12)
    return (
        f'<path class="arrow {"sharp" if up else "flat"}" '
        f'd="M{_n(x - 4)} {_n(y)}H{_n(x + 4)}L{_n(x)} {_n(tip)}Z"/>'
    )


def _scaled(direction: Point, length: float) -> Point:
    return (direction[0] * length, direction[1] * length)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    text = f"{value:.1f}"
    if text.endswith(".0"):
        text = text[:-2]
    return "0" if text == "-0" else text
