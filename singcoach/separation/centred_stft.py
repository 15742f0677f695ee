"""Spectra of one chunk of audio as networks with centred, mirrored frames were trained on.

Frame ``i`` is centred at sample ``i * hop``; before the start and after the end the audio is
mirrored. Frames of any hop up to half a window. The numbers are those of ``torch.stft`` and
``torch.istft`` (centred, periodic Hann window, not normalised) up to rounding.
"""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft

from singcoach.core.arrays import FloatArray, read_only
from singcoach.dsp.stft import ComplexArray, hann


def chunk_frames(n_samples: int, *, hop: int) -> int:
    """Return how many frames a chunk has."""
    return n_samples // hop + 1


def chunk_spectrum(
    audio: FloatArray, *, n_fft: int, hop: int, win: int, workers: int = 1
) -> ComplexArray:
    """Return the spectra of a chunk.

    Parameters
    ----------
    audio
        float32 ``(n_channels, n_samples)``, more samples than half of ``n_fft``.
    n_fft, hop, win
        Length of the transform, distance of the frames, length of the window in the middle of the
        transform, in samples.
    workers
        Threads of the transform.

    Returns
    -------
    ndarray
        complex64 ``(n_fft // 2 + 1, n_channels, n_frames)``.
    """
    padded = np.pad(audio, ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    spectrum = scipy.fft.rfft(
        frames * _window(n_fft, win), axis=-1, overwrite_x=True, workers=workers
    )
    turned: ComplexArray = np.ascontiguousarray(spectrum.transpose(2, 0, 1))
    return turned


def chunk_signal(
    spectrum: ComplexArray, n_samples: int, *, n_fft: int, hop: int, win: int, workers: int = 1
) -> FloatArray:
    """Return the chunk that has this spectrum, float32 ``(n_channels, n_samples)``.

    ``n_samples`` is the length that the spectrum was made from, whole hops or not. Where the
    spectra of the frames do not agree, this is the signal with the least squared error to them.
    """
    frames = scipy.fft.irfft(
        np.ascontiguousarray(spectrum.transpose(1, 2, 0)), n_fft, axis=-1, workers=workers
    )
    frames *= _window(n_fft, win)
    start = n_fft // 2
    summed = _overlap_added(frames, hop)[:, start : start + n_samples]
    summed /= _window_power(n_samples, n_fft, hop, win)
    return summed


def _overlap_added(frames: FloatArray, hop: int) -> FloatArray:
    """Add frames ``(n_channels, n_frames, n_fft)`` up, each ``hop`` after the one before."""
    n_channels, n_frames, n_fft = frames.shape
    # Every k-th frame, k hops being at least a frame, lies clear of the others of its kind.
    k = -(-n_fft // hop)
    n_each = -(-n_frames // k)
    summed = np.zeros((n_channels, (n_each * k + k) * hop), np.float32)
    for i in range(min(k, n_frames)):
        own = frames[:, i::k]
        n_own = own.shape[1]
        places = summed[:, i * hop : (i + n_own * k) * hop].reshape(n_channels, n_own, k * hop)
        places[:, :, :n_fft] += own
    return summed


@functools.lru_cache(maxsize=8)
def _window(n_fft: int, win: int) -> FloatArray:
    left = (n_fft - win) // 2
    return read_only(np.pad(hann(win), (left, n_fft - win - left)))


@functools.lru_cache(maxsize=4)
def _window_power(n_samples: int, n_fft: int, hop: int, win: int) -> FloatArray:
    """Return the sum of the squared windows at every sample of a chunk."""
    square = _window(n_fft, win) ** 2
    n_frames = chunk_frames(n_samples, hop=hop)
    start = n_fft // 2
    power = _overlap_added(np.broadcast_to(square, (1, n_frames, n_fft)), hop)[0]
    return read_only(power[start : start + n_samples].copy())
