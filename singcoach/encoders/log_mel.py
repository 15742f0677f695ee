"""The log-mel picture of a recording as Whisper's encoder expects it.

Whisper normalises each 30 s window by the window's own maximum, so that one loud note changes
everything around it. Here the maximum is that of the whole recording: neighbouring windows agree
where they overlap, and a recording shorter than a window gives Whisper's own values.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.jobs import NO_JOB, Job

N_MELS = 80
"""Bands of every Whisper before large-v3, which takes 128."""

FFT_SAMPLES = 400
HOP_SAMPLES = 160
MEL_RATE_HZ = ANALYSIS_RATE / HOP_SAMPLES
"""Rows of the picture per second (100)."""

_FLOOR_POWER = 1e-10
_RANGE_DECADES = 8.0
_BLOCK_FRAMES = 3000
_LOG_STEP = np.log(6.4) / 27.0
"""Above 1 kHz a mel of Slaney's scale is this step of the natural logarithm."""


def log_mel(audio: FloatArray, *, n_mels: int = N_MELS, job: Job = NO_JOB) -> FloatArray:
    """Return the log-mel picture of a whole recording.

    Parameters
    ----------
    audio
        Mono at 16 kHz in [-1, 1], shape ``(n_samples,)``; finite. May be empty.
    n_mels
        Mel bands: 80, or 128 for large-v3 and Qwen2-Audio.

    Returns
    -------
    float32, shape ``(n_mels, n_samples // 160)`` (at least one column unless ``audio`` is empty),
    column ``i`` centred at ``i * 0.01`` s; about -1.5 to 1.5, constant in digital silence.

    Raises
    ------
    ValueError
        When ``audio`` is not one-dimensional or not finite.

    Notes
    -----
    Magnitude squared of a 400-point Fourier transform with a periodic Hann window every 160
    samples, mirrored at both ends; triangular mel bands of equal area (Slaney's scale, 0 to
    8 kHz); log10, at most 8 decades below the maximum; ``(x + 4) / 4``. After Radford et al.,
    "Robust Speech Recognition via Large-Scale Weak Supervision" (arXiv 2212.04356), with the
    maximum of the whole recording instead of the window's.
    """
    if audio.ndim != 1:
        raise ValueError(f"audio has shape {audio.shape}; (n_samples,) would work")
    if audio.size == 0:
        return np.zeros((n_mels, 0), dtype=np.float32)
    samples = _mirrored(audio)
    n_frames = max(1, audio.size // HOP_SAMPLES)
    picture = np.empty((n_mels, n_frames), dtype=np.float32)
    for start in range(0, n_frames, _BLOCK_FRAMES):
        job.report(start / n_frames, "listening")
        end = min(n_frames, start + _BLOCK_FRAMES)
        picture[:, start:end] = _log_power(samples, start, end, n_mels)
    highest = picture.max()
    if not np.isfinite(highest):
        raise ValueError("audio has values that are not finite; clean it first")
    np.maximum(picture, highest - np.float32(_RANGE_DECADES), out=picture)
    picture += np.float32(4.0)
    picture *= np.float32(0.25)
    return picture


@functools.cache
def mel_filters(n_mels: int = N_MELS) -> FloatArray:
    """Return the weights of the mel bands, float32, shape ``(n_mels, 201)``.

    Triangles on Slaney's scale (linear below 1 kHz, logarithmic above), each with unit area in Hz.
    """
    highest_mel = 15.0 + np.log(ANALYSIS_RATE / 2 / 1000.0) / _LOG_STEP
    mels = np.linspace(0.0, highest_mel, n_mels + 2)
    edges_hz = np.where(
        mels < 15.0, mels * (200.0 / 3.0), 1000.0 * np.exp(_LOG_STEP * (mels - 15.0))
    )
    bins_hz = np.arange(FFT_SAMPLES // 2 + 1) * (ANALYSIS_RATE / FFT_SAMPLES)
    low, centre, high = (edges_hz[i : i + n_mels, None] for i in range(3))
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low)
    return read_only(weights.astype(np.float32))


@functools.cache
def _window() -> FloatArray:
    phase = 2.0 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES
    return read_only((0.5 - 0.5 * np.cos(phase)).astype(np.float32))


def _mirrored(audio: FloatArray) -> FloatArray:
    """Return ``audio`` with half a window of its own mirror image on either side."""
    half = FFT_SAMPLES // 2
    # np.pad mirrors as often as it must when the recording is shorter than half a window.
    return np.pad(np.asarray(audio, dtype=np.float32), half, mode="reflect")


def _log_power(samples: FloatArray, start: int, end: int, n_mels: int) -> NDArray[Any]:
    """Return log10 of the mel power of frames ``start`` to ``end``, shape ``(n_mels, n)``."""
    span = samples[start * HOP_SAMPLES : (end - 1) * HOP_SAMPLES + FFT_SAMPLES]
    frames = np.lib.stride_tricks.sliding_window_view(span, FFT_SAMPLES)[::HOP_SAMPLES]
    spectrum = scipy.fft.rfft(frames * _window(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands: NDArray[Any] = np.log10(
        np.maximum(mel_filters(n_mels) @ power.T, np.float32(_FLOOR_POWER))
    )
    return bands
