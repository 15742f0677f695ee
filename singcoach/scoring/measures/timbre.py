"""Voice quality: purity, ring, tilt and brightness of the voiced frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.scoring.frames import PhraseFrames
from singcoach.scoring.reading import Reading, make_reading, weighted_mean

LOW_PERCENTILE = 20.0


def harmonicity(phrases: Sequence[PhraseFrames]) -> Reading:
    """Mean level in dB of the first five harmonics above the sound between them.

    Near kin of the harmonics-to-noise ratio, but safe with vibrato and moving pitch.
    """
    return _mean_over("harmonicity", phrases, lambda p: p.harmonicity_db, np.nanmean)


def cpp_low(phrases: Sequence[PhraseFrames]) -> Reading:
    """Low percentile (20th) of the cepstral peak prominence in dB, by phrase.

    The weak moments of the tone: hoarse, breathy or breaking (Hillenbrand et al. 1994). The
    clinical limits are for spoken vowels and are not used.
    """
    return _mean_over(
        "cpp_low",
        phrases,
        lambda p: p.cpp_db,
        lambda x: float(np.nanpercentile(x, LOW_PERCENTILE)),
    )


def singing_power_ratio(phrases: Sequence[PhraseFrames]) -> Reading:
    """Singing power ratio in dB (Omori et al. 1996): peak in 2-4 kHz against peak under 2 kHz."""
    return _mean_over("singing_power_ratio", phrases, lambda p: p.ringing_db, np.nanmean)


def spectral_tilt(phrases: Sequence[PhraseFrames]) -> Reading:
    """Slope of the spectrum in dB per octave, 250 Hz to 4 kHz. Describes, not graded."""
    return _mean_over("spectral_tilt", phrases, lambda p: p.tilt_db_oct, np.nanmean)


def brightness(phrases: Sequence[PhraseFrames]) -> Reading:
    """Centre of gravity of the spectrum in Hz. Describes, not graded."""
    return _mean_over("brightness", phrases, lambda p: p.centroid_hz, np.nanmean)


def tone_evenness(phrases: Sequence[PhraseFrames]) -> Reading:
    """Spread in dB of the harmonicity inside a phrase: does the voice keep one quality."""
    return _mean_over("tone_evenness", phrases, lambda p: p.harmonicity_db, np.nanstd)


def _mean_over(
    name: str,
    phrases: Sequence[PhraseFrames],
    pick: Callable[[PhraseFrames], RealArray],
    reduce: Callable[[RealArray], float | np.floating],
) -> Reading:
    spans, stats, shown = [], [], []
    for frames in phrases:
        values = pick(frames)
        count = int(np.isfinite(values).sum())
        if count < 8:
            continue
        value = float(reduce(values))
        spans.append((frames.phrase.start_s, frames.phrase.end_s))
        stats.append(np.array([float(count), count * value]))
        shown.append(value)
    return make_reading(name, spans_s=spans, stats=stats, shown=shown, finish=weighted_mean)
