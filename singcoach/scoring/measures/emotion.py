"""Means of expression: dynamics, melody range and variety, contrast between phrases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.take import Take
from singcoach.scoring.contour import NoteContour, smooth
from singcoach.scoring.frames import PhraseFrames
from singcoach.scoring.reading import (
    Reading,
    histogram_span,
    make_reading,
    weighted_mean,
    weighted_spread,
)

_SLOW_S = 0.4
_LEVEL_BINS = 80
_PITCH_BINS = 192
_LOWEST_MIDI = 12.0


def dynamics_range(phrases: Sequence[PhraseFrames], *, hop_s: float) -> Reading:
    """Distance in dB between soft and loud singing (10th to 90th percentile of the slow level).

    Levels are smoothed over 0.4 s and taken relative to the take's own median: gain and a louder
    voice change nothing. NaN below 2 s of tone.
    """
    slow = [_slow_tone(frames) for frames in phrases]
    kept = [(frames, level) for frames, level in zip(phrases, slow, strict=True) if len(level)]
    middle = float(np.median(np.concatenate([level for _, level in kept]))) if kept else 0.0
    stats: list[RealArray] = []
    shown: list[float] = []
    for _, level in kept:
        places = np.clip(np.round(level - middle) + _LEVEL_BINS // 2, 0, _LEVEL_BINS - 1)
        counts = np.bincount(places.astype(np.int64), minlength=_LEVEL_BINS)
        stats.append(np.asarray(counts * hop_s, dtype=np.float64))
        shown.append(float(np.percentile(level, 90) - np.percentile(level, 10)))
    return make_reading(
        "dynamics_range",
        spans_s=[(f.phrase.start_s, f.phrase.end_s) for f, _ in kept],
        stats=stats,
        shown=shown,
        finish=lambda s: histogram_span(s, low=0.1, high=0.9, bin_width=1.0, least=2.0),
    )


def dynamics_in_phrases(phrases: Sequence[PhraseFrames]) -> Reading:
    """Swell inside phrases in dB: 10th to 90th percentile of the slow level, mean over phrases.

    The last 0.3 s of each phrase do not count, so that a plain fade-out is not taken for shaping.
    Phrases of 1.5 s and longer.
    """
    spans, stats, shown = [], [], []
    for frames in phrases:
        if frames.phrase.duration_s < 1.5:
            continue
        level = _slow_tone(frames, without_end_s=0.3)
        if len(level) < 16:
            continue
        swell = float(min(25.0, np.percentile(level, 90) - np.percentile(level, 10)))
        length = frames.phrase.duration_s
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(np.array([length, length * swell]))
        shown.append(swell)
    return make_reading(
        "dynamics_in_phrases", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def phrase_arch(phrases: Sequence[PhraseFrames]) -> Reading:
    """Height of the loudness arch of a phrase in dB: its middle over its ends.

    From a parabola through the slow level; negative where the middle sags; clipped at 20 dB.
    Phrases of 1.5 s and longer. Describes: growing towards the middle is a habit of performers
    (Todd 1992; Friberg et al. 2006, rule "phrase arch"), but the song decides where it fits.
    """
    return _shape_of("phrase_arch", phrases, _arch_db)


def phrase_peak(phrases: Sequence[PhraseFrames]) -> Reading:
    """Place of the loudest moment in a phrase, 0 = its start, 1 = its end. Describes.

    Phrases of 1.5 s and longer.
    """
    return _shape_of(
        "phrase_peak", phrases, lambda level: float(np.argmax(level)) / max(1, len(level) - 1)
    )


def dynamics_with_melody(take: Take, phrases: Sequence[PhraseFrames]) -> Reading:
    """How far loudness rises and falls with the melody inside phrases, correlation -1..1.

    Performers sing higher notes louder (Friberg et al. 2006, rule "high loud"; Gramming et al. 1988
    for the voice). Level and pitch are smoothed over 0.4 s and taken within each phrase; NaN below
    2 s, or where level or melody hardly move.
    """
    spans, stats, shown = [], [], []
    for frames in phrases:
        level = _slow_tone(frames)
        if len(level) < 32:
            continue
        tone = frames.voiced > 0.0
        first = int(np.searchsorted(take.pitch.times_s, frames.times_s[0]))
        f0_hz = take.pitch.f0_hz[first : first + len(tone)][tone]
        hop_s = float(frames.times_s[1] - frames.times_s[0])
        melody = smooth(12.0 * np.log2(f0_hz / 440.0), max(1, round(_SLOW_S / hop_s)) | 1)
        x, y = melody - melody.mean(), level - level.mean()
        row = np.array([len(x) * hop_s, x @ x * hop_s, y @ y * hop_s, x @ y * hop_s])
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(row)
        shown.append(float(row[3] / np.sqrt(max(row[1] * row[2], 1e-12))))
    return make_reading(
        "dynamics_with_melody", spans_s=spans, stats=stats, shown=shown, finish=_pooled_correlation
    )


def phrase_contrast(phrases: Sequence[PhraseFrames]) -> Reading:
    """Spread in dB of the phrases' mean levels: does the song build. NaN under three phrases."""
    spans, stats, shown = [], [], []
    levels = [_slow_tone(frames) for frames in phrases]
    kept = [(f, float(x.mean())) for f, x in zip(phrases, levels, strict=True) if len(x)]
    if not kept:
        return make_reading(
            "phrase_contrast", spans_s=[], stats=[], shown=[], finish=weighted_spread
        )
    middle = float(np.median([x for _, x in kept]))
    for frames, mean_level in kept:
        level = float(np.clip(mean_level - middle, -20.0, 20.0))
        length = frames.phrase.duration_s
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(np.array([length, length * level, length * level * level, 1.0]))
        shown.append(level)
    return make_reading(
        "phrase_contrast", spans_s=spans, stats=stats, shown=shown, finish=weighted_spread
    )


def pitch_range(contours: Sequence[NoteContour]) -> Reading:
    """Range of the melody in semitones (5th to 95th percentile of sung time). NaN under 2 s."""
    stats, shown = [], []
    middles = [float(np.median(c.smooth_cents[c.core])) / 100.0 + 69.0 for c in contours]
    centre = float(np.median(middles)) if middles else 0.0
    for contour, midi in zip(contours, middles, strict=True):
        row = np.zeros(_PITCH_BINS)
        place = round((midi - centre) * 2.0) + _PITCH_BINS // 2
        row[min(_PITCH_BINS - 1, max(0, place))] = contour.held_s
        stats.append(row)
        shown.append(midi - centre)
    return make_reading(
        "pitch_range",
        spans_s=[c.span_s for c in contours],
        stats=stats,
        shown=shown,
        finish=lambda s: histogram_span(s, low=0.05, high=0.95, bin_width=0.5, least=2.0),
    )


def melodic_variety(contours: Sequence[NoteContour]) -> Reading:
    """Variety of the steps between neighbouring notes in bits (entropy of their sizes).

    Depends on the song more than on the singer: describes. NaN under eight steps.
    """
    spans, stats, shown = [], [], []
    for before, after in itertools.pairwise(contours):
        if after.note.onset_s - before.note.offset_s > 1.0:
            continue
        step = min(12, abs(after.note.midi - before.note.midi))
        row = np.zeros(13)
        row[step] = 1.0
        spans.append(after.span_s)
        stats.append(row)
        shown.append(float(step))
    return make_reading("melodic_variety", spans_s=spans, stats=stats, shown=shown, finish=_entropy)


def timing_variety(contours: Sequence[NoteContour]) -> Reading:
    """Spread of note lengths in octaves (standard deviation of log2 seconds). Describes."""
    logs = [float(np.log2(max(0.05, c.held_s))) for c in contours]
    return make_reading(
        "timing_variety",
        spans_s=[c.span_s for c in contours],
        stats=[np.array([1.0, x, x * x, 1.0]) for x in logs],
        shown=[c.held_s for c in contours],
        finish=weighted_spread,
    )


def _entropy(sums: RealArray) -> RealArray:
    total = sums.sum(axis=1)
    share = sums / np.maximum(total, 1e-9)[:, None]
    bits = -(share * np.log2(np.where(share > 0.0, share, 1.0))).sum(axis=1)
    return np.where(total > 7.5, bits, np.nan)


def _pooled_correlation(sums: RealArray) -> RealArray:
    seconds = np.maximum(sums[:, 0], 1e-9)
    # A melody within a quarter tone or a level within 0.1 dB follow nothing.
    ok = (sums[:, 0] > 2.0) & (sums[:, 1] / seconds > 0.25) & (sums[:, 2] / seconds > 0.01)
    product = np.where(ok, sums[:, 1] * sums[:, 2], 1.0)
    return np.where(ok, sums[:, 3] / np.sqrt(product), np.nan)


def _arch_db(level: RealArray) -> float:
    x = np.linspace(-1.0, 1.0, len(level))
    bend = float(np.polynomial.polynomial.polyfit(x, level, 2)[2])
    return float(np.clip(-bend, -20.0, 20.0))


def _shape_of(
    name: str, phrases: Sequence[PhraseFrames], pick: Callable[[RealArray], float]
) -> Reading:
    """Mean of a number of the slow level of each phrase of 1.5 s and longer, by length."""
    spans, stats, shown = [], [], []
    for frames in phrases:
        level = _slow_tone(frames)
        if frames.phrase.duration_s < 1.5 or len(level) < 16:
            continue
        value, length = pick(level), frames.phrase.duration_s
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(np.array([length, length * value]))
        shown.append(value)
    return make_reading(name, spans_s=spans, stats=stats, shown=shown, finish=weighted_mean)


def _slow_tone(frames: PhraseFrames, *, without_end_s: float = 0.0) -> RealArray:
    """Level of the voiced frames, smoothed over 0.4 s, shape ``(n_voiced,)``."""
    tone = (frames.voiced > 0.0) & (frames.times_s <= frames.times_s[-1] - without_end_s)
    level = frames.level_db[tone]
    if len(level) < 8:
        return np.zeros(0)
    hop_s = float(frames.times_s[1] - frames.times_s[0])
    return smooth(level, max(1, round(_SLOW_S / hop_s)) | 1)
