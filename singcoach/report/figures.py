"""Shapes of the report's two figures as plain numbers, so that HTML and PDF draw the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.music import Note, Phrase, SongNote
from singcoach.core.scores import (
    DIMENSIONS,
    Dimension,
    DimensionScore,
    Evidence,
    Feedback,
    Scores,
)
from singcoach.core.take import Take

LONGEST_ROW_S = 24.0
SHORTEST_SCALE_S = 10.0
MARGIN_S = 0.4
LONGEST_GAP_S = 6.0
MOST_POINTS = 90_000
MOST_MOMENTS = 16

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the radar: unit direction (y down) and points at value, low and high."""

    dimension: Dimension
    direction: Point
    value: Point | None
    low: Point | None
    high: Point | None


def radar_axes(dimensions: Mapping[Dimension, DimensionScore], radius: float) -> tuple[Axis, ...]:
    """Place the scores on four axes around (0, 0); 5 lies at ``radius``, 0 in the middle."""
    axes = []
    for index, name in enumerate(DIMENSIONS):
        angle = 2 * math.pi * index / len(DIMENSIONS) - math.pi / 2
        direction = (math.cos(angle), math.sin(angle))
        score = dimensions[name]
        axes.append(
            Axis(
                dimension=name,
                direction=direction,
                value=_on_axis(direction, score.score, radius),
                low=_on_axis(direction, score.low, radius),
                high=_on_axis(direction, score.high, radius),
            )
        )
    return tuple(axes)


def _on_axis(direction: Point, value: float | None, radius: float) -> Point | None:
    if value is None:
        return None
    return (direction[0] * radius * value / 5, direction[1] * radius * value / 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One piece of evidence with the number it carries in the figures and the lists."""

    number: int
    dimension: Dimension
    evidence: Evidence


def moments(scores: Scores, feedback: Feedback | None = None) -> tuple[Moment, ...]:
    """Choose at most 16 pieces of evidence and number them from 1 in order of time.

    First come each dimension's strongest in either direction and those that the feedback's
    suggestions name, so that what the coach speaks of can be heard; then the strongest of the rest.
    """
    found = [(name, item) for name in DIMENSIONS for item in scores.dimensions[name].evidence]
    wanted = {i for s in (feedback.suggestions if feedback else ()) for i in s.evidence[:2]}
    for name in DIMENSIONS:
        for side in (1, -1):
            items = [e for e in scores.dimensions[name].evidence if e.effect * side > 0]
            strongest = max(items, key=lambda e: (abs(e.effect), -e.start_s), default=None)
            if strongest is not None:
                wanted.add(strongest.id)
    found.sort(
        key=lambda pair: (
            pair[1].id not in wanted,
            -abs(pair[1].effect),
            pair[1].start_s,
            pair[1].id,
        )
    )
    chosen = sorted(
        found[:MOST_MOMENTS], key=lambda pair: (pair[1].start_s, pair[1].end_s, pair[1].id)
    )
    return tuple(
        Moment(number=number, dimension=name, evidence=item)
        for number, (name, item) in enumerate(chosen, start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchRow:
    """One line of the pitch figure.

    ``segments`` are runs of voiced frames as arrays ``(n, 2)`` of seconds and MIDI pitch
    (fractional), inside ``low_midi``..``high_midi``.
    """

    start_s: float
    end_s: float
    low_midi: int
    high_midi: int
    segments: tuple[RealArray, ...]
    notes: tuple[Note, ...]
    song_notes: tuple[SongNote, ...]
    phrases: tuple[Phrase, ...]
    moments: tuple[Moment, ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


def pitch_rows(take: Take, marks: Sequence[Moment] = ()) -> tuple[PitchRow, ...]:
    """Cut the pitch line into rows of at most 24 s that begin and end between phrases.

    Long stretches without singing are left out. Empty when nothing was voiced.
    """
    times_s = np.asarray(take.pitch.times_s, dtype=np.float64)
    f0_hz = np.asarray(take.pitch.f0_hz, dtype=np.float64)
    voiced = np.isfinite(f0_hz) & (f0_hz > 0)
    if not voiced.any():
        return ()
    midi = np.full(f0_hz.shape, np.nan)
    midi[voiced] = 69 + 12 * np.log2(f0_hz[voiced] / 440)
    step = max(1, math.ceil(int(voiced.sum()) / MOST_POINTS))
    bounds = _balanced_bounds(_spans(take, times_s, voiced))
    written = _written_notes(take)
    rows = (
        _row(take, written, marks, start_s, end_s, times_s, midi, step) for start_s, end_s in bounds
    )
    return tuple(row for row in rows if row is not None)


def _spans(take: Take, times_s: RealArray, voiced: BoolArray) -> list[tuple[float, float]]:
    """Stretches that should not be cut: the phrases, or voiced runs where there are none."""
    if take.phrases:
        return sorted((phrase.start_s, phrase.end_s) for phrase in take.phrases)
    spans: list[tuple[float, float]] = []
    for time_s in times_s[voiced]:
        if spans and time_s - spans[-1][1] < 0.5:
            spans[-1] = (spans[-1][0], float(time_s))
        else:
            spans.append((float(time_s), float(time_s) + take.pitch.hop_s))
    return spans


def _balanced_bounds(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Rows as even as they get without needing more of them."""
    bounds = _row_bounds(spans, LONGEST_ROW_S)
    longest_s = LONGEST_ROW_S - 1
    while longest_s >= SHORTEST_SCALE_S:
        shorter = _row_bounds(spans, longest_s)
        if len(shorter) > len(bounds):
            break
        bounds = shorter
        longest_s -= 1
    return bounds


def _row_bounds(
    spans: Sequence[tuple[float, float]], longest_s: float
) -> list[tuple[float, float]]:
    bounds: list[tuple[float, float]] = []
    for start_s, end_s in spans:
        while end_s - start_s > longest_s:
            bounds.append((start_s, start_s + longest_s))
            start_s += longest_s
        if (
            bounds
            and end_s - bounds[-1][0] <= longest_s
            and start_s - bounds[-1][1] <= LONGEST_GAP_S
        ):
            bounds[-1] = (bounds[-1][0], max(bounds[-1][1], end_s))
        else:
            bounds.append((start_s, end_s))
    wide: list[tuple[float, float]] = []
    for index, (start_s, end_s) in enumerate(bounds):
        floor_s = wide[-1][1] if wide else 0.0
        following_s = bounds[index + 1][0] if index + 1 < len(bounds) else math.inf
        wide.append(
            (
                min(start_s, max(floor_s, start_s - MARGIN_S)),
                min(end_s + MARGIN_S, max(end_s, (end_s + following_s) / 2)),
            )
        )
    return wide


def _written_notes(take: Take) -> tuple[SongNote, ...]:
    """Notes of the written song, moved by whole octaves to where the singer sings."""
    if take.song is None:
        return ()
    pitched = tuple(n for n in take.song.notes if n.kind in {"normal", "golden"})
    if not pitched or not take.notes:
        return pitched
    distance = np.median([n.midi for n in take.notes]) - np.median([n.midi for n in pitched])
    shift = 12 * round(float(distance) / 12)
    return tuple(replace(n, midi=n.midi + shift) for n in pitched)


def _row(
    take: Take,
    written: Sequence[SongNote],
    marks: Sequence[Moment],
    start_s: float,
    end_s: float,
    times_s: RealArray,
    midi: RealArray,
    step: int,
) -> PitchRow | None:
    inside = slice(*np.searchsorted(times_s, (start_s, end_s)))
    row_times_s, row_midi = times_s[inside], midi[inside]
    known = row_midi[np.isfinite(row_midi)]
    if known.size == 0:
        return None
    notes = tuple(n for n in take.notes if n.offset_s > start_s and n.onset_s < end_s)
    song_notes = tuple(n for n in written if n.offset_s > start_s and n.onset_s < end_s)
    low_midi, high_midi = _pitch_range(known, [float(n.midi) for n in notes])
    return PitchRow(
        start_s=start_s,
        end_s=end_s,
        low_midi=low_midi,
        high_midi=high_midi,
        segments=_segments(row_times_s, row_midi, low_midi, high_midi, step, take.pitch.hop_s),
        notes=tuple(n for n in notes if low_midi <= n.midi <= high_midi),
        song_notes=tuple(n for n in song_notes if low_midi <= n.midi <= high_midi),
        phrases=tuple(p for p in take.phrases if p.end_s > start_s and p.start_s < end_s),
        moments=tuple(
            m for m in marks if m.evidence.end_s > start_s and m.evidence.start_s < end_s
        ),
    )


def _pitch_range(midi: RealArray, note_midi: Sequence[float]) -> tuple[int, int]:
    """Range that holds all but the outermost frames, at least 10 and at most 30 semitones."""
    low, high = np.percentile(midi, (1.5, 98.5))
    if note_midi:
        within = [m for m in note_midi if low - 7 <= m <= high + 7]
        low, high = min([low, *within]), max([high, *within])
    low_midi, high_midi = math.floor(low) - 1, math.ceil(high) + 1
    missing = 10 - (high_midi - low_midi)
    if missing > 0:
        low_midi -= (missing + 1) // 2
        high_midi += missing // 2
    if high_midi - low_midi > 30:
        middle = int(np.median(midi))
        low_midi, high_midi = middle - 15, middle + 15
    return low_midi, high_midi


def _segments(
    times_s: RealArray,
    midi: RealArray,
    low_midi: int,
    high_midi: int,
    step: int,
    hop_s: float,
) -> tuple[RealArray, ...]:
    keep = np.isfinite(midi) & (midi >= low_midi) & (midi <= high_midi)
    index = np.flatnonzero(keep)
    if index.size == 0:
        return ()
    jump = np.abs(np.diff(midi[index])) > 5  # an octave slip is no line to draw
    gap = np.diff(times_s[index]) > 1.6 * hop_s
    runs = np.split(index, np.flatnonzero(jump | gap) + 1)
    segments = []
    for run in runs:
        if run.size < 2:
            continue
        chosen = run[::step] if step > 1 else run
        if chosen[-1] != run[-1]:
            chosen = np.append(chosen, run[-1])
        segments.append(np.stack((times_s[chosen], midi[chosen]), axis=1))
    return tuple(segments)
