"""The shape of one note: scoop at its start, drift along it, steadiness; glides set apart.

Vibrato and slow drift are intended or separate matters, so each measure is taken after the other
movements are removed: expressive singing must not count as unsteady.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.pitch.contour import without_vibrato
from singcoach.pitch.frames import hz_to_cents

# Pairs are the ends of a ramp: no single frame, and no cent, decides whether a note counts.
MOVING_CENTS_PER_S = (300.0, 500.0)
"""Faster movement of the vibrato-free line at an edge is part of a transition. Transitions between
sung notes run at 600 to 4000 cents/s (Sundberg 1987, The Science of the Singing Voice, ch. 7)."""
AWAY_CENTS = (35.0, 65.0)
"""An edge also lasts as long as the line is still half a semitone away from the note."""
SPEED_FRAMES = 2
SLIDE_CENTS_PER_S = (150.0, 250.0)
SLIDE_CENTS = (60.0, 90.0)
MIN_BODY_S = 0.12
TREND_S = (0.18, 0.32)
MIN_SCOOP_CENTS = 30.0
SCOOP_WINDOW_S = 0.3
ARRIVAL_CENTS = 15.0
LEGATO_GAP_S = 0.06
MIN_LEGATO_CENTS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShape:
    """Measures of one note; None where the note does not allow the measurement.

    Attributes
    ----------
    scoop_cents
        How far below its own height the note begins, 0 when it begins there or above it; None when
        the voice comes up from a lower note without a break, which is a transition.
    scoop_s
        Time from the onset until the height is reached (0 without a scoop).
    drift_cents_per_s
        Slope of the note's body, positive = rising.
    steadiness_cents
        Standard deviation of the body after vibrato and slope are removed; small = steady.
    glide
        True when the note is a slide: it never settles, or its body keeps moving one way by more
        than 80 cents.
    trust
        How surely the note has a body long enough for drift and steadiness, and is no slide: 0..1,
        the weight these two deserve. They are None at 0.
    """

    scoop_cents: float | None
    scoop_s: float | None
    drift_cents_per_s: float | None
    steadiness_cents: float | None
    glide: bool
    trust: float


def measure_shapes(notes: Sequence[Note], pitch: PitchTrack) -> tuple[NoteShape, ...]:
    """Return the shape of every note, in the order of ``notes`` (which is that of their onsets)."""
    cents = hz_to_cents(pitch.f0_hz)
    shapes = []
    previous: Note | None = None
    for note in notes:
        contour = note_contour(note, cents, times_s=pitch.times_s)
        shapes.append(
            measure_shape(contour, hop_s=pitch.hop_s, from_below=_comes_from_below(note, previous))
        )
        previous = note
    return tuple(shapes)


def note_contour(note: Note, cents: RealArray, *, times_s: RealArray) -> RealArray:
    """Return the note's frames of a whole take's heights in cents, gaps filled by straight lines.

    Empty when no frame of the note is voiced.
    """
    start, end = np.searchsorted(times_s, (note.onset_s - 1e-6, note.offset_s + 1e-6))
    piece = cents[start:end]
    known = np.flatnonzero(~np.isnan(piece))
    if known.size == 0:
        return np.empty(0)
    inside = np.arange(known[0], known[-1] + 1)
    return np.asarray(np.interp(inside, known, piece[known]), dtype=np.float64)


def measure_shape(cents: RealArray, *, hop_s: float, from_below: bool = False) -> NoteShape:
    """Return the shape of one note.

    The body is what remains between the fast movement at both edges. Its height is the median of
    its vibrato-free line. A scoop is a start at least 30 cents below that height which reaches it
    (to 15 cents) within 0.3 s. Drift is the Theil-Sen slope of the body (Sen 1968), which a bent
    end does not move; steadiness is what the vibrato-free line leaves around that slope.

    Parameters
    ----------
    cents
        Contour of the note without gaps, shape ``(n_frames,)``.
    hop_s
        Distance between frames in seconds.
    from_below
        Whether the voice came from a lower note without a break.

    Raises
    ------
    ValueError
        When the contour holds NaN.
    """
    if not np.isfinite(cents).all():
        raise ValueError("cents holds NaN; pass the voiced frames of one note")
    line = without_vibrato(cents, hop_s=hop_s)
    weight = _body(line, hop_s=hop_s)
    length_s = float(weight.sum()) * hop_s
    inside = np.flatnonzero(weight >= 0.5)
    if length_s < MIN_BODY_S or inside.size < 4:
        return NoteShape(
            scoop_cents=None,
            scoop_s=None,
            drift_cents_per_s=None,
            steadiness_cents=None,
            glide=cents.size * hop_s >= 2.0 * MIN_BODY_S,
            trust=0.0,
        )
    body = line[inside[0] : inside[-1] + 1]
    slope = _theil_sen(body) / hop_s
    # Over the whole note: its edges are cut off the body where the slide itself carries them away.
    moved = abs(slope) * line.size * hop_s
    sliding = min(_ramp(abs(slope), SLIDE_CENTS_PER_S), _ramp(moved, SLIDE_CENTS))
    trust = _ramp(length_s, TREND_S) * (1.0 - sliding)
    glide = sliding >= 0.5
    scoop_cents: float | None = None
    scoop_s: float | None = None
    if not from_below and not glide:
        scoop_cents, scoop_s = _scoop(line, float(np.median(body)), hop_s=hop_s)
    drift: float | None = None
    steadiness: float | None = None
    if trust > 0.0:
        drift = slope
        residual = line - slope * hop_s * np.arange(line.size)
        middle = float(np.average(residual, weights=weight))
        steadiness = float(np.sqrt(np.average(np.square(residual - middle), weights=weight)))
    return NoteShape(
        scoop_cents=scoop_cents,
        scoop_s=scoop_s,
        drift_cents_per_s=drift,
        steadiness_cents=steadiness,
        glide=glide,
        trust=trust,
    )


def _ramp(value: float, ends: tuple[float, float]) -> float:
    """Return 0 up to the first end, 1 from the second on."""
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))


def _body(line: RealArray, *, hop_s: float) -> RealArray:
    """Return how far each frame lies between the fast movement at the edges, 0..1."""
    if line.size < 3:
        return np.ones(line.size)
    reach = min(SPEED_FRAMES, (line.size - 1) // 2)
    frames = np.arange(line.size)
    before, after = np.maximum(frames - reach, 0), np.minimum(frames + reach, line.size - 1)
    speed = np.abs(line[after] - line[before]) / ((after - before) * hop_s)
    away = np.abs(line - float(np.median(line)))
    settled = np.minimum(
        1.0 - np.interp(speed, MOVING_CENTS_PER_S, (0.0, 1.0)),
        1.0 - np.interp(away, AWAY_CENTS, (0.0, 1.0)),
    )
    # Only the edges are left out: what moves in the middle of a note is unsteadiness.
    from_start = np.maximum.accumulate(settled)
    from_end = np.maximum.accumulate(settled[::-1])[::-1]
    return np.asarray(np.minimum(from_start, from_end), dtype=np.float64)


def _scoop(line: RealArray, height: float, *, hop_s: float) -> tuple[float, float]:
    window = line[: max(1, round(SCOOP_WINDOW_S / hop_s))]
    arrived = np.flatnonzero(window >= height - ARRIVAL_CENTS)
    if arrived.size == 0 or arrived[0] == 0:
        return 0.0, 0.0
    below = height - float(window[: arrived[0]].min())
    if below < MIN_SCOOP_CENTS:
        return 0.0, 0.0
    return below, float(arrived[0]) * hop_s


def _theil_sen(values: RealArray) -> float:
    """Return the median slope per frame over all pairs at least a third of the length apart."""
    # Long notes are thinned: 200 points keep the pairs few and the slope as exact.
    step = max(1, values.size // 200)
    thin = values[::step]
    apart = max(1, thin.size // 3)
    first, second = np.triu_indices(thin.size, apart)
    return float(np.median((thin[second] - thin[first]) / ((second - first) * step)))


def _comes_from_below(note: Note, previous: Note | None) -> bool:
    if previous is None or note.onset_s - previous.offset_s > LEGATO_GAP_S:
        return False
    rise = 100.0 * (note.midi - previous.midi) + note.cents_deviation - previous.cents_deviation
    return rise >= MIN_LEGATO_CENTS
