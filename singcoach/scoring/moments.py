"""Moments: the pieces of a take that are drawn again for the interval, or left out as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.take import Take
from singcoach.scoring.reading import Reading

LONGEST_S = 6.0
DRAWS = 200
SEED = 20_240_601


def moment_starts(take: Take) -> RealArray:
    """Start times in seconds of the moments, ascending; a moment ends where the next begins.

    One per phrase; phrases over 6 s are cut into equal parts at note onsets.
    """
    onsets = np.array([note.onset_s for note in take.notes])
    starts: list[float] = []
    for phrase in take.phrases:
        starts.append(phrase.start_s)
        parts = int(np.ceil(phrase.duration_s / LONGEST_S))
        for part in range(1, parts):
            wanted = phrase.start_s + phrase.duration_s * part / parts
            inside = onsets[(onsets > starts[-1] + 1.0) & (onsets < phrase.end_s - 1.0)]
            if len(inside):
                nearest = float(inside[np.abs(inside - wanted).argmin()])
                if nearest > starts[-1]:
                    starts.append(nearest)
    return np.asarray(starts)


CUT_IN_PARTS = frozenset({"phrase_length"})
"""Measures of which an item does not stay or go as a whole: a phrase without some of its seconds is
two shorter ones. Their statistics are ``(x, x^2)`` of lengths ``x``."""


ENDS = frozenset({"phrase_end_fall", "phrase_end_sag"})
"""Measures of the ends of phrases. Without its last second a phrase has another end, so they come
and go with the whole phrase only."""


def with_whole_phrases(readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """Return the readings with the items of :data:`ENDS` spanning the phrases that they end."""
    phrases = readings.get("phrase_length")
    if phrases is None or not len(phrases.stats):
        return dict(readings)
    out = dict(readings)
    for name in ENDS & readings.keys():
        reading = readings[name]
        if not len(reading.stats):
            continue
        place = np.searchsorted(phrases.starts_s, reading.middles_s, side="right") - 1
        place = np.clip(place, 0, len(phrases.starts_s) - 1)
        out[name] = replace(
            reading,
            starts_s=np.minimum(reading.starts_s, phrases.starts_s[place]),
            ends_s=np.maximum(reading.ends_s, phrases.ends_s[place]),
        )
    return out


def draw_moments(n_moments: int) -> RealArray:
    """How often each moment comes in each bootstrap draw, shape ``(DRAWS, n_moments)``.

    Fixed seed, so the same take gives the same numbers.
    """
    generator = np.random.default_rng(SEED)
    even = np.full(n_moments, 1.0 / n_moments)
    return generator.multinomial(n_moments, even, size=DRAWS).astype(np.float64)


def drawn_values(readings: Mapping[str, Reading], starts_s: RealArray) -> dict[str, RealArray]:
    """Every measure over bootstrap draws of the moments, each of shape ``(DRAWS,)``.

    The same draws for every measure.
    """
    n = len(starts_s)
    draws = draw_moments(n)
    out: dict[str, RealArray] = {}
    for name, reading in readings.items():
        if not len(reading.stats):
            out[name] = np.full(DRAWS, np.nan)
            continue
        sums = np.zeros((n, reading.stats.shape[1]))
        place = np.searchsorted(starts_s, reading.middles_s, side="right") - 1
        np.add.at(sums, np.clip(place, 0, n - 1), reading.stats)
        out[name] = reading.finish(draws @ sums)
    return out


def values_without(
    readings: Mapping[str, Reading], starts_s: RealArray, ends_s: RealArray
) -> dict[str, RealArray]:
    """Every measure with the items whose middles lie in one span left out, shape ``(n_spans,)``.

    Lengths (:data:`CUT_IN_PARTS`) are those of what is left on either side of the span.
    """
    out: dict[str, RealArray] = {}
    for name, reading in readings.items():
        if not len(reading.stats):
            out[name] = np.full(len(starts_s), np.nan)
            continue
        first = np.searchsorted(reading.middles_s, starts_s, side="left")
        last = np.searchsorted(reading.middles_s, ends_s, side="right")
        total = reading.stats.sum(axis=0)
        rows = np.asarray(
            [total - reading.stats[a:b].sum(axis=0) for a, b in zip(first, last, strict=True)]
        )
        if name in CUT_IN_PARTS:
            rows = np.asarray(
                [
                    _lengths_without(reading, start, end)
                    for start, end in zip(starts_s, ends_s, strict=True)
                ]
            )
        # Rounding may not leave a little more, or less, than nothing.
        rows[np.abs(rows) < 1e-9 * np.abs(total).max()] = 0.0
        out[name] = reading.finish(rows.reshape(len(starts_s), len(total)))
    return out


def _lengths_without(reading: Reading, start_s: float, end_s: float) -> RealArray:
    """Sum of the statistics of lengths, cut where the span lies."""
    touched = (reading.starts_s < end_s) & (reading.ends_s > start_s)
    before = np.maximum(0.0, start_s - reading.starts_s[touched])
    after = np.maximum(0.0, reading.ends_s[touched] - end_s)
    parts = np.concatenate([before, after])
    # An item that was clipped stays clipped in its parts.
    parts = np.minimum(parts, np.tile(reading.stats[touched, 0], 2))
    kept = reading.stats[~touched].sum(axis=0)
    return np.asarray(kept + np.array([parts.sum(), np.square(parts).sum()]))
