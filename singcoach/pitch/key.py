"""The key of what was sung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Key, Note, PitchTrack
from singcoach.pitch.frames import hz_to_cents
from singcoach.pitch.tuning import estimate_tuning, tuning_drift

MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""Probe-tone ratings of Krumhansl and Kessler (1982), Psychological Review 89, 334-368."""

MIN_SUNG_S = 2.0
MIN_PITCH_CLASSES = 3
MIN_CLASS_SHARE = 0.02


def estimate_key(
    sung: PitchTrack | Sequence[Note], *, tuning_cents: float | None = None
) -> Key | None:
    """Return the key whose profile correlates best with the time spent on each pitch class.

    Krumhansl-Schmuckler method (Krumhansl 1990, Cognitive Foundations of Musical Pitch, ch. 4). A
    pitch track is read on its own drifting tuning. A melody alone often fits two keys: ``strength``
    says how well this one fits, not how much better than the next.

    Parameters
    ----------
    sung
        A pitch track, or notes (their ``midi`` is already on the take's tuning).
    tuning_cents
        Tuning to read and to report; by default the track's own, and 0 for notes.

    Returns
    -------
    Key or None
        None for less than 2 s of singing or fewer than three pitch classes.
    """
    if isinstance(sung, PitchTrack):
        voiced = sung.voiced
        tuning = estimate_tuning(sung)
        if tuning is None:
            return None
        if tuning_cents is None:
            base = tuning_drift(sung)[voiced]
            tuning_cents = tuning.cents
        else:
            base = np.full(int(voiced.sum()), tuning_cents)
        semitones = np.round((hz_to_cents(sung.f0_hz[voiced]) - base) / 100.0).astype(np.int64)
        weights = sung.confidence[voiced] * sung.hop_s
    else:
        semitones = np.array([note.midi for note in sung], dtype=np.int64)
        weights = np.array([note.duration_s for note in sung], dtype=np.float64)
        tuning_cents = 0.0 if tuning_cents is None else tuning_cents
    if weights.sum() < MIN_SUNG_S:
        return None
    histogram = np.zeros(12)
    np.add.at(histogram, semitones % 12, weights)
    return key_of_histogram(histogram, tuning_cents=tuning_cents)


def key_of_histogram(histogram: RealArray, *, tuning_cents: float) -> Key | None:
    """Return the best key for a weight per pitch class, shape ``(12,)``, index 0 = C.

    None when fewer than three pitch classes have at least 2 % of the weight.
    """
    if histogram.shape != (12,):
        raise ValueError(f"histogram must have the shape (12,), not {histogram.shape}")
    total = float(histogram.sum())
    if total <= 0.0 or int((histogram >= MIN_CLASS_SHARE * total).sum()) < MIN_PITCH_CLASSES:
        return None
    best: tuple[float, int, Literal["major", "minor"]] | None = None
    modes: tuple[tuple[Literal["major", "minor"], RealArray], ...] = (
        ("major", MAJOR_PROFILE),
        ("minor", MINOR_PROFILE),
    )
    for mode, profile in modes:
        for tonic in range(12):
            fit = _correlation(np.roll(histogram, -tonic), profile)
            if best is None or fit > best[0] + 1e-12:
                best = (fit, tonic, mode)
    if best is None:
        return None
    fit, tonic, mode = best
    return Key(tonic=tonic, mode=mode, tuning_cents=tuning_cents, strength=fit)


def _correlation(first: RealArray, second: RealArray) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else 0.0
