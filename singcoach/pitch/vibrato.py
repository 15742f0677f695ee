"""Vibrato of one note: is there any, how fast, how wide, how even."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Vibrato
from singcoach.pitch.contour import Oscillation, find_oscillations, smooth, smoothing_gain

SLOWEST_HZ = 4.0
FASTEST_HZ = 8.5
MIN_CYCLES = 2.0
MIN_LENGTH_S = 0.3
MIN_EXTENT_CENTS = 12.0
"""Half peak to peak. Narrower swings are below what listeners call vibrato, and the pitch tracker
itself wavers by a few cents."""
MIN_SHARE = 0.6
MIN_REGULARITY = 0.35


def measure_vibrato(cents: RealArray, *, hop_s: float) -> Vibrato | None:
    """Return the vibrato of one note, None when it is sung straight.

    The note's longest even oscillation (:func:`singcoach.pitch.contour.find_oscillations`) is its
    vibrato when it lasts two cycles and 0.3 s, runs at 4 to 8.5 Hz, swings at least 12 cents to
    each side and holds 60 % of the contour's power between 2 Hz and 15 Hz in a band around its
    rate; the last condition is that of Nakano et al. (Interspeech 2006), who ask for 5-8 Hz,
    widened because singers of popular music go slower.

    Rate: half cycles over time between the first and last turning point. Extent: mean half
    distance between neighbouring turning points, with the loss of the three-frame smoothing given
    back, so that the 16 ms hop does not show. Regularity: correlation of the oscillation with
    itself one cycle later.

    Parameters
    ----------
    cents
        Contour of the note without gaps, shape ``(n_frames,)``.
    hop_s
        Distance between frames in seconds.

    Raises
    ------
    ValueError
        When the contour holds NaN.
    """
    if not np.isfinite(cents).all():
        raise ValueError("cents holds NaN; pass the voiced frames of one note")
    candidates = find_oscillations(cents, hop_s=hop_s)
    if not candidates:
        return None
    longest = max(candidates, key=lambda found: found.turns[-1] - found.turns[0])
    length_s = float(longest.turns[-1] - longest.turns[0]) * hop_s
    cycles = 0.5 * (longest.turns.size - 1)
    rate_hz = cycles / length_s
    extent = 0.5 * float(longest.swings_cents.mean()) / smoothing_gain(rate_hz, hop_s=hop_s)
    if (
        cycles < MIN_CYCLES
        or length_s < MIN_LENGTH_S
        or not SLOWEST_HZ <= rate_hz <= FASTEST_HZ
        or extent < MIN_EXTENT_CENTS
    ):
        return None
    swing = _swing(cents, longest)
    if _share_near(swing, rate_hz, hop_s=hop_s) < MIN_SHARE:
        return None
    regularity = _likeness_after(swing, 1.0 / (rate_hz * hop_s))
    if regularity < MIN_REGULARITY:
        return None
    return Vibrato(rate_hz=rate_hz, extent_cents=extent, regularity=regularity)


def vibrato_share(cents: RealArray, *, hop_s: float) -> float:
    """Return the share of the note's duration in which the pitch oscillates evenly, 0..1."""
    if cents.size == 0:
        return 0.0
    covered = sum(
        float(found.turns[-1] - found.turns[0]) for found in find_oscillations(cents, hop_s=hop_s)
    )
    return min(1.0, covered / cents.size)


def _swing(cents: RealArray, oscillation: Oscillation) -> RealArray:
    """Return the oscillating stretch of the smoothed contour minus its middle line."""
    height = oscillation.heights_cents
    first, last = int(np.ceil(oscillation.turns[0])), int(np.floor(oscillation.turns[-1]))
    frames = np.arange(first, last + 1)
    middle = (height[:-1] + height[1:]) / 2.0
    between = (oscillation.turns[:-1] + oscillation.turns[1:]) / 2.0
    return np.asarray(smooth(cents)[frames] - np.interp(frames, between, middle), dtype=np.float64)


def _share_near(swing: RealArray, rate_hz: float, *, hop_s: float) -> float:
    """Return the share of the power from 2 to 15 Hz that lies within a third of the rate."""
    n_fft = max(256, 1 << int(np.ceil(np.log2(4 * swing.size))))
    spectrum = np.abs(np.fft.rfft((swing - swing.mean()) * np.hanning(swing.size), n_fft)) ** 2
    frequency_hz = np.fft.rfftfreq(n_fft, hop_s)
    # A window of n frames smears a line by two bins to each side.
    reach_hz = max(rate_hz / 3.0, 2.0 / (swing.size * hop_s))
    near = np.abs(frequency_hz - rate_hz) <= reach_hz
    whole = (frequency_hz >= 2.0) & (frequency_hz <= 15.0) | near
    total = float(spectrum[whole].sum())
    return float(spectrum[near].sum()) / total if total > 0.0 else 0.0


def _likeness_after(swing: RealArray, cycle_frames: float) -> float:
    """Return the best correlation of the signal with itself within a tenth of one cycle, 0..1."""
    best = 0.0
    frames = np.arange(swing.size, dtype=np.float64)
    for factor in np.linspace(0.9, 1.1, 9):
        lag = cycle_frames * factor
        here = frames[frames + lag <= swing.size - 1]
        if here.size < 4:
            continue
        a = swing[: here.size]
        b = np.interp(here + lag, frames, swing)
        scale = float(np.sqrt((a @ a) * (b @ b)))
        if scale > 0.0:
            best = max(best, float(a @ b) / scale)
    return min(1.0, best)
