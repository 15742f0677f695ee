"""Pitch classes and tuning of an accompaniment, from spectral peaks.

Peaks with interpolated frequency keep cents, which a bank of semitone filters loses, so tuning
comes out of the same pass. Each peak also votes, ever weaker, for the notes it may be the second
to fifth harmonic of (Gomez 2006, harmonic pitch class profile), so a bass note counts as itself.
"""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray

CHROMA_HOP_SAMPLES = 1600
CHROMA_FRAME_S = CHROMA_HOP_SAMPLES / ANALYSIS_RATE
CHROMA_WINDOW_SAMPLES = 4096
LOWEST_HZ = 60.0
HIGHEST_HZ = 2000.0
BINS_PER_SEMITONE = 20
N_BINS = 12 * BINS_PER_SEMITONE
"""A histogram over one octave in steps of 5 cents."""
HARMONIC_WEIGHTS = (1.0, 0.6, 0.36, 0.22, 0.13)
_PEAK_FLOOR = 1e-3  # 60 dB below the frame's strongest peak
_BATCH_FRAMES = 256

_WINDOW = np.hanning(CHROMA_WINDOW_SAMPLES).astype(np.float32)


def fine_chroma(frames: FloatArray) -> FloatArray:
    """Return the folded peak magnitudes of windowed 16 kHz frames, bins of 5 cents.

    Parameters
    ----------
    frames
        Shape ``(n_frames, 4096)``.

    Returns
    -------
    FloatArray
        Shape ``(n_frames, 240)``; a frame's row scales with its level.
    """
    folded = np.zeros((frames.shape[0], N_BINS), dtype=np.float32)
    for start in range(0, frames.shape[0], _BATCH_FRAMES):
        batch = frames[start : start + _BATCH_FRAMES] * _WINDOW
        folded[start : start + batch.shape[0]] = _fold(np.abs(np.fft.rfft(batch, axis=1)))
    return folded


def _fold(magnitude: RealArray) -> FloatArray:
    resolution_hz = ANALYSIS_RATE / CHROMA_WINDOW_SAMPLES
    first = int(LOWEST_HZ / resolution_hz)
    last = int(HIGHEST_HZ / resolution_hz)
    middle = magnitude[:, first : last + 1]
    below = magnitude[:, first - 1 : last]
    above = magnitude[:, first + 1 : last + 2]
    floor = _PEAK_FLOOR * middle.max(axis=1, keepdims=True)
    is_peak = (middle > below) & (middle >= above) & (middle > floor) & (middle > 1e-9)
    row, column = np.nonzero(is_peak)
    log_b = np.log(middle[row, column])
    log_a = np.log(np.maximum(below[row, column], 1e-12))
    log_c = np.log(np.maximum(above[row, column], 1e-12))
    curvature = log_a - 2.0 * log_b + log_c
    shift = 0.5 * (log_a - log_c) / np.where(curvature < 0.0, curvature, -1.0)
    frequency_hz = (column + first + np.clip(shift, -0.5, 0.5)) * resolution_hz
    semitones = 12.0 * np.log2(frequency_hz / 440.0) + 69.0
    folded = np.zeros(magnitude.shape[0] * N_BINS)
    for harmonic, weight in enumerate(HARMONIC_WEIGHTS, start=1):
        bins = np.round((semitones - 12.0 * np.log2(harmonic)) * BINS_PER_SEMITONE).astype(int)
        np.add.at(folded, row * N_BINS + bins % N_BINS, weight * np.exp(log_b))
    return folded.reshape(-1, N_BINS).astype(np.float32)


def tuning_of(histogram: RealArray) -> float:
    """Return the offset in cents (-50..50) from A4 = 440 Hz at which a pitch histogram peaks.

    The circular mean over the semitone (Dressler and Streich 2007); 0 for an empty histogram.

    Parameters
    ----------
    histogram
        Weights over one octave, shape ``(240,)``.
    """
    angle = 2.0 * np.pi * np.arange(N_BINS) / BINS_PER_SEMITONE
    mean = np.sum(histogram * np.exp(1j * angle))
    if abs(mean) <= 1e-12 * max(1.0, float(histogram.sum())):
        return 0.0
    return float(np.angle(mean) / (2.0 * np.pi) * 100.0)


def to_semitones(fine: FloatArray, *, tuning_cents: float) -> FloatArray:
    """Return 12 pitch classes on the given tuning, rows summing to 1 (0 where silent).

    A bin counts for its nearest semitone by the squared cosine of its distance, so that energy
    between the notes is weak evidence for either.
    """
    position = np.arange(N_BINS) / BINS_PER_SEMITONE - tuning_cents / 100.0
    nearest = np.round(position)
    weight = np.cos(np.pi * (position - nearest)) ** 2
    mapping = np.zeros((N_BINS, 12), dtype=np.float32)
    mapping[np.arange(N_BINS), nearest.astype(int) % 12] = weight
    chroma = fine @ mapping
    total = chroma.sum(axis=1, keepdims=True)
    shares = np.divide(chroma, total, out=np.zeros_like(chroma), where=total > 0.0)
    return np.asarray(shares, dtype=np.float32)
