"""Short-time Fourier transform of a stream, batch by batch, and back again.

Frames are centred: frame ``i`` covers samples ``i * hop - n_fft / 2`` up to
``i * hop + n_fft / 2``, with silence before the start and after the end. A stream of any length is
covered by enough frames that every sample lies under a full set of windows, except the first hops,
whose missing windows are made up for when the signal is put together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray

ComplexArray = NDArray[np.complex64]


def hann(n_samples: int) -> FloatArray:
    """Return the periodic Hann window, shape ``(n_samples,)``."""
    phase = np.arange(n_samples) * (2 * np.pi / n_samples)
    window: FloatArray = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    return window


def frame_count(n_samples: int, *, n_fft: int, hop: int) -> int:
    """Return how many frames touch a signal of ``n_samples`` samples; 0 for an empty one."""
    return (n_samples - 1 + n_fft // 2) // hop + 1 if n_samples > 0 else 0


def spectra(
    blocks: Iterable[FloatArray], *, n_fft: int, hop: int, batch_frames: int, workers: int = 1
) -> Iterator[ComplexArray]:
    """Yield the spectra of a stream in batches, independent of how the stream is cut into blocks.

    Parameters
    ----------
    blocks
        float32 blocks ``(n_channels, n)`` of any length, also 0; all with the same channels.
    n_fft, hop
        Window and hop in samples; ``n_fft`` is a multiple of ``2 * hop``.
    batch_frames
        Frames in each batch but the last.
    workers
        Threads of the transform.

    Yields
    ------
    ndarray
        complex64 ``(n_channels, n_frames, n_fft // 2 + 1)``; the last may be shorter. Nothing for
        an empty stream.
    """
    window = hann(n_fft)
    span = (batch_frames - 1) * hop + n_fft
    step = batch_frames * hop
    pending: FloatArray | None = None
    n_samples = n_frames = 0
    for block in blocks:
        if block.shape[-1] == 0:
            continue
        if pending is None:
            pending = np.zeros((block.shape[0], n_fft // 2), np.float32)
        n_samples += block.shape[-1]
        pending = np.concatenate((pending, block), axis=1)
        while pending.shape[1] >= span:
            yield _transform(pending[:, :span], window, hop, workers)
            n_frames += batch_frames
            pending = pending[:, step:]
    if pending is None:
        return
    missing = frame_count(n_samples, n_fft=n_fft, hop=hop) - n_frames
    while missing > 0:
        n_now = min(missing, batch_frames)
        need = (n_now - 1) * hop + n_fft
        short = max(0, need - pending.shape[1])
        yield _transform(np.pad(pending[:, :need], ((0, 0), (0, short))), window, hop, workers)
        pending = pending[:, step:]
        missing -= n_now


def _transform(audio: FloatArray, window: FloatArray, hop: int, workers: int) -> ComplexArray:
    frames = np.lib.stride_tricks.sliding_window_view(audio, window.size, axis=1)[:, ::hop]
    spectrum: ComplexArray = scipy.fft.rfft(
        frames * window, axis=-1, overwrite_x=True, workers=workers
    )
    return spectrum


class OverlapAdder:
    """Puts consecutive batches of spectra together to a signal, in bounded memory.

    Parameters
    ----------
    n_fft, hop
        As given to :func:`spectra`.
    n_channels
        Channels of the signal.
    workers
        Threads of the transform.
    """

    def __init__(self, *, n_fft: int, hop: int, n_channels: int, workers: int = 1) -> None:
        window = hann(n_fft).astype(np.float64)
        power = (window**2).reshape(-1, hop).sum(axis=0)
        synthesis = window / np.tile(power, n_fft // hop)
        self._window = synthesis.astype(np.float32)
        self._n_fft = n_fft
        self._hop = hop
        self._workers = workers
        self._tail = np.zeros((n_channels, n_fft - hop), np.float32)
        self._skip = n_fft // 2
        # The first hops lie under fewer windows than the rest: there are no frames before 0.
        first = (window**2).reshape(-1, hop)
        n_before = n_fft // hop // 2
        self._first_gains = [
            (power / first[: n_before + 1 + i].sum(axis=0)).astype(np.float32)
            for i in range(n_before - 1)
        ]
        self._position = 0

    def add(self, spectrum: ComplexArray) -> FloatArray:
        """Return the samples that are complete once these frames are added.

        ``spectrum`` is ``(n_channels, n_frames, n_bins)`` and may be overwritten. The first
        ``n_fft / 2`` samples, which lie before the start of the signal, are not returned.
        """
        n_channels, n_frames, _ = spectrum.shape
        frames = scipy.fft.irfft(
            spectrum, self._n_fft, axis=-1, overwrite_x=True, workers=self._workers
        )
        frames *= self._window
        hop = self._hop
        n_parts = self._n_fft // hop
        parts = frames.reshape(n_channels, n_frames, n_parts, hop)
        summed = np.zeros((n_channels, n_frames + n_parts - 1, hop), np.float32)
        for part in range(n_parts):
            summed[:, part : part + n_frames] += parts[:, :, part]
        out = summed.reshape(n_channels, -1)
        out[:, : self._tail.shape[1]] += self._tail
        done = n_frames * hop
        self._tail = out[:, done:].copy()
        return self._finished(out[:, :done])

    def _finished(self, audio: FloatArray) -> FloatArray:
        """Drop what lies before the start and lift the hops that lack windows."""
        start = self._position
        self._position += audio.shape[1]
        hop = self._hop
        for i, gain in enumerate(self._first_gains):
            at = self._skip + i * hop - start
            if 0 <= at < audio.shape[1]:
                audio[:, at : at + hop] *= gain
        return audio[:, min(max(0, self._skip - start), audio.shape[1]) :]
