"""Breath: steady tone on long notes, phrase ends, lengths, breaks and audible breaths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.take import Take
from singcoach.dsp.anchors import find_anchor
from singcoach.scoring.contour import NoteContour, smooth
from singcoach.scoring.frames import PhraseFrames, level_between, working_gain
from singcoach.scoring.reading import Reading, make_reading, weighted_mean

LONG_NOTE_S = 0.6
_TREMOLO_WINDOW_S = 0.2
_MOVING_NOTE_S = 0.35
_MOVING_WINDOW_S = 0.3
_MOST_DB_PER_S = 60.0
_END_S = 0.25
_BREAK_S = (0.12, 0.20)
_BREAK_DB = (20.0, 30.0)


def level_wobble(contours: Sequence[NoteContour], phrases: Sequence[PhraseFrames]) -> Reading:
    """Unsteadiness of the level in dB within notes of 0.6 s and longer.

    The level is smoothed over 0.2 s (vibrato also moves the level), a parabola (a wanted swell)
    is taken off, and the spread of the rest is clipped at 6 dB. The first 100 ms and last 150 ms
    of the note (consonants, release) do not count.
    """
    spans, stats, shown = [], [], []
    table = _Levels(phrases)
    for contour in contours:
        if contour.held_s < LONG_NOTE_S:
            continue
        level, hop_s = table.between(contour.note.onset_s + 0.10, contour.note.offset_s - 0.15)
        if len(level) < 8:
            continue
        level = smooth(level, max(1, round(_TREMOLO_WINDOW_S / hop_s)) | 1)
        x = np.linspace(-1.0, 1.0, len(level))
        rest = level - np.polynomial.polynomial.polyval(
            x, np.polynomial.polynomial.polyfit(x, level, 2)
        )
        wobble = float(min(6.0, rest.std()))
        spans.append(contour.span_s)
        stats.append(np.array([contour.held_s, contour.held_s * wobble]))
        shown.append(wobble)
    return make_reading(
        "level_wobble", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def level_movement(contours: Sequence[NoteContour], phrases: Sequence[PhraseFrames]) -> Reading:
    """How fast the level moves up or down within notes of 0.35 s and longer, in dB per second.

    Mean size of the slope of the level, smoothed over 0.3 s (vibrato also moves the level). A held
    tone needs an even stream of air: sinking, pushing and wavering all count (Sundberg 1987, ch. 3:
    subglottal pressure sets the level). The first 80 ms and last 120 ms of the note (consonants,
    release) do not. Clipped at 60 dB/s. The same singer shows it in every phrase, unlike
    :func:`level_wobble`, which needs long notes.
    """
    spans, stats, shown = [], [], []
    table = _Levels(phrases)
    for contour in contours:
        if contour.held_s < _MOVING_NOTE_S:
            continue
        level, hop_s = table.between(contour.note.onset_s + 0.08, contour.note.offset_s - 0.12)
        if len(level) < 8:
            continue
        level = smooth(level, max(1, round(_MOVING_WINDOW_S / hop_s)) | 1)
        speed = min(_MOST_DB_PER_S, float(np.mean(np.abs(np.diff(level)))) / hop_s)
        spans.append(contour.span_s)
        stats.append(np.array([contour.held_s, contour.held_s * speed]))
        shown.append(speed)
    return make_reading(
        "level_movement", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def phrase_end_fall(phrases: Sequence[PhraseFrames]) -> Reading:
    """Fall of the level in dB from the middle of a phrase to its last quarter second of tone.

    A large fall can be running out of air or a wanted fade. Clipped to -6..30 dB.
    """
    spans, stats, shown = [], [], []
    for frames in phrases:
        tone = np.flatnonzero(frames.voiced > 0.0)
        if frames.phrase.duration_s < 1.0 or len(tone) < 12:
            continue
        last = frames.times_s[tone[-1]]
        end = tone[frames.times_s[tone] > last - _END_S]
        fall = float(np.median(frames.level_db[tone]) - np.mean(frames.level_db[end]))
        fall = float(np.clip(fall, -6.0, 30.0))
        spans.append((max(frames.phrase.start_s, last - 1.0), float(last)))
        stats.append(np.array([1.0, fall]))
        shown.append(fall)
    return make_reading(
        "phrase_end_fall", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def phrase_end_sag(contours: Sequence[NoteContour], phrases: Sequence[PhraseFrames]) -> Reading:
    """Sinking of the pitch in cents over the end of the last note of a phrase (size of the fall).

    Last 0.3 s of the vibrato-free contour without its final 50 ms; only notes of 0.4 s and
    longer; rises count as 0; clipped at 100 cents.
    """
    spans, stats, shown = [], [], []
    onsets = np.array([c.note.onset_s for c in contours])
    for frames in phrases:
        last = int(np.searchsorted(onsets, frames.phrase.end_s)) - 1
        if last < 0 or contours[last].note.onset_s < frames.phrase.start_s - 0.052:
            continue
        contour = contours[last]
        y = contour.smooth_cents[contour.core]
        times = contour.times_s[contour.core]
        # Limits half-way between frames: rounding of the times must not decide.
        if contour.held_s < 0.392 or len(y) < 8:
            continue
        ending = times > times[-1] - 0.1
        before = (times > times[-1] - 0.392) & (times <= times[-1] - 0.2)
        if not before.any():
            continue
        sag = float(np.clip(np.mean(y[before]) - np.mean(y[ending]), 0.0, 100.0))
        spans.append(contour.span_s)
        stats.append(np.array([1.0, sag]))
        shown.append(sag)
    return make_reading(
        "phrase_end_sag", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def phrase_length(take: Take) -> Reading:
    """Length in seconds of the phrase that a moment of singing lies in (longer = longer breath).

    Time-weighted, so a few short calls do not hide long lines; clipped at 12 s.
    """
    spans = [(p.start_s, p.end_s) for p in take.phrases]
    lengths = [min(12.0, p.duration_s) for p in take.phrases]
    return make_reading(
        "phrase_length",
        spans_s=spans,
        stats=[np.array([x, x * x]) for x in lengths],
        shown=lengths,
        finish=weighted_mean,
    )


def phrase_breaks(phrases: Sequence[PhraseFrames]) -> Reading:
    """Silence inside phrases in seconds per 10 s of singing.

    Gaps without pitch count from 0.12 s on (fully from 0.20 s) and when the level lies 20 dB under
    the phrase's median (fully from 30 dB): a break of the tone, not a consonant. No hard limits, so
    that the position of the frames does not decide.
    """
    spans, stats, shown = [], [], []
    for frames in phrases:
        tone = frames.voiced > 0.0
        if tone.sum() < 8:
            continue
        hop_s = float(frames.times_s[1] - frames.times_s[0])
        below = np.median(frames.level_db[tone]) - frames.level_db
        silence_s = 0.0
        for start, stop in _gaps(tone):
            gap_s = (stop - start) * hop_s
            depth = np.interp(float(np.median(below[start:stop])), _BREAK_DB, (0.0, 1.0))
            silence_s += float(gap_s * depth * np.interp(gap_s, _BREAK_S, (0.0, 1.0)))
        length = frames.phrase.duration_s
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(np.array([length, 10.0 * silence_s]))
        shown.append(silence_s)
    return make_reading(
        "phrase_breaks", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


def audible_breath(take: Take, phrases: Sequence[PhraseFrames]) -> Reading:
    """Level of the breath before a phrase in dB relative to the phrase; describes, not graded.

    Loudest 40 ms in the 0.6 s before the phrase (at least 0.25 s of it free of other phrases),
    measured before dereverb, clipped to -60..0 dB.
    """
    spans, stats, shown = [], [], []
    # Silence that was put in front of a recording is no breath.
    previous_end = find_anchor(take.vocal_raw).first_signal / take.sample_rate
    gain = working_gain(take.vocal_raw)
    for frames in phrases:
        start = max(previous_end + 0.1, frames.phrase.start_s - 0.6)
        stop = frames.phrase.start_s - 0.05
        previous_end = frames.phrase.end_s
        if stop - start < 0.25:
            continue
        before = level_between(
            take.vocal_raw,
            sample_rate=take.sample_rate,
            gain=gain,
            start_s=start,
            end_s=stop,
        )
        inside = level_between(
            take.vocal_raw,
            sample_rate=take.sample_rate,
            gain=gain,
            start_s=frames.phrase.start_s,
            end_s=frames.phrase.end_s,
        )
        if len(before) < 10 or len(inside) < 10:
            continue
        relative = float(np.clip(np.percentile(before, 90) - np.median(inside), -60.0, 0.0))
        spans.append((start, frames.phrase.start_s + 0.3))
        stats.append(np.array([1.0, relative]))
        shown.append(relative)
    return make_reading(
        "audible_breath", spans_s=spans, stats=stats, shown=shown, finish=weighted_mean
    )


class _Levels:
    """All phrase levels in one row, to cut notes out of."""

    def __init__(self, phrases: Sequence[PhraseFrames]) -> None:
        self._times = np.concatenate([p.times_s for p in phrases]) if phrases else np.zeros(0)
        self._level = np.concatenate([p.level_db for p in phrases]) if phrases else np.zeros(0)
        self._hop_s = float(phrases[0].times_s[1] - phrases[0].times_s[0]) if phrases else 0.016

    def between(self, start_s: float, end_s: float) -> tuple[RealArray, float]:
        """Levels between two times, and the distance of the frames in seconds."""
        # A little earlier: where a limit meets a frame, rounding of the times must not decide.
        first, last = np.searchsorted(self._times, (start_s - 1e-6, end_s - 1e-6))
        return self._level[first:last], self._hop_s


def _gaps(tone: BoolArray) -> list[tuple[int, int]]:
    """Runs without tone between the first and the last frame with tone."""
    steps = np.diff(tone.astype(np.int8))
    starts = np.flatnonzero(steps < 0) + 1
    stops = np.flatnonzero(steps > 0) + 1
    if len(starts) and len(stops):
        stops = stops[stops > starts[0]]
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=False)]
