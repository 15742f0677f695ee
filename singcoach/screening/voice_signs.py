"""Signs that a sound is no singing though it has a pitch: speech, one wandering note, instruments.

Each looks at the whole take, so that a spoken or hummed passage inside a song changes little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import PitchTrack, Region
from singcoach.regions.detector import HOP_SAMPLES, EventTrack
from singcoach.regions.regions import steady_frames

WANDER_SPAN_S = 6.0
_EVERY_FRAME = 5

_WINDOW_SAMPLES = 512
_EDGES_HZ = (250.0, 500.0, 900.0, 1500.0, 2300.0, 3200.0, 4500.0, 6500.0)
_DEEPEST_DB = 60.0
_BATCH_FRAMES = 2048
_WINDOW = np.hanning(_WINDOW_SAMPLES).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSigns:
    """What the detector and the pitch say of everything voiced in a take.

    ``lean`` is the mean probability of speech less that of singing, -1..1. ``steady_share`` is the
    share of the voiced time in which the pitch keeps within 35 cents for a tenth of a second.
    """

    lean: float
    steady_share: float


def speech_signs(
    pitch: PitchTrack, *, regions: Sequence[Region], events: EventTrack
) -> SpeechSigns | None:
    """Return the signs of speech over all regions that are no silence; None without a voice."""
    voiced = np.zeros(pitch.times_s.size, dtype=np.bool_)
    for region in regions:
        if region.kind != "silence":
            first, last = np.searchsorted(pitch.times_s, (region.start_s, region.end_s))
            voiced[first:last] = True
    voiced &= pitch.voiced
    n_events = events.probabilities.shape[0]
    if not voiced.any() or n_events == 0:
        return None
    samples = pitch.times_s[voiced] * ANALYSIS_RATE - events.phase
    frames = np.clip(np.round(samples / HOP_SAMPLES).astype(int), 0, n_events - 1)
    speech, singing, _ = events.probabilities[frames].mean(axis=0, dtype=np.float64)
    return SpeechSigns(
        lean=float(speech - singing), steady_share=float(steady_frames(pitch)[voiced].mean())
    )


def local_spread_semitones(times_s: RealArray, heights: RealArray) -> float:
    """Return the distance of the 10th and 90th percentile after a slow wander is removed.

    Each height is taken from the median of the 6 s around it: a single note that sinks or wanders
    stays near 0, a melody keeps its steps.

    Parameters
    ----------
    times_s, heights
        Of the sung frames, heights in semitones without vibrato, shape ``(n_frames,)``.
    """
    if heights.size == 0:
        return 0.0
    times_s, heights = times_s[::_EVERY_FRAME], heights[::_EVERY_FRAME]
    first = np.searchsorted(times_s, times_s - WANDER_SPAN_S / 2.0)
    last = np.searchsorted(times_s, times_s + WANDER_SPAN_S / 2.0, side="right")
    middle = np.array([np.median(heights[a:b]) for a, b in zip(first, last, strict=True)])
    low, high = np.percentile(heights - middle, (10, 90))
    return float(high - low)


def tone_change_db(vocal: FloatArray, *, times_s: RealArray) -> float:
    """Return how much the colour of the sound changes in the course of the take, in dB.

    The standard deviation over time of the level in each of seven bands (250 Hz to 6.5 kHz,
    relative to the frame's mean), and of these the median band. Words move the bands by more than
    4 dB; humming and single instruments, whose resonances stand still, by less than 3.

    Parameters
    ----------
    vocal
        16 kHz, shape ``(n_samples,)``; its level plays no part.
    times_s
        Centres of the frames to look at (the sung ones), shape ``(n_frames,)``.

    Returns
    -------
    float
        NaN where fewer than ten frames can be looked at.
    """
    centres = np.round(times_s * ANALYSIS_RATE).astype(int)
    half = _WINDOW_SAMPLES // 2
    centres = centres[(centres >= half) & (centres + half <= vocal.size)]
    if centres.size < 10:
        return float("nan")
    reach = np.arange(-half, half)
    edges = np.round(np.array(_EDGES_HZ) * _WINDOW_SAMPLES / ANALYSIS_RATE).astype(int)
    rows = []
    for start in range(0, centres.size, _BATCH_FRAMES):
        frames = vocal[centres[start : start + _BATCH_FRAMES, np.newaxis] + reach] * _WINDOW
        power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
        rows.append(np.add.reduceat(power, edges, axis=1)[:, :-1])
    bands = np.concatenate(rows).astype(np.float64)
    bands = bands[bands.max(axis=1) > 0.0]
    if bands.shape[0] < 10:
        return float("nan")
    floor = bands.max(axis=1, keepdims=True) * 10.0 ** (-_DEEPEST_DB / 10.0)
    level_db = 10.0 * np.log10(np.maximum(bands, floor))
    level_db -= level_db.mean(axis=1, keepdims=True)
    return float(np.median(level_db.std(axis=0)))
