"""The spectrum and the bands that the removal of a room works in.

Single bins where harmonics stand apart, wider bands above: what rings on from the note before lies
between the harmonics of the note that sounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray
from singcoach.dsp.prediction import predicted
from singcoach.dsp.stft import ComplexArray

N_FFT = 1024
HOP = 512
N_BINS = N_FFT // 2 + 1

PREDICTED_BINS = 321
"""Up to 5 kHz; above that the voice has little energy, and prediction costs most of the time."""
DELAYS = (*range(2, 12), 13, 15, 18, 21)
"""In frames of 32 ms: what was heard 64 to 670 ms ago. Nearer frames predict the voice itself,
older ones matter in halls alone."""
ITERATIONS = 3

BAND_STARTS: NDArray[np.intp] = np.concatenate(
    (np.arange(0, 103), np.arange(103, 205, 2), np.arange(205, 321, 4), np.arange(321, N_BINS, 8))
).astype(np.intp)
BAND_WIDTHS: NDArray[np.intp] = np.diff(BAND_STARTS, append=N_BINS)
N_BANDS = int(BAND_STARTS.size)


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
