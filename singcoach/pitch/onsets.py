"""Evidence in the sound that a new syllable starts: dips of level and jumps of the spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.dsp.anchors import frame_count
from singcoach.dsp.gate import gated_mean
from singcoach.jobs import NO_JOB, Job

FFT_SAMPLES = 512
HOP_SAMPLES = 256
N_BANDS = 24
LOWEST_BAND_HZ = 100.0
HIGHEST_BAND_HZ = 7500.0
FLOOR_DB = -60.0
DIP_REACH_FRAMES = 8
DIP_MEMORY_FRAMES = 3
SMALLEST_DIP_DB = 4.0
SMALLEST_FLUX_DB = 4.0
BLOCK_FRAMES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class OnsetEvidence:
    """Per frame: ``level_db`` relative to the take's singing, ``strength_db`` 0 and up."""

    level_db: RealArray
    strength_db: RealArray


def onset_evidence(
    audio: FloatArray, *, sample_rate: int = 16_000, phase: int = 0, job: Job = NO_JOB
) -> OnsetEvidence:
    """Return how strongly each 16 ms frame looks like the start of a syllable.

    ``strength_db`` adds what a level dip within the last 48 ms exceeds 4 dB by (a dip is measured
    against the weaker of its two sides, 128 ms far) and twice what the mean rise of 24 mel bands
    over 32 ms exceeds 4 dB by. Consonants that keep the voice going show in one or the other.
    Levels are relative, so the recording's gain does not matter.

    Parameters
    ----------
    audio
        One voice, shape ``(n_samples,)``, 16 kHz.
    phase
        Centre of the first frame in samples, less than 256.
    """
    if sample_rate != 16_000:
        raise ValueError(f"sample_rate is {sample_rate}; 16000 would work")
    n_frames = frame_count(audio.size, phase=phase, hop_samples=HOP_SAMPLES)
    if n_frames == 0:
        empty = np.zeros(0)
        return OnsetEvidence(level_db=empty, strength_db=empty)
    power = _band_power(audio, n_frames, sample_rate, phase, job)
    total = power.sum(axis=1)
    reference = gated_mean(total) or 1.0
    least = 10.0 ** (FLOOR_DB / 10.0)
    level_db = 10.0 * np.log10(np.maximum(total / reference, least))
    bands_db = 10.0 * np.log10(np.maximum(power / reference, least))
    # Before and after the signal there is silence, as if it had been recorded.
    around_db = np.pad(bands_db, ((1, 1), (0, 0)), constant_values=FLOOR_DB)
    flux_db = np.maximum(0.0, around_db[2:] - around_db[:-2]).mean(axis=1)
    before = sliding_window_view(
        np.pad(level_db, (DIP_REACH_FRAMES, 0), mode="edge"), DIP_REACH_FRAMES + 1
    ).max(axis=1)
    after = sliding_window_view(
        np.pad(level_db, (0, DIP_REACH_FRAMES), mode="edge"), DIP_REACH_FRAMES + 1
    ).max(axis=1)
    dip_db = np.minimum(before, after) - level_db
    recent_dip_db = sliding_window_view(
        np.pad(dip_db, (DIP_MEMORY_FRAMES, 0), mode="edge"), DIP_MEMORY_FRAMES + 1
    ).max(axis=1)
    strength_db = np.maximum(0.0, recent_dip_db - SMALLEST_DIP_DB) + 2.0 * np.maximum(
        0.0, flux_db - SMALLEST_FLUX_DB
    )
    return OnsetEvidence(level_db=level_db, strength_db=strength_db)


def _band_power(
    audio: FloatArray, n_frames: int, sample_rate: int, phase: int, job: Job
) -> RealArray:
    """Return the power per mel band, shape ``(n_frames, 24)``; a block of frames at a time."""
    weights = _bands(sample_rate).astype(np.float32)
    window = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)
    power = np.empty((n_frames, N_BANDS))
    for start in range(0, n_frames, BLOCK_FRAMES):
        job.report(start / n_frames, "notes")
        end = min(start + BLOCK_FRAMES, n_frames)
        first = phase + start * HOP_SAMPLES - HOP_SAMPLES
        piece = np.zeros((end - start + 1) * HOP_SAMPLES, dtype=np.float32)
        source = audio[max(0, first) : first + piece.size]
        at = max(0, -first)
        piece[at : at + source.size] = source
        frames = sliding_window_view(piece, FFT_SAMPLES)[::HOP_SAMPLES]
        spectrum = np.fft.rfft(frames * window, axis=1)
        power[start:end] = (spectrum.real**2 + spectrum.imag**2) @ weights
    return power


def _bands(sample_rate: int) -> RealArray:
    """Return which bins belong to which mel band (O'Shaughnessy), shape ``(257, 24)``."""
    frequency_hz = np.arange(FFT_SAMPLES // 2 + 1) * sample_rate / FFT_SAMPLES
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (LOWEST_BAND_HZ, HIGHEST_BAND_HZ))
    edges_hz = 700.0 * (10.0 ** (np.linspace(low, high, N_BANDS + 1) / 2595.0) - 1.0)
    band = np.searchsorted(edges_hz, frequency_hz, side="right") - 1
    weights = (band[:, np.newaxis] == np.arange(N_BANDS)).astype(np.float64)
    for index in np.flatnonzero(weights.sum(axis=0) == 0.0):
        middle_hz = (edges_hz[index] + edges_hz[index + 1]) / 2.0
        weights[int(np.argmin(np.abs(frequency_hz - middle_hz))), index] = 1.0
    return np.asarray(weights, dtype=np.float64)
