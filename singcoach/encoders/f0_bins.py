"""Pitch as singing-voice encoders take it: one of 256 coarse steps every 20 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import BinArray, BoolArray, RealArray, read_only
from singcoach.core.music import PitchTrack

N_BINS = 256
LOWEST_HZ = 50.0
HIGHEST_HZ = 1100.0
UNVOICED_BIN = 1
"""Where there is no pitch the field writes 1, the same as for 50 Hz and below; 0 is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarsePitch:
    """Steps 1..255 (:data:`UNVOICED_BIN` where unvoiced) and voicing, both ``(n_frames,)``."""

    bins: BinArray
    voiced: BoolArray


def coarse_pitch(pitch: PitchTrack, *, n_frames: int, hop_s: float = 0.02) -> CoarsePitch:
    """Bring a pitch track to the encoder's grid and into coarse steps.

    Parameters
    ----------
    pitch
        Any even grid of times; may be empty.
    n_frames, hop_s
        The grid wanted: frame ``i`` is centred at ``i * hop_s`` seconds.

    Returns
    -------
    A frame is voiced when the nearest frame of the track is and no further away than the track's
    hop. Between two voiced frames the logarithm of the pitch is interpolated.
    """
    times_s: RealArray = np.arange(n_frames) * np.float64(hop_s)
    f0_hz = _at(pitch, times_s)
    voiced = ~np.isnan(f0_hz)
    bins = np.full(n_frames, UNVOICED_BIN, dtype=np.uint8)
    bins[voiced] = pitch_bins(f0_hz[voiced])
    return CoarsePitch(bins=read_only(bins), voiced=read_only(voiced))


def pitch_bins(f0_hz: RealArray) -> BinArray:
    """Return the coarse step of each pitch: 1 up to 50 Hz, 255 from 1100 Hz, even in mel between.

    Mel as ``1127 ln(1 + f / 700)``; rounded to the nearest step. This is the table that the
    singing-voice conversion programs share (so-vits-svc's ``f0_to_coarse``).
    """
    lowest, highest = _mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    places = 1.0 + (_mel(f0_hz) - lowest) * (N_BINS - 2) / (highest - lowest)
    bins: BinArray = np.clip(np.rint(places), 1, N_BINS - 1).astype(np.uint8)
    return bins


def bin_centres_hz() -> RealArray:
    """Return the pitch in the middle of each step, shape ``(256,)``; NaN for the unused step 0."""
    lowest, highest = _mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    mels = lowest + (np.arange(N_BINS) - 1.0) * (highest - lowest) / (N_BINS - 2)
    centres: RealArray = 700.0 * np.expm1(mels / 1127.0)
    centres[0] = np.nan
    return centres


def _mel(f0_hz: RealArray) -> RealArray:
    mels: RealArray = 1127.0 * np.log1p(f0_hz / 700.0)
    return mels


def _at(pitch: PitchTrack, times_s: RealArray) -> RealArray:
    """Return the pitch at ``times_s`` in Hz, NaN where unvoiced."""
    n = len(pitch.times_s)
    found = np.full(len(times_s), np.nan)
    if n == 0:
        return found
    after = np.clip(np.searchsorted(pitch.times_s, times_s), 0, n - 1)
    before = np.maximum(after - 1, 0)
    span_s = pitch.times_s[after] - pitch.times_s[before]
    share = np.divide(
        times_s - pitch.times_s[before],
        span_s,
        out=np.zeros(len(times_s)),
        where=span_s > 0,
    )
    share = np.clip(share, 0.0, 1.0)
    nearest = np.where(share < 0.5, before, after)
    near = np.abs(pitch.times_s[nearest] - times_s) <= pitch.hop_s
    log_hz = np.log(pitch.f0_hz)
    between = (1.0 - share) * log_hz[before] + share * log_hz[after]
    alone = np.isnan(between)
    between[alone] = log_hz[nearest[alone]]
    found[near] = np.exp(between[near])
    found[np.isnan(log_hz[nearest])] = np.nan
    return found
