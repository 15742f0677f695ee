"""Any stretches of sound in, one rate and channel count out, as a stream."""

from __future__ import annotations

import numpy as np
import soxr

from singcoach.audio.channel_maps import mix_matrix
from singcoach.audio.chunks import Chunk
from singcoach.core.arrays import FloatArray


class Converter:
    """Maps channels and resamples a stream whose rate and layout may change on the way.

    Parameters
    ----------
    sample_rate
        Wanted rate in Hz.
    channels
        Wanted number of channels: 1, 2, or what the source has.
    """

    def __init__(self, *, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._source_rate = 0
        self._source_channels = 0
        self._stream: soxr.ResampleStream | None = None

    def push(self, chunk: Chunk) -> list[FloatArray]:
        """Return what is ready, pieces of shape ``(channels, n)``, after taking in ``chunk``."""
        done: list[FloatArray] = []
        n_mixed = min(chunk.audio.shape[0], self._channels)
        if (chunk.sample_rate, n_mixed) != (self._source_rate, self._source_channels):
            done += self.finish()
            self._source_rate, self._source_channels = chunk.sample_rate, n_mixed
            if chunk.sample_rate != self._rate:
                self._stream = soxr.ResampleStream(
                    chunk.sample_rate, self._rate, n_mixed, dtype="float32", quality="HQ"
                )
        audio = _mixed(chunk.audio, chunk.layout, n_mixed)
        if self._stream is not None:
            audio = self._stream.resample_chunk(np.ascontiguousarray(audio.T)).T
        return [*done, self._spread(audio)] if audio.shape[1] else done

    def finish(self) -> list[FloatArray]:
        """Return what the filter still holds."""
        if self._stream is None:
            return []
        empty = np.zeros((0, self._source_channels), np.float32)
        tail = self._stream.resample_chunk(empty, last=True).T
        self._stream = None
        self._source_rate = 0
        return [self._spread(tail)] if tail.shape[1] else []

    def _spread(self, audio: FloatArray) -> FloatArray:
        return np.ascontiguousarray(_mixed(audio, (), self._channels), np.float32)


def _mixed(audio: FloatArray, layout: tuple[str, ...], target: int) -> FloatArray:
    matrix = mix_matrix(layout, audio.shape[0], target)
    return audio if matrix is None else matrix @ audio
