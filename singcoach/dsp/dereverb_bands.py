"""The spectrum and the bands that the removal of a room works in.

Single bins where harmonics stand apart, wider bands above: what rings on from the note before lies
between the harmonics of the note that sounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.prediction import predicted
from singcoach.dsp.stft import ComplexArray

N_FFT = 1024
HOP = 512
N_BINS = N_FFT // 2 + 1
FRAME_S = HOP / ANALYSIS_RATE

PREDICTED_BINS = 321
"""Up to 5 kHz; above that the voice has little energy, and prediction costs most of the time."""
DELAYS = tuple(range(2, 12))
"""In frames: 64 to 384 ms ago. Nearer ones predict the voice itself, denser ones gain nothing."""
ITERATIONS = 3

MEMORY_FRAMES = 2
MEMORY_T60_S = (0.25, 0.7, 2.0)
"""Decay times of the envelopes that the energy of now is held against."""
N_FEATURES = 2 + len(MEMORY_T60_S)

BAND_STARTS: NDArray[np.intp] = np.concatenate(
    (np.arange(0, 103), np.arange(103, 205, 2), np.arange(205, 321, 4), np.arange(321, N_BINS, 8))
).astype(np.intp)
BAND_WIDTHS: NDArray[np.intp] = np.diff(BAND_STARTS, append=N_BINS)
N_BANDS = int(BAND_STARTS.size)

ENERGY_FLOOR = 1e-6
"""Of the mean energy of the block: what lies below -60 dB is not looked at."""


def room_estimate(spectrum: ComplexArray) -> ComplexArray:
    """Return what the past predicts of ``(n_frames, n_bins)``, zero above 5 kHz; same shape."""
    room = np.zeros_like(spectrum)
    room[:, :PREDICTED_BINS] = predicted(
        np.ascontiguousarray(spectrum[:, :PREDICTED_BINS].T), delays=DELAYS, iterations=ITERATIONS
    ).T
    return room


def in_bands(values: FloatArray) -> FloatArray:
    """Return sums ``(n_frames, n_bands)`` over the bins of each band of ``(n_frames, n_bins)``."""
    sums: FloatArray = np.add.reduceat(values, BAND_STARTS, axis=-1)
    return sums


def in_bins(values: FloatArray) -> FloatArray:
    """Return ``(n_frames, n_bins)`` with the value of its band in each bin."""
    spread: FloatArray = np.repeat(values, BAND_WIDTHS, axis=-1)
    return spread


def power(spectrum: ComplexArray) -> FloatArray:
    """Return the squared magnitude."""
    squared: FloatArray = spectrum.real**2 + spectrum.imag**2
    return squared


def features(spectrum: ComplexArray, room: ComplexArray) -> FloatArray:
    """Return what the network sees.

    Parameters
    ----------
    spectrum, room
        complex64 ``(n_frames, n_bins)``: the voice, and what its past predicts of it.

    Returns
    -------
    ndarray
        float32 ``(5, n_frames, n_bands)``: mean energy of the bins of each band with and without
        the room, as logarithms to the base 10, relative to the mean energy of all, from -6 up;
        then three envelopes of the second, which follow 64 ms late and fall as slowly as in rooms
        of 0.25, 0.7 and 2 s. The level of the recording makes no difference.
    """
    widths = BAND_WIDTHS.astype(np.float32)
    seen = np.stack((in_bands(power(spectrum)), in_bands(power(spectrum - room)))) / widths
    mean = max(float(seen[0].mean(dtype=np.float64)), 1e-30)
    logs = np.log10(seen / np.float32(mean) + np.float32(ENERGY_FLOOR)).astype(np.float32)
    falls = np.array([6 * FRAME_S / t60_s for t60_s in MEMORY_T60_S], np.float32)[:, None]
    lowest = np.float32(np.log10(ENERGY_FLOOR))
    envelopes = np.full((len(MEMORY_T60_S), *logs.shape[1:]), lowest, np.float32)
    for frame in range(MEMORY_FRAMES, logs.shape[1]):
        envelopes[:, frame] = np.maximum(
            envelopes[:, frame - 1] - falls, logs[1, frame - MEMORY_FRAMES]
        )
    stacked: FloatArray = np.concatenate((logs, np.maximum(envelopes, lowest)))
    return stacked
