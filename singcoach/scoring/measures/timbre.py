"""Voice quality: purity, ring, tilt and brightness of the voiced frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.take import Take
from singcoach.scoring.frames import PhraseFrames
from singcoach.scoring.reading import Reading, make_reading, weighted_mean

LOW_PERCENTILE = 20.0

CLEAR_DB = 17.0
"""Five sixths of what trained singers sing breathily on purpose (vocalset_1s, CC BY 4.0) is clearer
than this: what lies below is weaker than style."""

ROUGH_DB = 22.0
"""Nineteen twentieths of those tones have their harmonics further above the sound between."""

DULL_HZ = 450.0
"""Lower quartile of the centre of gravity of straight tones of trained singers (vocalset_1s, CC BY
4.0), for a note at 220 Hz."""

DULL_WITH_PITCH = 0.3
"""Octaves by which that limit rises with an octave of pitch: harmonics lie further apart, formants
stay. Between the two bounds 0 (formants decide) and 1 (harmonics decide)."""

_DULLEST_OCTAVES = 3.0
_UNCLEAREST_DB = 10.0
_ROUGHEST_DB = 20.0


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


def alpha_ratio(phrases: Sequence[PhraseFrames]) -> Reading:
    """Alpha ratio in dB (Frokjaer-Jensen and Prytz 1976): level at 1-5 kHz against that below."""
    return _mean_over("alpha_ratio", phrases, lambda p: p.alpha_db, np.nanmean)


def spectral_tilt(phrases: Sequence[PhraseFrames]) -> Reading:
    """Slope of the spectrum in dB per octave, 250 Hz to 4 kHz. Describes, not graded."""
    return _mean_over("spectral_tilt", phrases, lambda p: p.tilt_db_oct, np.nanmean)


def brightness(phrases: Sequence[PhraseFrames]) -> Reading:
    """Centre of gravity of the spectrum in Hz. Describes, not graded."""
    return _mean_over("brightness", phrases, lambda p: p.centroid_hz, np.nanmean)


def tone_evenness(phrases: Sequence[PhraseFrames]) -> Reading:
    """Spread in dB of the harmonicity inside a phrase: does the voice keep one quality."""
    return _mean_over("tone_evenness", phrases, lambda p: p.harmonicity_db, np.nanstd)


def clarity_shortfall(phrases: Sequence[PhraseFrames]) -> Reading:
    """How far the tone falls short of a clear one, in dB of cepstral peak prominence.

    Mean over the voiced frames of what is missing to 17 dB. Above that nothing is earned: light,
    mixed and falsetto voices are clear enough, only a tone that nearly dissolves loses (Hillenbrand
    et al. 1994 for the prominence; the limit is ours).
    """
    return _mean_over(
        "clarity_shortfall",
        phrases,
        lambda p: np.clip(CLEAR_DB - p.cpp_db, 0.0, _UNCLEAREST_DB),
        np.nanmean,
    )


def roughness(phrases: Sequence[PhraseFrames]) -> Reading:
    """How far the harmonics fail to stand out of the sound between them, in dB.

    Mean over the voiced frames of what is missing to 22 dB. A creaking, pressed or torn tone fills
    the gaps between its harmonics; a breathy one hardly comes below the limit (Yumoto et al. 1982
    for the idea; the limit is ours).
    """
    return _mean_over(
        "roughness",
        phrases,
        lambda p: np.clip(ROUGH_DB - p.harmonicity_db, 0.0, _ROUGHEST_DB),
        np.nanmean,
    )


def dullness(take: Take, phrases: Sequence[PhraseFrames]) -> Reading:
    """How far the spectrum lies below that of an open tone, in octaves of its centre of gravity.

    Mean over the voiced frames of the octaves below a limit that rises a little with the pitch.
    Above it nothing is earned: a brighter voice is another voice, not a better one, but a covered,
    swallowed tone does not carry (Ekholm et al. 1998: resonance and ring; the limit is ours).
    """

    def missing(frames: PhraseFrames) -> RealArray:
        first = int(np.searchsorted(take.pitch.times_s, frames.times_s[0]))
        f0_hz = take.pitch.f0_hz[first : first + len(frames.times_s)]
        limit = np.log2(DULL_HZ) + DULL_WITH_PITCH * np.log2(f0_hz / 220.0)
        centre = np.log2(np.maximum(frames.centroid_hz, 1.0))
        return np.asarray(np.clip(limit - centre, 0.0, _DULLEST_OCTAVES))

    return _mean_over("dullness", phrases, missing, np.nanmean)


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
