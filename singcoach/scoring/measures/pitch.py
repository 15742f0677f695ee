"""Intonation: own scale, tuning, the backing's key, steadiness and drift of notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Key, Note
from singcoach.pitch.shape import NoteShape
from singcoach.scoring.contour import NoteContour
from singcoach.scoring.reading import Reading, make_reading, weighted_mean

_BINS = 120
_BIN_CENTS = 10.0
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10, 11)
_LEAST_S = 2.0


def _scale_cost(degrees: Sequence[int]) -> RealArray:
    """Distance of each 10-cent bin of the octave to the nearest degree, shape ``(120,)``."""
    bins = np.arange(_BINS) * _BIN_CENTS
    away = np.abs(bins[:, None] - 100.0 * np.asarray(degrees, dtype=np.float64))
    return np.asarray(np.minimum(away, 1200.0 - away).min(axis=1))


def _scale_table() -> RealArray:
    """Squared distances from 12 diatonic scales at five tunings within 20 cents, ``(120, 60)``."""
    base = np.square(_scale_cost(_MAJOR))
    shifts = [10 * tonic + fine for tonic in range(12) for fine in (-2, -1, 0, 1, 2)]
    return np.stack([np.roll(base, shift) for shift in shifts], axis=1)


_TABLE = _scale_table()


def _nearest_scale(sums: RealArray) -> RealArray:
    seconds = sums.sum(axis=1)
    ok = seconds > _LEAST_S
    cost = (sums @ _TABLE).min(axis=1)
    return np.where(ok, np.sqrt(cost / np.where(ok, seconds, 1.0)), np.nan)


def scale_deviation(contours: Sequence[NoteContour], *, hop_s: float) -> Reading:
    """Distance in cents (root mean square) of the vibrato-free pitch from the best diatonic scale.

    The scale (12 tonics) and its tuning are the take's own, found with the measure; relative
    minors share it. Without a reference melody this is the most transferable intonation measure
    (compare the tuning features of Nichols et al. 2012). Squares, since one note far off is heard
    more than many a little off. Tunings come from the notes within 20 s of each note, so a slow
    drift costs nothing. NaN below 2 s of notes.
    """
    histograms = np.zeros((len(contours), _BINS))
    for row, contour in enumerate(contours):
        relative = contour.smooth_cents[contour.core] - contour.tuning_cents
        places = np.round(relative / _BIN_CENTS).astype(np.int64) % _BINS
        histograms[row] = np.bincount(places, minlength=_BINS) * hop_s
    shown = np.zeros(len(contours))
    if len(contours):
        best = int((histograms.sum(axis=0) @ _TABLE).argmin())
        shown = np.sqrt((histograms @ _TABLE[:, best]) / histograms.sum(axis=1))
    return make_reading(
        "scale_deviation",
        spans_s=[c.span_s for c in contours],
        stats=histograms,
        shown=shown,
        finish=_nearest_scale,
    )


def _resultant(sums: RealArray) -> RealArray:
    ok = sums[:, 0] > _LEAST_S
    return np.where(ok, np.hypot(sums[:, 1], sums[:, 2]) / np.where(ok, sums[:, 0], 1.0), np.nan)


def tuning_concentration(contours: Sequence[NoteContour], *, hop_s: float) -> Reading:
    """How closely the pitch keeps to one semitone grid, 0..1 (length of the mean phase vector).

    1 = every frame at the same distance from the equal-tempered grid; 0 = spread evenly.
    The item's own value is its distance from the grid in cents (absolute). NaN below 2 s.
    """
    stats, shown = [], []
    for contour in contours:
        relative = contour.smooth_cents[contour.core] - contour.tuning_cents
        phasor = np.exp(2j * np.pi * relative / 100.0).sum() * hop_s
        stats.append(np.array([len(relative) * hop_s, phasor.real, phasor.imag]))
        middle = float(np.median(relative))
        shown.append(abs(middle - 100.0 * round(middle / 100.0)))
    return make_reading(
        "tuning_concentration",
        spans_s=[c.span_s for c in contours],
        stats=stats,
        shown=shown,
        finish=_resultant,
    )


def backing_key_deviation(
    contours: Sequence[NoteContour], *, key: Key | None, hop_s: float
) -> Reading:
    """Mean distance in cents of the vibrato-free pitch from the scale of the backing's key.

    Tuning and scale are the accompaniment's, octaves do not matter. Minor allows the raised
    seventh. Empty without a key.
    """
    if key is None:
        return make_reading(
            "backing_key_deviation", spans_s=[], stats=[], shown=[], finish=weighted_mean
        )
    cost = _scale_cost(_MAJOR if key.mode == "major" else _MINOR)
    # A4 (0 cents of a contour) is pitch class 9.
    offset = 900.0 - 100.0 * key.tonic - key.tuning_cents
    stats, shown = [], []
    for contour in contours:
        relative = contour.smooth_cents[contour.core] + offset
        away = cost[np.round(relative / _BIN_CENTS).astype(np.int64) % _BINS]
        stats.append(np.array([len(away) * hop_s, float(away.sum()) * hop_s]))
        shown.append(float(away.mean()))
    return make_reading(
        "backing_key_deviation",
        spans_s=[c.span_s for c in contours],
        stats=stats,
        shown=shown,
        finish=weighted_mean,
    )


def note_drift(
    contours: Sequence[NoteContour], notes: Sequence[Note], shapes: Sequence[NoteShape]
) -> Reading:
    """Drift from the start to the end of a note in cents (shown signed; positive = upwards).

    Straight line through the vibrato-free core, over the length of the core; clipped at 100 cents,
    weighted by duration and by how surely the note has a body of its own and is no slide
    (``NoteShape.trust``).
    """
    trust = {note.onset_s: shape.trust for note, shape in zip(notes, shapes, strict=True)}
    spans, stats, shown = [], [], []
    for contour in contours:
        y = contour.smooth_cents[contour.core]
        held_s = contour.held_s * trust.get(contour.note.onset_s, 0.0)
        if held_s <= 0.0 or len(y) < 6:
            continue
        x = np.arange(len(y)) - (len(y) - 1) / 2.0
        slope = float((x * (y - y.mean())).sum() / np.square(x).sum())
        drift = float(np.clip(slope * (len(y) - 1), -100.0, 100.0))
        spans.append(contour.span_s)
        stats.append(np.array([held_s, held_s * abs(drift)]))
        shown.append(drift)
    return make_reading("note_drift", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean)


def pitch_unsteadiness(notes: Sequence[Note], shapes: Sequence[NoteShape]) -> Reading:
    """Unsteadiness of notes in cents: what is left after vibrato and drift are removed.

    Vibrato is taken off first, so it is not punished (a fault that singers know from karaoke
    machines). Clipped at 60 cents, weighted by duration and by ``NoteShape.trust``: slides do not
    count.
    """
    spans, stats, shown = [], [], []
    for note, shape in zip(notes, shapes, strict=True):
        if shape.steadiness_cents is None:
            continue
        wobble = min(60.0, shape.steadiness_cents)
        weight = note.duration_s * shape.trust
        spans.append((note.onset_s, note.offset_s))
        stats.append(np.array([weight, weight * wobble]))
        shown.append(wobble)
    return make_reading(
        "pitch_unsteadiness", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def pitch_wander(contours: Sequence[NoteContour]) -> Reading:
    """How far the vibrato-free pitch wanders within a note, in cents (5th to 95th percentile).

    Slides, bends, drift and unsteadiness together: whether a note is one pitch (Larrouy-Maestri et
    al. 2013: modulations within tones). The first and last 50 ms do not count and vibrato is taken
    off, so ornament costs little. Clipped at 150 cents, weighted by duration.
    """
    spans, stats, shown = [], [], []
    for contour in contours:
        low, high = np.percentile(contour.smooth_cents[contour.core], (5.0, 95.0))
        wander = min(150.0, float(high - low))
        spans.append(contour.span_s)
        stats.append(np.array([contour.held_s, contour.held_s * wander]))
        shown.append(wander)
    return make_reading(
        "pitch_wander", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def scoop_depth(notes: Sequence[Note], shapes: Sequence[NoteShape]) -> Reading:
    """Mean depth in cents of scoops into notes, over all notes that could have one.

    Describes style: scoops are ornament as often as fault, so no head uses it.
    """
    spans, stats, shown = [], [], []
    for note, shape in zip(notes, shapes, strict=True):
        if shape.scoop_cents is None:
            continue
        depth = min(300.0, shape.scoop_cents)
        spans.append((note.onset_s, note.offset_s))
        stats.append(np.array([1.0, depth]))
        shown.append(depth)
    return make_reading(
        "scoop_depth", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def distinct_pitch_classes(contours: Sequence[NoteContour]) -> int:
    """Number of different notes (octaves apart count as one) that fill 3 % of the sung time."""
    if not contours:
        return 0
    classes = np.array(
        [
            round((float(np.median(c.smooth_cents[c.core])) - c.tuning_cents) / 100.0) % 12
            for c in contours
        ]
    )
    held = np.bincount(classes, weights=[c.held_s for c in contours], minlength=12)
    return int((held > 0.03 * held.sum()).sum())
