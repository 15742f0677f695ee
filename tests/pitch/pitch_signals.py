"""Voices whose pitch is known, for the pitch tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import PitchTrack

HOP_S = 0.016


def sung(cents: RealArray, *, level: float = 0.2, partials: int = 24) -> FloatArray:
    """Return a voice-like buzz with a height in cents above MIDI note 0 for every sample.

    NaN is silence. Partials fall by 6 dB an octave and stop at 7 kHz; 8 ms fades at every edge.
    """
    known = ~np.isnan(cents)
    hz = 440.0 * 2.0 ** ((np.where(known, cents, 6900.0) - 6900.0) / 1200.0)
    phase = 2.0 * np.pi * np.cumsum(hz) / ANALYSIS_RATE
    audio = np.zeros(cents.size)
    for k in range(1, partials + 1):
        audio += np.where(k * hz < 7000.0, np.sin(k * phase + 0.7 * k * k), 0.0) / k
    fade = np.hanning(2 * 128 + 1)
    envelope = np.convolve(known.astype(np.float64), fade / fade.sum(), mode="same")
    return np.asarray(level * audio * np.where(known, envelope, 0.0), dtype=np.float32)


def held(*notes: tuple[float, float]) -> RealArray:
    """Return cents per sample for (cents or NaN, seconds) one after another."""
    return np.concatenate([np.full(round(s * ANALYSIS_RATE), cents) for cents, s in notes])


def vibrato_contour(
    rate_hz: float, extent_cents: float, *, seconds: float = 1.5, centre: float = 6000.0
) -> RealArray:
    """Return cents per 16 ms frame of one note with a sine vibrato."""
    times_s = np.arange(round(seconds / HOP_S)) * HOP_S
    return np.asarray(centre + extent_cents * np.sin(2.0 * np.pi * rate_hz * times_s + 0.3))


def track(cents: RealArray, *, confidence: float = 0.95) -> PitchTrack:
    """Return a pitch track with the given cents per 16 ms frame, NaN = unvoiced."""
    return PitchTrack(
        times_s=np.arange(cents.size) * HOP_S,
        f0_hz=440.0 * 2.0 ** ((cents - 6900.0) / 1200.0),
        confidence=np.where(np.isnan(cents), 0.0, confidence),
        hop_s=HOP_S,
    )


def read_mono(path: Path) -> FloatArray:
    """Return a recording as one channel at 16 kHz."""
    audio, rate = soundfile.read(path, dtype="float32")
    mono: NDArray[Any] = audio if audio.ndim == 1 else audio.mean(axis=1)
    return np.asarray(soxr.resample(mono, rate, ANALYSIS_RATE), dtype=np.float32)
